import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { checkDigest, checkMessage } from '@bulla/trust/proof/signature';
import { codesOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { DEV, judgeBlob, keyed, keyless } from '../sigstore-lab/question.ts';
import { testKey } from '../tlog/synthetic-log.ts';

const MESSAGE = utf8('the file');
const digest = (hash: 'sha256' | 'sha384' | 'sha512') => ({
  hash,
  value: createHash(hash).update(MESSAGE).digest(),
});

const KEYS = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'] as const;
/** Which digests alone are enough for a signature by a key of each kind. */
const ENOUGH: Readonly<Record<(typeof KEYS)[number], string | null>> = {
  'ecdsa-p256': 'sha256',
  'ecdsa-p384': 'sha384',
  'rsa-2048': 'sha256',
  ed25519: null,
};

for (const kind of KEYS) {
  test(`a signature by ${kind} is checked by the digest that it was made over, and by no other`, async () => {
    const key = testKey(kind);
    const signature = key.sign(MESSAGE);
    const whole = await checkMessage(MESSAGE, signature, key.publicKey);
    assert.equal(whole.finding.outcome, 'pass');
    for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
      const { finding } = await checkDigest(digest(hash), signature, key.publicKey);
      assert.equal(finding.outcome, ENOUGH[kind] === hash ? 'pass' : 'fail', hash);
      const other = { hash, value: createHash(hash).update('another file').digest() };
      assert.equal((await checkDigest(other, signature, key.publicKey)).finding.outcome, 'fail');
    }
  });
}

test('a digest of the wrong length is refused before any arithmetic', async () => {
  const key = testKey('ecdsa-p256');
  const signature = key.sign(MESSAGE);
  for (const length of [0, 1, 31, 33, 64]) {
    const value = Buffer.concat([digest('sha256').value, Buffer.alloc(64)]).subarray(0, length);
    const { finding } = await checkDigest({ hash: 'sha256', value }, signature, key.publicKey);
    assert.equal(finding.outcome, 'fail', `${length} bytes`);
  }
});

const lab = openLab();
const SHA512 = `sha512:${createHash('sha512').update(MESSAGE).digest('hex')}` as const;
const SHA256 = `sha256:${createHash('sha256').update(MESSAGE).digest('hex')}` as const;
const by = lab.ca.issue({ ...DEV, at: NOW });
const TYPE = 'https://slsa.dev/provenance/v1';
const wanted = { kind: 'attestation', predicateType: TYPE } as const;

test('a statement by SHA-512 alone is about the file, and about its SHA-512, not about its SHA-256', async () => {
  const evidence = [bundleEvidence(mintBundle(lab, { by, payload: statement(SHA512, TYPE) }))];
  const rows = [
    { about: MESSAGE, passes: true },
    { about: SHA512, passes: true },
    { about: SHA256, passes: false },
    { about: utf8('another file'), passes: false },
  ] as const;
  for (const { about, passes } of rows) {
    const { finding } = await judgeBlob(lab, about, evidence, { authorities: [keyless()], wanted });
    assert.equal(finding.outcome, passes ? 'pass' : 'fail', String(about));
    if (!passes) assert.deepEqual(codesOf(finding), ['statement.subject-mismatch']);
  }
});

test('a message signature by its SHA-512 says that the file is needed', async () => {
  const key = testKey('ecdsa-p256');
  const evidence = [bundleEvidence(mintBundle(lab, { by: key, message: MESSAGE }))];
  const authorities = [keyed(key)];
  assert.equal((await judgeBlob(lab, SHA256, evidence, { authorities })).finding.outcome, 'pass');
  const { finding } = await judgeBlob(lab, SHA512, evidence, { authorities });
  assert.equal(finding.outcome, 'fail');
  assert.ok(codesOf(finding).includes('signature.invalid'));
});
