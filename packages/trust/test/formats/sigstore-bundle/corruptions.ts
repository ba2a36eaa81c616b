import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { computeDigest } from '@bulla/trust/oci/digest';
import { codesOf } from '../../sigstore-lab/findings.ts';
import { NOW, openLab } from '../../sigstore-lab/lab.ts';
import { bundleEvidence, type Json, mintBundle, statement } from '../../sigstore-lab/mint.ts';
import { set } from '../../sigstore-lab/mutations.ts';
import { type Asked, DEV, judgeBlob } from '../../sigstore-lab/question.ts';
import { testKey } from '../../tlog/synthetic-log.ts';

/** Genuine bundles of each kind, each with another one of its kind about another artifact. */

export const lab = openLab();
export const stranger = openLab();
export const FILE = utf8('the file');
export const DIGEST = computeDigest(FILE);
export const OTHER = computeDigest(utf8('another file'));
export const KEY = testKey('ecdsa-p256');
export const issued = lab.ca.issue({ ...DEV, at: NOW });
export const again = lab.ca.issue({ ...DEV, at: NOW });
export const CUSTOM = 'https://cosign.sigstore.dev/attestation/v1';

export const KEYLESS = mintBundle(lab, { by: issued, payload: statement(DIGEST) });
export const KEYLESS_OTHER = mintBundle(lab, { by: again, payload: statement(OTHER) });
export const OLD = { logs: ['old'], stampedAt: [], version: '0.2' } as const;
export const REKOR_V1 = mintBundle(lab, { by: issued, payload: statement(DIGEST), ...OLD });
export const REKOR_V1_OTHER = mintBundle(lab, { by: again, payload: statement(OTHER), ...OLD });
export const BY_KEY = mintBundle(lab, { by: KEY, message: FILE });
export const BY_KEY_OTHER = mintBundle(lab, { by: KEY, message: utf8('another file') });
export const ATTESTED = mintBundle(lab, {
  by: issued,
  payload: statement(DIGEST, CUSTOM, { ok: true }),
});
export const ATTESTED_OTHER = mintBundle(lab, { by: again, payload: statement(OTHER, CUSTOM, {}) });

export const ENTRY = 'verificationMaterial.tlogEntries.0';
export const PROOF = `${ENTRY}.inclusionProof`;
export const STAMP =
  'verificationMaterial.timestampVerificationData.rfc3161Timestamps.0.signedTimestamp';
export const CERTIFICATE = 'verificationMaterial.certificate.rawBytes';
export const SIG = 'dsseEnvelope.signatures.0.sig';

/** The value at a dotted path. */
export function at(document: Json, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], document);
}

/** The document with the value at a path of another one. */
export function take(document: Json, other: Json, path: string): Json {
  return set(document, path, at(other, path));
}

/** One corruption, and the codes of all that it breaks. */
export interface Corruption {
  readonly name: string;
  readonly bundle: Json;
  readonly expect: readonly string[];
  readonly asked?: Partial<Asked>;
}

/** Asserts that `good` verifies, and that each corruption is refused for exactly its codes. */
export function testCorruptions(
  what: string,
  good: Json,
  asked: Asked,
  rows: readonly Corruption[],
): void {
  test(`${what} verifies before it is corrupted`, async () => {
    const { finding } = await judgeBlob(lab, FILE, [bundleEvidence(good)], asked);
    assert.equal(finding.outcome, 'pass', renderFinding(finding).join('\n'));
  });
  for (const { name, bundle, expect, asked: own } of rows) {
    test(`${what}: ${name}`, async () => {
      const { finding } = await judgeBlob(lab, FILE, [bundleEvidence(bundle)], {
        ...asked,
        ...own,
      });
      assert.equal(finding.outcome, 'fail', renderFinding(finding).join('\n'));
      assert.deepEqual(codesOf(finding), expect, renderFinding(finding).join('\n'));
    });
  }
}
