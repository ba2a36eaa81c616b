import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ALGORITHMS } from '@bulla/trust/crypto/algorithm';
import { signEd25519ph, verifyEd25519ph } from '@bulla/trust/crypto/ed25519ph';
import { parsePublicKeyPem, publicKeyOf } from '@bulla/trust/crypto/public-key';
import { verifySignature } from '@bulla/trust/crypto/verify-signature';

const VECTORS = join(import.meta.dirname, '../../../../vectors/cosign');

/** RFC 8032 §7.3, test "abc". */
const SEED = Buffer.from('833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42', 'hex');
const PUBLIC = Buffer.from(
  'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
  'hex',
);
const SIGNATURE =
  '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406';

test('RFC 8032 §7.3 is signed and verified', async () => {
  const message = Buffer.from('abc');
  const signature = await signEd25519ph(SEED, message);
  assert.equal(Buffer.from(signature).toString('hex'), SIGNATURE);
  assert.equal(await verifyEd25519ph(PUBLIC, message, signature), true);
  assert.equal(await verifyEd25519ph(PUBLIC, Buffer.from('abd'), signature), false);
});

test('a pure signature is no pre-hashed one, and the other way round', async () => {
  const object = createPrivateKey(readFileSync(join(VECTORS, 'keys/ed25519.plain.pem'), 'utf8'));
  const key = publicKeyOf(createPublicKey(object), 'key');
  const message = Buffer.from('abc');
  const seed = object.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const pure = sign(null, message, object);
  const prehashed = await signEd25519ph(seed, message);
  assert.equal(await verifySignature(key, ALGORITHMS.ed25519, message, pure), true);
  assert.equal(await verifySignature(key, ALGORITHMS.ed25519ph, message, pure), false);
  assert.equal(await verifySignature(key, ALGORITHMS.ed25519, message, prehashed), false);
  assert.equal(await verifySignature(key, ALGORITHMS.ed25519ph, message, prehashed), true);
});

test('what cosign signed with an Ed25519 key is Ed25519ph', async () => {
  const folder = join(VECTORS, 'ed25519ph');
  const key = parsePublicKeyPem(readFileSync(join(VECTORS, 'keys/ed25519.pub'), 'utf8'), 'key');
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const text = manifest.layers[0].annotations['dev.cosignproject.cosign/signature'];
  const signature = Buffer.from(text, 'base64');
  const payload = readFileSync(join(folder, 'payload.json'));
  assert.equal(await verifySignature(key, ALGORITHMS.ed25519ph, payload, signature), true);
  assert.equal(await verifySignature(key, ALGORITHMS.ed25519, payload, signature), false);
  for (let at = 0; at < signature.length; at++) {
    const altered = Buffer.from(signature);
    altered[at] = (altered[at] ?? 0) ^ 1;
    assert.equal(await verifySignature(key, ALGORITHMS.ed25519ph, payload, altered), false);
  }
});

/** The order of the group (RFC 8032 §5.1), little-endian in signatures. */
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;

function plusOrder(signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + ORDER;
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
  return Buffer.concat([signature.subarray(0, 32), bytes]);
}

const BAD = [
  { name: 'nothing', signature: Buffer.alloc(0) },
  { name: '63 bytes', signature: Buffer.from(SIGNATURE, 'hex').subarray(1) },
  { name: '65 bytes', signature: Buffer.concat([Buffer.from(SIGNATURE, 'hex'), Buffer.alloc(1)]) },
  { name: 'zeros', signature: Buffer.alloc(64) },
  { name: 's above the order (malleable)', signature: plusOrder(Buffer.from(SIGNATURE, 'hex')) },
] as const;

for (const { name, signature } of BAD) {
  test(`a signature of ${name} is not valid`, async () => {
    assert.equal(await verifyEd25519ph(PUBLIC, Buffer.from('abc'), signature), false);
  });
}

test('a small-order key verifies nothing, and a short key nothing', async () => {
  // RFC 8032 §5.1.7: with the neutral point as key and R = S·B anything would verify.
  const neutral = Buffer.alloc(32);
  neutral[0] = 1;
  const forged = Buffer.concat([neutral, Buffer.alloc(32)]);
  assert.equal(await verifyEd25519ph(neutral, Buffer.from('abc'), forged), false);
  assert.equal(await verifyEd25519ph(PUBLIC.subarray(1), Buffer.from('abc'), forged), false);
});
