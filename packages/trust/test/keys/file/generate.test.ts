import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import type { KeyKind } from '@bulla/trust/crypto/algorithm';
import { publicKeyOf, publicKeyPem } from '@bulla/trust/crypto/public-key';
import { verifySignature } from '@bulla/trust/crypto/verify-signature';
import { sealCosignKey } from '@bulla/trust/keys/file/cosign-key';
import { keyFileIo } from '@bulla/trust/keys/file/disk';
import { generatePrivateKey, plainPrivateKeyPem } from '@bulla/trust/keys/file/generate';
import { openPublicKey, openSigner } from '@bulla/trust/keys/file/open';
import { requirePeer } from '../../../../../test/peers.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'bulla-generate-'));
test.after(() => rmSync(folder, { recursive: true }));

const KINDS = [
  'ecdsa-p256',
  'ecdsa-p384',
  'ecdsa-p521',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
  'ed25519',
] as const satisfies readonly KeyKind[];

const keys = new Map<KeyKind, Promise<KeyObject>>();

function keyOf(kind: KeyKind): Promise<KeyObject> {
  const known = keys.get(kind) ?? generatePrivateKey(kind);
  keys.set(kind, known);
  return known;
}

test('without a wish the key is of P-256', async () => {
  const key = await generatePrivateKey();
  assert.equal(publicKeyOf(createPublicKey(key), 'key').kind, 'ecdsa-p256');
});

for (const kind of KINDS) {
  test(`a new ${kind} key is written plain and encrypted, and both open`, async () => {
    const key = await keyOf(kind);
    const expected = publicKeyOf(createPublicKey(key), kind);
    assert.equal(expected.kind, kind);
    for (const text of [plainPrivateKeyPem(key), await sealCosignKey(key, 'p')]) {
      const io = { readFile: () => assert.fail('no file'), env: { KEY: text } };
      const options = { passphrase: async () => 'p' };
      const signer = await openSigner({ kind: 'env', variable: 'KEY' }, io, options);
      assert.equal(signer.publicKey.id, expected.id);
    }
  });
}

for (const kind of KINDS) {
  test(`cosign reads a ${kind} key of Bulla and gives its public half`, async (t) => {
    const cosign = requirePeer(t, 'cosign');
    if (cosign === null) return;
    const key = await keyOf(kind);
    const path = join(folder, `${kind}.key`);
    writeFileSync(path, await sealCosignKey(key, 'geheim'), { mode: 0o600 });
    const { stdout } = await run(cosign, ['public-key', '--key', path], {
      env: { ...process.env, COSIGN_PASSWORD: 'geheim' },
      timeout: 60_000,
    });
    assert.equal(stdout.trim(), publicKeyPem(publicKeyOf(createPublicKey(key), kind)).trim());
  });
}

test('cosign signs a blob with a key of Bulla, and Bulla verifies it', async (t) => {
  const cosign = requirePeer(t, 'cosign');
  if (cosign === null) return;
  const key = await keyOf('ecdsa-p384');
  const path = join(folder, 'signing.key');
  const blob = join(folder, 'blob');
  const signature = join(folder, 'blob.sig');
  const config = join(folder, 'signing-config.json');
  writeFileSync(path, await sealCosignKey(key, 'geheim'), { mode: 0o600 });
  writeFileSync(blob, 'what is signed');
  // A signing configuration without services: no log and no timestamp is asked for.
  writeFileSync(config, '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}');
  const flags = ['--key', path, '--signing-config', config, '--bundle', signature, '-y'];
  await run(cosign, ['sign-blob', ...flags, blob], {
    env: { ...process.env, COSIGN_PASSWORD: 'geheim' },
    timeout: 60_000,
  });
  const bundle = JSON.parse(readFileSync(signature, 'utf8'));
  const bytes = Buffer.from(bundle.messageSignature.signature, 'base64');
  const signer = await openSigner({ kind: 'file', path }, keyFileIo({}), {
    passphrase: async () => 'geheim',
  });
  const { publicKey, algorithm } = signer;
  const message = readFileSync(blob);
  assert.equal(await verifySignature(publicKey, algorithm, message, bytes), true);
});

test('Bulla opens a key that cosign has made', async (t) => {
  const cosign = requirePeer(t, 'cosign');
  if (cosign === null) return;
  const prefix = join(folder, 'made');
  await run(cosign, ['generate-key-pair', '--output-key-prefix', prefix], {
    env: { ...process.env, COSIGN_PASSWORD: 'geheim' },
    timeout: 60_000,
  });
  const io = keyFileIo({});
  const published = await openPublicKey({ kind: 'file', path: `${prefix}.pub` }, io);
  const signer = await openSigner({ kind: 'file', path: `${prefix}.key` }, io, {
    passphrase: async () => 'geheim',
  });
  assert.equal(signer.publicKey.id, published.id);
  assert.deepEqual(signer.warnings, []);
});
