import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { computeDigest } from '@bulla/trust/oci/digest';
import { openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import { codesOf } from '../sigstore-lab/findings.ts';
import { minutes, openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, type Json, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { set, valueAt } from '../sigstore-lab/mutations.ts';
import { judgeBlob, keyed } from '../sigstore-lab/question.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 13: anybody can have an old signature of a key timestamped and logged anew. Beside the
// original, which whoever may only push cannot take away, such a copy makes nothing newer.

const lab = openLab();
const runner = openExpressionRunner();
after(() => runner[Symbol.asyncDispose]());
const KEY = testKey('ecdsa-p256');
const SCAN = 'https://acme.example/scan';
const file = Buffer.from('content');
const DIGEST = computeDigest(file);

function scan(critical: number, at: Date): Json {
  const payload = statement(DIGEST, SCAN, { critical });
  return mintBundle(lab, { by: KEY, payload, logs: [], stampedAt: [at] });
}

/** The same signature with a timestamp of another instant. */
function restamped(bundle: Json, at: Date): Json {
  const signature = valueAt(bundle, ['dsseEnvelope', 'signatures', 0, 'sig']);
  const stamp = lab.tsa.stamp(Buffer.from(String(signature), 'base64'), at);
  const path = 'verificationMaterial.timestampVerificationData.rfc3161Timestamps.0.signedTimestamp';
  return set(bundle, path, encodeBase64(stamp));
}

const clean = scan(0, minutes(-60));
const bad = scan(7, minutes(-30));
const replayed = restamped(clean, minutes(-1));
const rescanned = scan(0, minutes(-10));

const ROWS: readonly {
  readonly name: string;
  readonly evidence: readonly Json[];
  readonly codes: readonly string[];
}[] = [
  { name: 'the clean one alone', evidence: [clean], codes: [] },
  { name: 'a newer bad one', evidence: [clean, bad], codes: ['statement.where-false'] },
  {
    name: 'a newer bad one, and the clean one stamped anew',
    evidence: [clean, bad, replayed],
    codes: ['statement.where-false'],
  },
  {
    name: 'the same, found in another order',
    evidence: [replayed, clean, bad],
    codes: ['statement.where-false'],
  },
  { name: 'a newer bad one, and a clean one made after it', evidence: [bad, rescanned], codes: [] },
];

for (const { name, evidence, codes } of ROWS) {
  test(`an old clean scan and ${name}`, async () => {
    const { finding } = await judgeBlob(
      lab,
      file,
      evidence.map((bundle) => bundleEvidence(bundle)),
      {
        authorities: [keyed(KEY)],
        wanted: { kind: 'attestation', predicateType: SCAN },
        condition: { expression: 'predicate.critical == 0.0', runner, deadlineMs: 5000 },
        requirements: { log: false },
      },
    );
    const text = renderFinding(finding).join('\n');
    assert.equal(finding.outcome, codes.length === 0 ? 'pass' : 'fail', text);
    if (codes.length > 0) assert.deepEqual(codesOf(finding), codes, text);
  });
}
