import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { Evidence } from '@bulla/trust/proof/evidence';
import type { ProofRequirements } from '@bulla/trust/proof/requirements';
import { codesOf, outcomeOf } from '../sigstore-lab/findings.ts';
import { minutes, NOW, openLab, trustRootOf } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, mintLegacy, statement } from '../sigstore-lab/mint.ts';
import { set } from '../sigstore-lab/mutations.ts';
import { DEV, judgeBlob, keyed, keyless } from '../sigstore-lab/question.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 10: only a verified SET or timestamp is a trusted time.

const lab = openLab();
const FILE = utf8('the file');
const DIGEST = computeDigest(FILE);
const issued = lab.ca.issue({ ...DEV, at: NOW });
const payload = statement(DIGEST);

const STAMPED = mintBundle(lab, { by: issued, payload });
const UNSTAMPED = mintBundle(lab, { by: issued, payload, stampedAt: [] });
const OLD = mintBundle(lab, { by: issued, payload, logs: ['old'], stampedAt: [], version: '0.2' });
const OLD_STAMPED = mintBundle(lab, { by: issued, payload, logs: ['old'], version: '0.2' });
const ENTRY = 'verificationMaterial.tlogEntries.0';
const WITHOUT_SET = set(OLD, `${ENTRY}.inclusionPromise`, undefined);

interface Row {
  readonly name: string;
  readonly evidence: Evidence;
  readonly requirements?: Partial<ProofRequirements>;
  /** Codes of a refusal; none for a pass. */
  readonly expect: readonly string[];
}

const ROWS: readonly Row[] = [
  { name: 'a timestamp', evidence: bundleEvidence(STAMPED), expect: [] },
  { name: 'a SET', evidence: bundleEvidence(OLD), expect: [] },
  { name: 'a SET and a timestamp', evidence: bundleEvidence(OLD_STAMPED), expect: [] },
  { name: 'neither', evidence: bundleEvidence(UNSTAMPED), expect: ['proof.no-trusted-time'] },
  {
    name: 'an integratedTime without its SET',
    evidence: bundleEvidence(WITHOUT_SET),
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'neither, as of the time of signing',
    evidence: bundleEvidence(UNSTAMPED),
    requirements: { at: NOW },
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'an integratedTime, as of the time of signing',
    evidence: bundleEvidence(WITHOUT_SET),
    requirements: { at: NOW },
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'a timestamp, a year later',
    evidence: bundleEvidence(STAMPED),
    requirements: { at: minutes(525_600) },
    expect: [],
  },
  {
    name: 'a timestamp, as of long before',
    evidence: bundleEvidence(STAMPED),
    requirements: { at: minutes(-100) },
    expect: [],
  },
  {
    name: 'no log asked for',
    evidence: bundleEvidence(STAMPED),
    requirements: { log: false },
    expect: [],
  },
  {
    name: 'no timestamp asked for, and a SET',
    evidence: bundleEvidence(OLD_STAMPED),
    requirements: { timestamp: false },
    expect: [],
  },
  {
    name: 'no timestamp asked for, and no SET',
    evidence: bundleEvidence(STAMPED),
    requirements: { timestamp: false },
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'neither log nor timestamp asked for',
    evidence: bundleEvidence(STAMPED),
    requirements: { log: false, timestamp: false },
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'neither asked for, with both at hand',
    evidence: bundleEvidence(OLD_STAMPED),
    requirements: { log: false, timestamp: false },
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'neither asked for, in the tag scheme',
    evidence: mintLegacy(lab, { by: issued, digest: DIGEST, loggedAt: NOW, stampedAt: NOW }),
    requirements: { log: false, timestamp: false },
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'a timestamp at the first second',
    evidence: bundleEvidence(mintBundle(lab, { by: issued, payload, stampedAt: [NOW] })),
    expect: [],
  },
  {
    name: 'a timestamp at the last second',
    evidence: bundleEvidence(mintBundle(lab, { by: issued, payload, stampedAt: [minutes(10)] })),
    expect: [],
  },
  {
    name: 'a timestamp a minute late',
    evidence: bundleEvidence(mintBundle(lab, { by: issued, payload, stampedAt: [minutes(11)] })),
    expect: ['x509.expired'],
  },
  {
    name: 'a good timestamp beside a late SET',
    evidence: bundleEvidence(
      mintBundle(lab, {
        by: issued,
        payload,
        logs: ['old'],
        version: '0.2',
        loggedAt: minutes(11),
      }),
    ),
    expect: ['x509.expired'],
  },
];

for (const { name, evidence, requirements = {}, expect } of ROWS) {
  test(`a short-lived certificate with ${name}`, async () => {
    const authorities = [keyless()];
    const { finding } = await judgeBlob(lab, FILE, [evidence], { authorities, requirements });
    const tree = renderFinding(finding).join('\n');
    assert.equal(finding.outcome, expect.length === 0 ? 'pass' : 'fail', tree);
    assert.deepEqual(codesOf(finding), expect, tree);
  });
}

const WITHOUT_SCT = lab.ca.issue({ ...DEV, at: NOW, ctLog: null });

test('an SCT is required, also when the trust root names no CT log', async () => {
  const noCtLogs = trustRootOf(lab, { without: ['ctlogs'] });
  const rows = [
    { by: issued, trustRoot: lab.trustRoot, code: null },
    { by: issued, trustRoot: noCtLogs, code: 'x509.sct-log-unknown' },
    { by: WITHOUT_SCT, trustRoot: lab.trustRoot, code: 'x509.sct-missing' },
    { by: WITHOUT_SCT, trustRoot: noCtLogs, code: 'x509.sct-missing' },
  ];
  for (const { by, trustRoot, code } of rows) {
    const evidence = bundleEvidence(mintBundle(lab, { by, payload }));
    const authorities = [keyless()];
    const strict = await judgeBlob(lab, FILE, [evidence], {
      authorities,
      requirements: { trustRoot },
    });
    assert.deepEqual(codesOf(strict.finding), code === null ? [] : [code]);
    const loose = await judgeBlob(lab, FILE, [evidence], {
      authorities,
      requirements: { trustRoot, sct: false },
    });
    assert.equal(loose.finding.outcome, 'pass');
    assert.equal(outcomeOf(loose.finding, 'x509.sct'), 'skipped');
  }
});

test('what is switched off is shown as skipped', async () => {
  const KEY = testKey('ecdsa-p256');
  const evidence = [bundleEvidence(mintBundle(lab, { by: KEY, payload }))];
  const { finding } = await judgeBlob(lab, FILE, evidence, {
    authorities: [keyed(KEY)],
    requirements: { log: false, timestamp: false },
  });
  assert.equal(finding.outcome, 'pass');
  assert.equal(outcomeOf(finding, 'tlog'), 'skipped');
  assert.equal(outcomeOf(finding, 'timestamp'), 'skipped');
});

const KEY = testKey('ecdsa-p256');
const byKey = (stampedAt: readonly Date[]) =>
  bundleEvidence(mintBundle(lab, { by: KEY, payload, stampedAt }));

const KEY_ROWS: readonly {
  readonly name: string;
  readonly validFor: { readonly start: Date | null; readonly end: Date | null };
  readonly evidence: Evidence;
  readonly at: Date;
  readonly code: string | null;
}[] = [
  {
    name: 'valid now, no time',
    validFor: { start: minutes(-10), end: minutes(10) },
    evidence: byKey([]),
    at: NOW,
    code: null,
  },
  {
    name: 'expired now, no time',
    validFor: { start: minutes(-10), end: minutes(-1) },
    evidence: byKey([]),
    at: NOW,
    code: 'proof.key-expired',
  },
  {
    name: 'not valid yet, no time',
    validFor: { start: minutes(1), end: null },
    evidence: byKey([]),
    at: NOW,
    code: 'proof.key-expired',
  },
  {
    name: 'expired now, stamped before',
    validFor: { start: null, end: minutes(5) },
    evidence: byKey([NOW]),
    at: minutes(60),
    code: null,
  },
  {
    name: 'valid now, stamped after its end',
    validFor: { start: null, end: minutes(5) },
    evidence: byKey([minutes(6)]),
    at: NOW,
    code: 'proof.key-expired',
  },
  {
    name: 'valid now, stamped before its start',
    validFor: { start: minutes(-5), end: null },
    evidence: byKey([minutes(-6)]),
    at: NOW,
    code: 'proof.key-expired',
  },
  {
    name: 'one stamp inside, one outside',
    validFor: { start: null, end: minutes(5) },
    evidence: byKey([NOW, minutes(6)]),
    at: NOW,
    code: 'proof.key-expired',
  },
];

for (const { name, validFor, evidence, at, code } of KEY_ROWS) {
  test(`a key with a period: ${name}`, async () => {
    const authority = { kind: 'key', name: 'key', key: KEY.publicKey, validFor } as const;
    const { finding } = await judgeBlob(lab, FILE, [evidence], {
      authorities: [authority],
      requirements: { at },
    });
    const tree = renderFinding(finding).join('\n');
    assert.equal(finding.outcome, code === null ? 'pass' : 'fail', tree);
    assert.deepEqual(codesOf(finding), code === null ? [] : [code], tree);
  });
}
