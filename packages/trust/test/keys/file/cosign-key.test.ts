import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { decodePem } from '@bulla/trust/bytes/pem';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseCosignKey, sealCosignKey } from '@bulla/trust/keys/file/cosign-key';
import fc from 'fast-check';

const KEYS = join(import.meta.dirname, '../../../../../vectors/cosign/keys');
const TEXT = bodyOf(readFileSync(join(KEYS, 'p256.key'), 'utf8')).toString();

function bodyOf(pem: string): Buffer {
  return Buffer.from(decodePem(pem)[0]?.bytes ?? []);
}

/** Our own test key's JSON with one place altered. */
function altered(from: string | RegExp, to: string): string {
  const text = TEXT.replace(from, to);
  assert.notEqual(text, TEXT);
  return text;
}

const REFUSED = [
  { name: 'N 2^14', text: altered('65536', '16384'), expect: 'key.derivation-refused' },
  { name: 'N 2^18', text: altered('65536', '262144'), expect: 'key.derivation-refused' },
  { name: 'N 2^40', text: altered('65536', '1099511627776'), expect: 'key.derivation-refused' },
  { name: 'N 65537', text: altered('65536', '65537'), expect: 'key.derivation-refused' },
  { name: 'N 0', text: altered('65536', '0'), expect: 'key.derivation-refused' },
  { name: 'N negative', text: altered('65536', '-65536'), expect: 'crypto.key-malformed' },
  { name: 'N fractional', text: altered('65536', '65536.5'), expect: 'crypto.key-malformed' },
  { name: 'N text', text: altered('65536', '"65536"'), expect: 'crypto.key-malformed' },
  { name: 'N 1e400', text: altered('65536', '1e400'), expect: 'crypto.key-malformed' },
  { name: 'r 2^30', text: altered('"r":8', '"r":1073741824'), expect: 'key.derivation-refused' },
  { name: 'p 2^30', text: altered('"p":1', '"p":1073741824'), expect: 'key.derivation-refused' },
  { name: 'no p', text: altered(',"p":1', ''), expect: 'crypto.key-malformed' },
  { name: 'another kdf', text: altered('scrypt', 'argon2'), expect: 'crypto.key-malformed' },
  { name: 'another cipher', text: altered('nacl/', 'none/'), expect: 'crypto.key-malformed' },
  {
    name: 'a short salt',
    text: altered(/"salt":"[^"]*/, '"salt":"AAAA'),
    expect: 'crypto.key-malformed',
  },
  {
    name: 'a short nonce',
    text: altered(/"nonce":"[^"]*/, '"nonce":"AAAA'),
    expect: 'crypto.key-malformed',
  },
  {
    name: 'no ciphertext',
    text: altered(/"ciphertext":"[^"]*/, '"ciphertext":"'),
    expect: 'crypto.key-malformed',
  },
  {
    name: 'base64 that is none',
    text: altered(/"salt":"../, '"salt":"!!'),
    expect: 'crypto.key-malformed',
  },
  { name: 'a key twice', text: altered('"r":8', '"r":8,"r":8'), expect: 'crypto.key-malformed' },
  {
    name: 'a key twice, escaped',
    text: altered('"r":8', '"r":8,"\\u0072":9'),
    expect: 'crypto.key-malformed',
  },
  { name: 'truncated', text: TEXT.slice(0, -1), expect: 'crypto.key-malformed' },
  { name: 'bytes after', text: `${TEXT}{}`, expect: 'crypto.key-malformed' },
  { name: 'deep nesting', text: '['.repeat(30_000), expect: 'crypto.key-malformed' },
  { name: 'an array', text: '[]', expect: 'crypto.key-malformed' },
  { name: 'null', text: 'null', expect: 'crypto.key-malformed' },
  { name: 'nothing', text: '', expect: 'crypto.key-malformed' },
  { name: '70 KiB', text: `${TEXT}${' '.repeat(70 << 10)}`, expect: 'crypto.key-malformed' },
] as const;

for (const { name, text, expect } of REFUSED) {
  test(`an encrypted key with ${name} is refused at once`, () => {
    const start = performance.now();
    assert.throws(() => parseCosignKey(Buffer.from(text), 'key'), { code: expect });
    assert.ok(performance.now() - start < 200);
  });
}

test('no bytes throw anything but a fault', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json().map(Buffer.from), fc.uint8Array(), mutations()), (bytes) => {
      try {
        parseCosignKey(Uint8Array.from(bytes), 'key');
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
      }
    }),
  );
});

function mutations(): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.nat(TEXT.length - 1), fc.nat(255)).map(([at, octet]) => {
    const bytes = Buffer.from(TEXT);
    bytes[at] = octet;
    return bytes;
  });
}

test('an altered ciphertext, nonce or salt is told as a wrong passphrase', async () => {
  for (const member of ['ciphertext', 'nonce', 'salt']) {
    const text = altered(new RegExp(`"${member}":"(.)`), `"${member}":"${'Q'}`);
    const key = parseCosignKey(Buffer.from(text), 'key');
    await assert.rejects(key.open('lab'), { code: 'key.passphrase-wrong' });
  }
});

test('what is sealed has the layout that cosign writes, and opens again', async () => {
  const object = createPrivateKey(readFileSync(join(KEYS, 'p384.plain.pem'), 'utf8'));
  const pems = await Promise.all([sealCosignKey(object, 'pässword'), sealCosignKey(object, '')]);
  const shape =
    /^\{"kdf":\{"name":"scrypt","params":\{"N":65536,"r":8,"p":1\},"salt":"[A-Za-z0-9+/]{43}="\},"cipher":\{"name":"nacl\/secretbox","nonce":"[A-Za-z0-9+/]{32}"\},"ciphertext":"[A-Za-z0-9+/]+={0,2}"\}$/;
  assert.match(TEXT, shape);
  for (const [index, pem] of pems.entries()) {
    assert.match(pem, /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/);
    const body = bodyOf(pem);
    assert.match(body.toString(), shape);
    const opened = await parseCosignKey(body, 'key').open(index === 0 ? 'pässword' : '');
    assert.deepEqual(Buffer.from(opened), object.export({ format: 'der', type: 'pkcs8' }));
  }
  assert.notEqual(bodyOf(pems[0]).subarray(60).toString(), bodyOf(pems[1]).subarray(60).toString());
});
