import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, sign } from 'node:crypto';
import test from 'node:test';
import { digestOf } from '@bulla/trust/bytes/hash';
import { ALGORITHMS, type AlgorithmName } from '@bulla/trust/crypto/algorithm';
import { publicKeyOf } from '@bulla/trust/crypto/public-key';
import { verifyDigestSignature } from '@bulla/trust/crypto/verify-digest';
import { algorithmFitsKey, verifySignature } from '@bulla/trust/crypto/verify-signature';
import fc from 'fast-check';

const MESSAGE = Buffer.from('what is signed');
const EC = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ED = generateKeyPairSync('ed25519');
const KEYS = {
  ecdsa: publicKeyOf(EC.publicKey, 'key'),
  rsa: publicKeyOf(RSA.publicKey, 'key'),
  ed25519: publicKeyOf(ED.publicKey, 'key'),
};
const NAMES = Object.keys(ALGORITHMS).filter((name): name is AlgorithmName => name in ALGORITHMS);

/** Signatures of each algorithm, made by Node. */
function signatureOf(name: AlgorithmName): Uint8Array {
  const { hash, scheme } = ALGORITHMS[name];
  if (scheme === 'ecdsa') return sign(hash, MESSAGE, EC.privateKey);
  if (scheme === 'ed25519' || scheme === 'ed25519ph') return sign(null, MESSAGE, ED.privateKey);
  const padding =
    scheme === 'rsa-pss' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  return sign(hash, MESSAGE, {
    key: RSA.privateKey,
    padding,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
}

for (const made of NAMES.filter((name) => name !== 'ed25519ph')) {
  test(`a signature of ${made} is valid under ${made} and under no other algorithm or key`, async () => {
    const signature = signatureOf(made);
    for (const asked of NAMES) {
      for (const key of Object.values(KEYS)) {
        const fits = algorithmFitsKey(ALGORITHMS[asked], key);
        const answer = await verifySignature(key, ALGORITHMS[asked], MESSAGE, signature);
        assert.equal(answer, asked === made && fits, `${asked} with ${key.kind}`);
      }
    }
    const other = Buffer.from('what is not');
    const key = KEYS[ALGORITHMS[made].family];
    assert.equal(await verifySignature(key, ALGORITHMS[made], other, signature), false);
  });
}

test('a PSS salt of another length than the digest is refused', async () => {
  for (const saltLength of [0, 20, constants.RSA_PSS_SALTLEN_MAX_SIGN]) {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const signature = sign('sha256', MESSAGE, { key: RSA.privateKey, padding, saltLength });
    const { rsa } = KEYS;
    assert.equal(
      await verifySignature(rsa, ALGORITHMS['rsa-pss-sha256'], MESSAGE, signature),
      false,
    );
  }
});

const algorithm = ALGORITHMS['ecdsa-sha256'];
const DER = signatureOf('ecdsa-sha256');
const P1363 = sign('sha256', MESSAGE, { key: EC.privateKey, dsaEncoding: 'ieee-p1363' });

function spelled(...parts: readonly (number | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : part)),
  );
}

const SPELLINGS = [
  { name: 'a byte after', bytes: spelled(DER, 0) },
  { name: 'a long-form length', bytes: spelled(0x30, 0x81, DER.subarray(1)) },
  { name: 'an indefinite length', bytes: spelled(0x30, 0x80, DER.subarray(2), 0, 0) },
  {
    name: 'a padded r',
    bytes: spelled(0x30, (DER[1] ?? 0) + 1, 2, (DER[3] ?? 0) + 1, 0, DER.subarray(4)),
  },
  { name: 'r‖s', bytes: P1363 },
  { name: 'nothing', bytes: Buffer.alloc(0) },
  { name: 'a tag alone', bytes: spelled(0x30) },
] as const;

for (const { name, bytes } of SPELLINGS) {
  test(`an ECDSA signature in DER with ${name} is refused`, async () => {
    assert.equal(await verifySignature(KEYS.ecdsa, algorithm, MESSAGE, DER), true);
    assert.equal(await verifySignature(KEYS.ecdsa, algorithm, MESSAGE, bytes), false);
  });
}

test('r‖s is read only where it is asked for, at its exact length', async () => {
  const { ecdsa } = KEYS;
  assert.equal(await verifySignature(ecdsa, algorithm, MESSAGE, P1363, 'p1363'), true);
  assert.equal(await verifySignature(ecdsa, algorithm, MESSAGE, DER, 'p1363'), false);
  for (const bytes of [
    P1363.subarray(1),
    spelled(P1363, 0),
    spelled(0, P1363.subarray(0, 32), 0, P1363.subarray(32)),
  ]) {
    assert.equal(await verifySignature(ecdsa, algorithm, MESSAGE, bytes, 'p1363'), false);
  }
});

test('an RSA key whose size is no multiple of 8 is checked by digest as by message', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2052 });
  const key = publicKeyOf(publicKey, 'key');
  const signature = sign('sha256', MESSAGE, privateKey);
  const pkcs1 = ALGORITHMS['rsa-pkcs1v15-sha256'];
  const digest = digestOf('sha256', MESSAGE);
  assert.equal(await verifySignature(key, pkcs1, MESSAGE, signature), true);
  assert.equal(await verifyDigestSignature(key, pkcs1, digest, signature), true);
  assert.equal(
    await verifyDigestSignature(
      key,
      pkcs1,
      digest.map((octet) => octet ^ 1),
      signature,
    ),
    false,
  );
});

test('no bytes make a check throw', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...NAMES),
      fc.uint8Array({ maxLength: 300 }),
      async (name, bytes) => {
        for (const key of Object.values(KEYS)) {
          for (const encoding of ['der', 'p1363'] as const) {
            assert.equal(
              await verifySignature(key, ALGORITHMS[name], MESSAGE, bytes, encoding),
              false,
            );
          }
        }
      },
    ),
    { numRuns: 50 },
  );
});
