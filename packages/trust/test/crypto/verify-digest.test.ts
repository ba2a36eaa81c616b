import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { digestOf } from '../../src/bytes/hash.ts';
import { ALGORITHMS } from '../../src/crypto/algorithm.ts';
import { publicKeyOf } from '../../src/crypto/public-key.ts';
import { verifyDigestSignature } from '../../src/crypto/verify-digest.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = publicKeyOf(pair.publicKey, 'a new key');
const message = Buffer.from('a message');
const algorithm = ALGORITHMS['ecdsa-sha256'];
const signature = sign('sha256', message, pair.privateKey);

test('a signature holds over the digest of its message', async () => {
  const digest = digestOf('sha256', message);
  assert.equal(await verifyDigestSignature(key, algorithm, digest, signature), true);
  const other = digestOf('sha256', Buffer.from('another'));
  assert.equal(await verifyDigestSignature(key, algorithm, other, signature), false);
});

/** Over an empty digest (e = 0) r = x(Q), s = r is valid for the key Q: nobody needs its secret. */
function forgedForNothing(): Uint8Array {
  const r = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const body = (r[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), r]) : r;
  const integer = Buffer.concat([Buffer.of(2, body.length), body]);
  return Buffer.concat([Buffer.of(0x30, 2 * integer.length), integer, integer]);
}

for (const length of [0, 1, 20, 31, 33, 64]) {
  test(`a digest of ${length} bytes is not a SHA-256 digest and is not checked`, async () => {
    const answer = verifyDigestSignature(
      key,
      algorithm,
      new Uint8Array(length),
      forgedForNothing(),
    );
    assert.equal(await answer, null);
  });
}
