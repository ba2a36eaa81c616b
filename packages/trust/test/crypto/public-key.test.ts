import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { derSequence, readDer } from '@bulla/trust/bytes/der';
import { writeNull, writeOid, writeSequence } from '@bulla/trust/bytes/der-writer';
import { encodePem } from '@bulla/trust/bytes/pem';
import {
  parsePkcs1PublicKey,
  parsePublicKeyPem,
  parseSpki,
  publicKeyPem,
} from '@bulla/trust/crypto/public-key';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { requirePeer } from '../../../../test/peers.ts';

const CURVES = [
  { curve: 'prime256v1', expect: 'ecdsa-p256' },
  { curve: 'secp384r1', expect: 'ecdsa-p384' },
  { curve: 'secp521r1', expect: 'ecdsa-p521' },
] as const;

for (const { curve, expect } of CURVES) {
  test(`a ${curve} key has one id, in whatever encoding it comes (semantics 8)`, (t) => {
    const openssl = requirePeer(t, 'openssl');
    if (openssl === null) return;
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
    const input = publicKey.export({ format: 'pem', type: 'spki' });
    const expected = parsePublicKeyPem(input.toString(), 'key');
    assert.equal(expected.kind, expect);
    for (const form of [
      ['-conv_form', 'uncompressed'],
      ['-conv_form', 'compressed'],
      ['-conv_form', 'hybrid'],
      ['-param_enc', 'explicit'],
      ['-param_enc', 'explicit', '-conv_form', 'compressed'],
    ]) {
      const args = ['ec', '-pubin', '-pubout', '-outform', 'DER', ...form];
      const der = execFileSync(openssl, args, { input, stdio: ['pipe', 'pipe', 'ignore'] });
      const key = parseSpki(der, 'key');
      assert.equal(key.id, expected.id, form.join(' '));
      assert.deepEqual(Buffer.from(key.spki), Buffer.from(expected.spki));
      assert.ok(key.object.equals(expected.object));
    }
  });
}

test('an RSA key has one id: as SPKI, as PKCS#1, in a certificate, and when bound to PSS', (t) => {
  const openssl = requirePeer(t, 'openssl');
  if (openssl === null) return;
  const path = join(import.meta.dirname, '../../../../vectors/cosign/keys/rsa2048.plain.pem');
  const publicKey = createPublicKey(readFileSync(path, 'utf8'));
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const expected = parseSpki(spki, 'key');
  const [, bits] = derSequence(readDer(spki, 'key'), 'key');
  assert.ok(bits !== undefined);
  const pss = writeSequence(writeSequence(writeOid('1.2.840.113549.1.1.10')), bits.raw);
  const bound = parseSpki(pss, 'key');
  assert.equal(bound.object.asymmetricKeyType, 'rsa-pss');
  const withoutNull = writeSequence(writeSequence(writeOid('1.2.840.113549.1.1.1')), bits.raw);
  const args = ['req', '-x509', '-key', path, '-subj', '/CN=a'];
  const certificate = execFileSync(openssl, args);
  const keys = [
    bound,
    parseSpki(withoutNull, 'key'),
    parsePkcs1PublicKey(publicKey.export({ format: 'der', type: 'pkcs1' }), 'key'),
    parsePublicKeyPem(publicKey.export({ format: 'pem', type: 'pkcs1' }).toString(), 'key'),
    parsePublicKeyPem(certificate.toString(), 'key'),
    parsePublicKeyPem(publicKeyPem(expected), 'key'),
  ];
  for (const key of keys) assert.equal(key.id, expected.id);
});

const UNSUPPORTED = [
  { name: 'secp256k1', make: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }) },
  { name: 'P-224', make: () => generateKeyPairSync('ec', { namedCurve: 'secp224r1' }) },
  { name: 'RSA of 1024 bits', make: () => generateKeyPairSync('rsa', { modulusLength: 1024 }) },
  { name: 'RSA of 2040 bits', make: () => generateKeyPairSync('rsa', { modulusLength: 2040 }) },
  {
    name: 'RSA with exponent 3',
    make: () => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
  },
  { name: 'Ed448', make: () => generateKeyPairSync('ed448') },
  { name: 'X25519', make: () => generateKeyPairSync('x25519') },
] as const;

for (const { name, make } of UNSUPPORTED) {
  test(`${name} is not supported`, () => {
    const der = make().publicKey.export({ format: 'der', type: 'spki' });
    assert.throws(() => parseSpki(der, 'key'), { code: 'crypto.key-unsupported' });
  });
}

const P256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const SPKI = P256.publicKey.export({ format: 'der', type: 'spki' });

const MALFORMED = [
  { name: 'nothing', der: Buffer.alloc(0) },
  { name: 'a cut key', der: SPKI.subarray(0, -1) },
  { name: 'an empty sequence', der: writeSequence() },
  { name: 'a private key', der: P256.privateKey.export({ format: 'der', type: 'pkcs8' }) },
  { name: 'a point that is not on the curve', der: offCurve() },
  { name: 'an algorithm without a key', der: writeSequence(writeSequence(writeNull())) },
] as const;

function offCurve(): Uint8Array {
  const der = Buffer.from(SPKI);
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  return der;
}

for (const { name, der } of MALFORMED) {
  test(`${name} is no public key`, () => {
    assert.throws(() => parseSpki(der, 'key'), { code: 'crypto.key-malformed' });
  });
}

test('a private key in PEM is refused as a public one', () => {
  const pem = P256.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  assert.throws(() => parsePublicKeyPem(pem, 'key'), { code: 'crypto.key-malformed' });
  assert.throws(() => parsePublicKeyPem('', 'key'), { code: 'crypto.key-malformed' });
  const certificate = encodePem('CERTIFICATE', writeSequence());
  assert.throws(() => parsePublicKeyPem(certificate, 'key'), { code: 'crypto.key-malformed' });
});

test('no bytes throw anything but a fault, and what is read reads back to the same id', () => {
  const near = fc.tuple(fc.nat(SPKI.length - 1), fc.nat(255)).map(([at, octet]) => {
    const bytes = Buffer.from(SPKI);
    bytes[at] = octet;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(near, fc.uint8Array()), (der) => {
      try {
        const key = parseSpki(der, 'key');
        assert.equal(parseSpki(key.spki, 'key').id, key.id);
        assert.ok(createPublicKey(publicKeyPem(key)).equals(key.object));
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
