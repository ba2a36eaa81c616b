import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import {
  writeInteger,
  writeNull,
  writeOctetString,
  writeOid,
  writeSequence,
} from '@bulla/trust/bytes/der-writer';
import { encodePem } from '@bulla/trust/bytes/pem';
import { publicKeyOf } from '@bulla/trust/crypto/public-key';
import { TrustFault } from '@bulla/trust/fault/fault';
import { openPrivateKey } from '@bulla/trust/keys/file/open';
import { readPrivateKey } from '@bulla/trust/keys/file/private-key';
import fc from 'fast-check';
import { requirePeer } from '../../../../../test/peers.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'bulla-pem-'));
test.after(() => rmSync(folder, { recursive: true }));

const EC = ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'];
const EC_WITH_PARAMETERS = ['ecparam', '-name', 'prime256v1', '-genkey'];
const RSA = ['genrsa', '-traditional', '2048'];
const PASS = ['-passout', 'pass:lab'];
const TO_PKCS8 = ['pkcs8', '-topk8'];

/** OpenSSL commands: the first makes a plain key, the second writes it in the form under test. */
const MADE = [
  { name: 'SEC1', make: EC, write: ['ec'], expect: 'EC PRIVATE KEY' },
  {
    name: 'SEC1 after its parameters',
    make: EC_WITH_PARAMETERS,
    write: null,
    expect: 'EC PARAMETERS',
  },
  { name: 'PKCS#1', make: RSA, write: null, expect: 'RSA PRIVATE KEY' },
  {
    name: 'PKCS#8 of an EC key',
    make: EC,
    write: [...TO_PKCS8, '-nocrypt'],
    expect: 'PRIVATE KEY',
  },
  {
    name: 'PKCS#8 of an RSA key',
    make: RSA,
    write: [...TO_PKCS8, '-nocrypt'],
    expect: 'PRIVATE KEY',
  },
  {
    name: 'Ed25519',
    make: ['genpkey', '-algorithm', 'ed25519'],
    write: null,
    expect: 'PRIVATE KEY',
  },
  {
    name: 'PBES2, default',
    make: EC,
    write: [...TO_PKCS8, ...PASS],
    expect: 'ENCRYPTED PRIVATE KEY',
  },
  {
    name: 'PBES2, AES-128 and SHA-512',
    make: RSA,
    write: [...TO_PKCS8, ...PASS, '-v2', 'aes128', '-v2prf', 'hmacWithSHA512'],
    expect: 'ENCRYPTED PRIVATE KEY',
  },
  {
    name: 'PBES2, triple DES and SHA-1',
    make: EC,
    write: [...TO_PKCS8, ...PASS, '-v2', 'des3', '-v2prf', 'hmacWithSHA1'],
    expect: 'ENCRYPTED PRIVATE KEY',
  },
  {
    name: 'PBES2, 300,000 rounds',
    make: EC,
    write: [...TO_PKCS8, ...PASS, '-iter', '300000'],
    expect: 'ENCRYPTED PRIVATE KEY',
  },
  {
    name: 'PBES2, scrypt',
    make: EC,
    write: [...TO_PKCS8, ...PASS, '-scrypt'],
    expect: 'ENCRYPTED PRIVATE KEY',
  },
  {
    name: 'SEC1 under AES-256',
    make: EC,
    write: ['ec', '-aes256', ...PASS],
    expect: 'EC PRIVATE KEY',
    warns: 1,
  },
  {
    name: 'PKCS#1 under AES-128',
    make: RSA,
    write: ['rsa', '-traditional', '-aes128', ...PASS],
    expect: 'RSA PRIVATE KEY',
    warns: 1,
  },
  {
    name: 'PKCS#1 under triple DES',
    make: RSA,
    write: ['rsa', '-traditional', '-des3', ...PASS],
    expect: 'RSA PRIVATE KEY',
    warns: 1,
  },
] as const;

for (const { name, make, write, expect, ...rest } of MADE) {
  test(`OpenSSL's ${name} opens`, async (t) => {
    const openssl = requirePeer(t, 'openssl');
    if (openssl === null) return;
    const plain = join(folder, `${name}.pem`);
    const written = join(folder, `${name}.out.pem`);
    const made = await run(openssl, [...make, ...(make[0] === 'genrsa' ? [] : ['-out', plain])]);
    if (make[0] === 'genrsa')
      await import('node:fs').then((fs) => fs.writeFileSync(plain, made.stdout));
    if (write !== null) await run(openssl, [...write, '-in', plain, '-out', written]);
    const text = readFileSync(write === null ? plain : written, 'utf8');
    assert.ok(text.startsWith(`-----BEGIN ${expect}-----`), text.slice(0, 40));
    const expected = publicKeyOf(createPublicKey(readFileSync(plain, 'utf8')), name);
    const key = await readPrivateKey(text, name, async () => 'lab');
    assert.equal(publicKeyOf(createPublicKey(key.object), name).id, expected.id);
    assert.equal(key.warnings.length, 'warns' in rest ? rest.warns : 0);
    if (!text.includes('ENCRYPTED')) return;
    await assert.rejects(readPrivateKey(text, name, undefined), { code: 'key.passphrase-missing' });
    for (const wrong of ['wrong', '', 'x'.repeat(2000)]) {
      await assert.rejects(
        readPrivateKey(text, name, async () => wrong),
        {
          code: 'key.passphrase-wrong',
        },
      );
    }
  });
}

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';
const AES = writeSequence(
  writeOid('2.16.840.1.101.3.4.1.42'),
  writeOctetString(new Uint8Array(16)),
);

/** An EncryptedPrivateKeyInfo whose key derivation has these parameters after its salt. */
function encrypted(
  kdf: string,
  parameters: readonly Uint8Array[],
  cipher = AES,
  scheme = PBES2,
): string {
  const derivation = writeSequence(
    writeOid(kdf),
    writeSequence(writeOctetString(new Uint8Array(16)), ...parameters),
  );
  const algorithm = writeSequence(writeOid(scheme), writeSequence(derivation, cipher));
  return pem(writeSequence(algorithm, writeOctetString(new Uint8Array(48))));
}

function pem(der: Uint8Array, label = 'ENCRYPTED PRIVATE KEY'): string {
  return encodePem(label, der);
}

function integers(...values: readonly bigint[]): readonly Uint8Array[] {
  return values.map(writeInteger);
}

const MD5 = writeSequence(writeOid('1.2.840.113549.2.6'), writeNull());
const RC2 = writeSequence(writeOid('1.2.840.113549.3.2'), writeNull());
const HEADERS = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,0011223344556677\n\nAAAA';
const LEGACY = `-----BEGIN RSA PRIVATE KEY-----\n${HEADERS}\n-----END RSA PRIVATE KEY-----\n`;

const REFUSED = [
  {
    name: 'PBKDF2 of 2^31 rounds',
    text: encrypted(PBKDF2, integers(1n << 31n)),
    expect: 'key.derivation-refused',
  },
  {
    name: 'PBKDF2 of 2^200 rounds',
    text: encrypted(PBKDF2, integers(1n << 200n)),
    expect: 'key.derivation-refused',
  },
  {
    name: 'PBKDF2 of no rounds',
    text: encrypted(PBKDF2, integers(0n)),
    expect: 'key.derivation-refused',
  },
  { name: 'PBKDF2 without rounds', text: encrypted(PBKDF2, []), expect: 'crypto.key-malformed' },
  {
    name: 'PBKDF2 with MD5',
    text: encrypted(PBKDF2, [...integers(2048n), MD5]),
    expect: 'key.encryption-unsupported',
  },
  {
    name: 'scrypt N 2^30',
    text: encrypted(SCRYPT, integers(1n << 30n, 8n, 1n)),
    expect: 'key.derivation-refused',
  },
  {
    name: 'scrypt r 2^30',
    text: encrypted(SCRYPT, integers(16384n, 1n << 30n, 1n)),
    expect: 'key.derivation-refused',
  },
  {
    name: 'scrypt p 2^30',
    text: encrypted(SCRYPT, integers(16384n, 8n, 1n << 30n)),
    expect: 'key.derivation-refused',
  },
  {
    name: 'scrypt p 1000',
    text: encrypted(SCRYPT, integers(16384n, 8n, 1000n)),
    expect: 'key.derivation-refused',
  },
  {
    name: 'scrypt N 3',
    text: encrypted(SCRYPT, integers(3n, 8n, 1n)),
    expect: 'key.derivation-refused',
  },
  {
    name: 'scrypt r 0',
    text: encrypted(SCRYPT, integers(16384n, 0n, 1n)),
    expect: 'key.derivation-refused',
  },
  {
    name: 'another derivation',
    text: encrypted('1.2.3', integers(1n)),
    expect: 'key.encryption-unsupported',
  },
  {
    name: 'another cipher',
    text: encrypted(PBKDF2, integers(2048n), RC2),
    expect: 'key.encryption-unsupported',
  },
  {
    name: 'PBES1',
    text: encrypted(PBKDF2, integers(1n), AES, '1.2.840.113549.1.5.3'),
    expect: 'key.encryption-unsupported',
  },
  {
    name: 'bytes that are no DER',
    text: pem(Buffer.from('hello')),
    expect: 'crypto.key-malformed',
  },
  { name: 'a DES header', text: LEGACY, expect: 'key.encryption-unsupported' },
  {
    name: 'an unknown Proc-Type',
    text: LEGACY.replace('ENCRYPTED', 'MIC-ONLY'),
    expect: 'key.encryption-unsupported',
  },
  { name: 'a header twice', text: LEGACY.replace('DEK-Info', 'Proc-Type'), expect: 'bytes.pem' },
  {
    name: 'a damaged plain key',
    text: pem(writeSequence(), 'PRIVATE KEY'),
    expect: 'crypto.key-malformed',
  },
  {
    name: 'a public key',
    text: pem(writeSequence(), 'PUBLIC KEY'),
    expect: 'crypto.key-malformed',
  },
  {
    name: 'an OpenSSH key',
    text: pem(Buffer.from('openssh'), 'OPENSSH PRIVATE KEY'),
    expect: 'crypto.key-malformed',
  },
  { name: 'no PEM', text: 'hello', expect: 'crypto.key-malformed' },
] as const;

for (const { name, text, expect } of REFUSED) {
  test(`${name} is refused at once, before a passphrase is asked for`, async () => {
    const start = performance.now();
    const asked = readPrivateKey(text, 'key', () => assert.fail('a passphrase was asked for'));
    await assert.rejects(asked, { code: expect });
    assert.ok(performance.now() - start < 200);
  });
}

const UNSUPPORTED = [
  { name: 'secp256k1', make: ['ecparam', '-name', 'secp256k1', '-genkey', '-noout'] },
  {
    name: 'RSA of 1024 bits',
    make: ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
  },
  {
    name: 'RSA with exponent 3',
    make: [
      'genpkey',
      '-algorithm',
      'RSA',
      '-pkeyopt',
      'rsa_keygen_bits:2048',
      '-pkeyopt',
      'rsa_keygen_pubexp:3',
    ],
  },
  {
    name: 'a key bound to RSA-PSS',
    make: ['genpkey', '-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
  },
  { name: 'Ed448', make: ['genpkey', '-algorithm', 'ed448'] },
  { name: 'X25519', make: ['genpkey', '-algorithm', 'x25519'] },
] as const;

for (const { name, make } of UNSUPPORTED) {
  test(`${name} does not sign`, async (t) => {
    const openssl = requirePeer(t, 'openssl');
    if (openssl === null) return;
    const { stdout } = await run(openssl, [...make]);
    const io = { readFile: () => assert.fail('no file'), env: { KEY: stdout } };
    await assert.rejects(openPrivateKey({ kind: 'env', variable: 'KEY' }, io), {
      code: 'crypto.key-unsupported',
    });
  });
}

test('only the first private key of a file counts', async () => {
  const keys = join(import.meta.dirname, '../../../../../vectors/cosign/keys');
  const [first, second] = ['p384', 'p521'].map((name) =>
    readFileSync(join(keys, `${name}.plain.pem`), 'utf8'),
  );
  const key = await readPrivateKey(`${first}${second}`, 'key', undefined);
  const expected = createPrivateKey(first ?? '');
  assert.ok(key.object.equals(expected));
});

test('no encrypted PKCS#8 throws anything but a fault before its passphrase', async () => {
  const original = Buffer.from(
    encrypted(PBKDF2, integers(2048n)).split('\n').slice(1, -2).join(''),
    'base64',
  );
  const asked = new Error('asked');
  await fc.assert(
    fc.asyncProperty(fc.nat(original.length - 1), fc.nat(255), async (at, octet) => {
      const bytes = Buffer.from(original);
      bytes[at] = octet;
      const read = readPrivateKey(pem(bytes), 'key', () => Promise.reject(asked));
      await assert.rejects(read, (error) => error === asked || error instanceof TrustFault);
    }),
  );
});
