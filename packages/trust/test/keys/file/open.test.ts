import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { decodePem } from '@bulla/trust/bytes/pem';
import { parsePublicKeyPem } from '@bulla/trust/crypto/public-key';
import { verifySignature } from '@bulla/trust/crypto/verify-signature';
import { TrustFault } from '@bulla/trust/fault/fault';
import { keyFileIo } from '@bulla/trust/keys/file/disk';
import { openPrivateKey, openPublicKey, openSigner } from '@bulla/trust/keys/file/open';
import { parseKeyReference } from '@bulla/trust/keys/file/reference';
import { requirePeer } from '../../../../../test/peers.ts';

const KEYS = join(import.meta.dirname, '../../../../../vectors/cosign/keys');
const MESSAGE = Buffer.from('what is signed');
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'bulla-keys-'));
test.after(() => rmSync(folder, { recursive: true }));

function io(env: Record<string, string> = {}) {
  return keyFileIo(env);
}

async function lab(): Promise<string> {
  return 'lab';
}

const COSIGN = [
  { name: 'ed25519', expect: 'ed25519' },
  { name: 'p256', expect: 'ecdsa-sha256' },
  { name: 'p384', expect: 'ecdsa-sha384' },
  { name: 'p521', expect: 'ecdsa-sha512' },
  { name: 'rsa2048', expect: 'rsa-pkcs1v15-sha256' },
  { name: 'rsa4096', expect: 'rsa-pkcs1v15-sha256' },
  { name: 'second', expect: 'ecdsa-sha256' },
  { name: 'wrong', expect: 'ecdsa-sha256' },
] as const;

for (const { name, expect } of COSIGN) {
  test(`cosign's ${name}.key opens, signs, and its public half is ${name}.pub`, async () => {
    const published = await openPublicKey(parseKeyReference(join(KEYS, `${name}.pub`)), io());
    for (const file of name === 'p256' ? [`${name}.key`] : [`${name}.key`, `${name}.plain.pem`]) {
      await using signer = await openSigner(parseKeyReference(join(KEYS, file)), io(), {
        passphrase: lab,
      });
      assert.equal(signer.publicKey.id, published.id);
      assert.equal(signer.algorithm.name, expect);
      const signature = await signer.sign(MESSAGE);
      assert.equal(await verifySignature(published, signer.algorithm, MESSAGE, signature), true);
    }
  });
}

test('the older label of cosign opens as the newer one does', async () => {
  const text = readFileSync(join(KEYS, 'p256.key'), 'utf8').replaceAll('SIGSTORE', 'COSIGN');
  const opened = await openPrivateKey(parseKeyReference('env://KEY'), io({ KEY: text }), {
    passphrase: lab,
  });
  const published = parsePublicKeyPem(readFileSync(join(KEYS, 'p256.pub'), 'utf8'), 'p256.pub');
  assert.equal(opened.publicKey.id, published.id);
  assert.equal(opened.name, 'env://KEY');
});

test('an Ed25519 key signs with the scheme that was asked for', async () => {
  const reference = parseKeyReference(join(KEYS, 'ed25519.plain.pem'));
  for (const ed25519 of ['ed25519', 'ed25519ph'] as const) {
    const signer = await openSigner(reference, io(), { ed25519 });
    assert.equal(signer.algorithm.name, ed25519);
    const signature = await signer.sign(MESSAGE);
    const { publicKey, algorithm } = signer;
    assert.equal(await verifySignature(publicKey, algorithm, MESSAGE, signature), true);
  }
});

test('a signer that was disposed of signs no more, and an aborted call does not sign', async () => {
  const signer = await openSigner(parseKeyReference(join(KEYS, 'p384.plain.pem')), io());
  await assert.rejects(signer.sign(MESSAGE, { signal: AbortSignal.abort() }), {
    name: 'AbortError',
  });
  await signer[Symbol.asyncDispose]();
  await assert.rejects(signer.sign(MESSAGE), { code: 'internal.defect' });
});

test('a passphrase is asked for once, and only for a key that is encrypted', async () => {
  const prompts: string[] = [];
  const passphrase = async (prompt: string) => {
    prompts.push(prompt);
    return 'lab';
  };
  await openSigner(parseKeyReference(join(KEYS, 'p384.plain.pem')), io(), { passphrase });
  assert.deepEqual(prompts, []);
  await openSigner(parseKeyReference(join(KEYS, 'p256.key')), io(), { passphrase });
  assert.deepEqual(prompts, [`Passphrase for ${join(KEYS, 'p256.key')}: `]);
});

test('a missing and a wrong passphrase are told apart, and a wrong one says nothing more', async () => {
  const reference = parseKeyReference(join(KEYS, 'p256.key'));
  await assert.rejects(openSigner(reference, io()), { code: 'key.passphrase-missing' });
  for (const wrong of ['', 'Lab', 'lab ']) {
    await assert.rejects(
      openSigner(reference, io(), { passphrase: async () => wrong }),
      (error) => {
        assert.ok(error instanceof TrustFault);
        assert.equal(error.code, 'key.passphrase-wrong');
        assert.equal(error.cause, undefined);
        return true;
      },
    );
  }
});

test('a file that others may read gives a warning and opens', async () => {
  const path = join(folder, 'exposed.pem');
  writeFileSync(path, readFileSync(join(KEYS, 'p384.plain.pem')));
  for (const { mode, expect } of [
    { mode: 0o600, expect: 0 },
    { mode: 0o400, expect: 0 },
    { mode: 0o640, expect: 1 },
    { mode: 0o604, expect: 1 },
  ]) {
    chmodSync(path, mode);
    const { warnings } = await openSigner(parseKeyReference(path), io());
    assert.equal(warnings.length, expect, mode.toString(8));
  }
});

test('a key is read from a pipe, whose permissions say nothing', async () => {
  const pipe = join(folder, 'pipe');
  await run('mkfifo', ['-m', '644', pipe]);
  const text = readFileSync(join(KEYS, 'p384.plain.pem'));
  const [opened] = await Promise.all([
    openPrivateKey(parseKeyReference(pipe), io()),
    writeFile(pipe, text),
  ]);
  assert.equal(opened.publicKey.kind, 'ecdsa-p384');
  assert.deepEqual(opened.warnings, []);
});

const UNREADABLE = [
  { name: 'no such file', reference: join(folder, 'absent'), expect: 'usage.file' },
  { name: 'a folder', reference: folder, expect: 'usage.file' },
  { name: 'an endless file', reference: '/dev/zero', expect: 'usage.file' },
  { name: 'an empty file', reference: '/dev/null', expect: 'crypto.key-malformed' },
  { name: 'an unset variable', reference: 'env://ABSENT', expect: 'key.variable-unset' },
  { name: 'an empty variable', reference: 'env://EMPTY', expect: 'key.variable-unset' },
  { name: 'a cut block', reference: 'env://CUT', expect: 'bytes.pem' },
] as const;

for (const { name, reference, expect } of UNREADABLE) {
  test(`${name} is no key`, async () => {
    const env = { EMPTY: '', CUT: readFileSync(join(KEYS, 'p256.key'), 'utf8').slice(0, 200) };
    const parsed = parseKeyReference(reference);
    await assert.rejects(openSigner(parsed, io(env)), { code: expect });
    await assert.rejects(openPublicKey(parsed, io(env)), { code: expect });
  });
}

test('a public key does not sign and a private key is no public one', async () => {
  const publicKey = parseKeyReference(join(KEYS, 'p256.pub'));
  const privateKey = parseKeyReference(join(KEYS, 'p256.key'));
  await assert.rejects(openSigner(publicKey, io()), { code: 'crypto.key-malformed' });
  await assert.rejects(openPublicKey(privateKey, io()), { code: 'crypto.key-malformed' });
});

test('a public key is read from PEM, DER and a certificate', async (t) => {
  const openssl = requirePeer(t, 'openssl');
  if (openssl === null) return;
  const pem = readFileSync(join(KEYS, 'p384.pub'), 'utf8');
  const expected = parsePublicKeyPem(pem, 'p384.pub').id;
  const der = join(folder, 'p384.der');
  writeFileSync(der, decodePem(pem)[0]?.bytes ?? Buffer.alloc(0));
  const certificate = join(folder, 'p384.crt');
  const key = join(KEYS, 'p384.plain.pem');
  await run(openssl, ['req', '-x509', '-key', key, '-subj', '/CN=a', '-out', certificate]);
  for (const path of [der, certificate]) {
    assert.equal((await openPublicKey(parseKeyReference(path), io())).id, expected);
  }
});
