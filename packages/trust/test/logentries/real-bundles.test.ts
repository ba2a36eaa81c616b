import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type PublicKey, parsePublicKeyPem } from '@bulla/trust/crypto/public-key';
import { preAuthenticationEncoding } from '@bulla/trust/envelopes/dsse';
import { parseBundle, type SigstoreBundle } from '@bulla/trust/formats/sigstore-bundle/parse';
import { type EntryMaterial, verifyLogEntry } from '@bulla/trust/logentries/verify-entry';
import { parseTrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import { parseCertificate } from '@bulla/trust/x509/certificate';
import { vectorsFolder } from '../../../../test/peers.ts';
import { failedCodes } from './synthetic-entry.ts';

const VECTORS = join(import.meta.dirname, '../../../../vectors/cosign');
const AT = new Date('2026-11-21T12:00:00Z');

/** What a bundle is about, from its own material; `digest` in hex for a message signature. */
function materialOf(bundle: SigstoreBundle, key: PublicKey, digest?: string): EntryMaterial {
  const { certificate, content } = bundle;
  if (content.kind === 'message') {
    const value = digest === undefined ? content.digest?.value : Buffer.from(digest, 'hex');
    assert.ok(value);
    const hash = content.digest?.hash ?? 'sha256';
    return {
      kind: 'message',
      digest: { hash, value },
      signature: content.signature,
      key,
      certificate,
    };
  }
  const { payload, payloadType, signatures } = content.envelope;
  const encoding = preAuthenticationEncoding(payloadType, payload);
  const paeDigest = (hash: string) => createHash(hash).update(encoding).digest();
  return { kind: 'dsse', payload, payloadType, signatures, key, certificate, paeDigest };
}

async function answerOf(
  path: string,
  trustRoot: string,
  keyFile: string | null,
  changes: { readonly digest?: string; readonly entryOf?: string } = {},
) {
  const bundle = parseBundle(readFileSync(path), path);
  const key =
    keyFile === null
      ? parseCertificate(bundle.certificate ?? new Uint8Array(), path).publicKey
      : parsePublicKeyPem(readFileSync(keyFile, 'utf8'), keyFile);
  const source = changes.entryOf ?? path;
  const [entry] = parseBundle(readFileSync(source), source).entries;
  assert.ok(entry);
  const answer = await verifyLogEntry({
    entry,
    logs: parseTrustedRoot(readFileSync(trustRoot), trustRoot).tlogs,
    material: materialOf(bundle, key, changes.digest),
    trustedTimes: [],
    at: AT,
    requireProof: bundle.version !== '0.1',
  });
  return { codes: failedCodes(answer.finding), time: answer.time };
}

const blob = (name: string) => join(VECTORS, 'blobs', `${name}.sigstore.json`);
const root = (name: string) => join(VECTORS, 'trust', `${name}.json`);
const publicKey = (name: string) => join(VECTORS, 'keys', `${name}.pub`);

const BLOBS = [
  { name: 'key', key: 'p256' },
  { name: 'key-p384', key: 'p384' },
  { name: 'attest-key', key: 'p256' },
  { name: 'edit-key-no-timestamp', key: 'p256' },
  { name: 'keyless', key: null },
  { name: 'keyless-ci', key: null },
  { name: 'keyless-p384', key: null },
  { name: 'keyless-rsa', key: null },
  { name: 'attest-keyless', key: null },
  { name: 'empty-keyless', key: null },
  { name: 'edit-no-timestamp', key: null },
] as const;

for (const { name, key } of BLOBS) {
  test(`the entry in ${name}.sigstore.json holds`, async () => {
    const keyFile = key === null ? null : publicKey(key);
    for (const trustRoot of ['trusted_root', 'two-of-each']) {
      const { codes, time } = await answerOf(blob(name), root(trustRoot), keyFile);
      assert.deepEqual(codes, []);
      assert.equal(time, null, 'Rekor v2 signs no time');
    }
  });
}

const KEYLESS = blob('keyless');
const MISMATCH = 'tlog.entry-mismatch';

const REFUSED = [
  { name: 'another log’s key', trustRoot: 'other-log-key', expect: ['tlog.log-unknown'] },
  { name: 'no log', trustRoot: 'no-tlogs', expect: ['tlog.log-unknown'] },
  {
    name: 'another key under the same id',
    trustRoot: 'log-same-id-other-key',
    expect: ['tlog.checkpoint-signature'],
  },
  { name: 'an expired log key', trustRoot: 'log-expired-window', expect: ['tlog.log-expired'] },
] as const;

for (const { name, trustRoot, expect } of REFUSED) {
  test(`an entry under a trust root with ${name} is refused`, async () => {
    const { codes } = await answerOf(KEYLESS, root(trustRoot), null);
    assert.deepEqual(codes, [...expect]);
  });
}

const EDITED = [
  { name: 'edit-sig', changes: {} },
  { name: 'edit-cert-of-other', changes: {} },
  { name: 'keyless', changes: { digest: '00'.repeat(32) } },
  { name: 'keyless', changes: { entryOf: blob('keyless-ci') } },
  { name: 'attest-keyless', changes: { entryOf: KEYLESS } },
  { name: 'keyless', changes: { entryOf: blob('attest-keyless') } },
] as const;

for (const { name, changes } of EDITED) {
  test(`${name} with ${Object.keys(changes)[0] ?? 'its edit'} is not what was logged`, async () => {
    const { codes } = await answerOf(blob(name), root('trusted_root'), null, changes);
    assert.deepEqual(codes, [MISMATCH]);
  });
}

test('a key bundle does not hold under another key', async () => {
  const { codes } = await answerOf(blob('key'), root('trusted_root'), publicKey('wrong'));
  assert.deepEqual(codes, [MISMATCH]);
});

const V1 = [
  {
    name: 'bundle-provenance.json',
    what: 'intoto 0.0.2 with a promise',
    trustRoot: 'trusted-root-public-good.json',
    key: null,
    time: '2023-04-18T17:45:12.000Z',
  },
  {
    name: 'bundle-publish.json',
    what: 'intoto 0.0.2 by a key',
    trustRoot: 'trusted-root-public-good.json',
    key: 'publish_key.pub',
    time: '2023-04-18T17:45:16.000Z',
  },
  {
    name: 'dsse.sigstore.json',
    what: 'intoto 0.0.2 of 2022',
    trustRoot: 'trusted-root-public-good.json',
    key: null,
    time: '2022-11-09T23:00:36.000Z',
  },
  {
    name: 'dsse-2sigs.sigstore.json',
    what: 'an envelope with a second signature',
    trustRoot: 'trusted-root-public-good.json',
    key: null,
    time: '2022-11-09T23:00:36.000Z',
  },
  {
    name: 'othername.sigstore.json',
    what: 'hashedrekord 0.0.1 with proof and promise',
    trustRoot: 'trusted-root-scaffolding.json',
    key: null,
    time: '2024-07-12T19:06:29.000Z',
  },
  {
    name: 'sigstore.js@2.0.0-provenance.sigstore.json',
    what: 'intoto 0.0.2 with proof and promise',
    trustRoot: 'trusted-root-public-good.json',
    key: null,
    time: '2023-08-18T16:05:35.000Z',
  },
] as const;

for (const { name, what, trustRoot, key, time } of V1) {
  test(`the Rekor v1 entry in ${name} holds: ${what}`, async (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    const keyFile = key === null ? null : join(folder, key);
    const answer = await answerOf(join(folder, name), join(folder, trustRoot), keyFile);
    assert.deepEqual(answer.codes, []);
    assert.equal(answer.time?.toISOString(), time);
  });
}

test('entries of one Rekor v1 log do not stand in for each other', async (t) => {
  const folder = vectorsFolder(t, 'sigstore-go');
  if (folder === null) return;
  const trustRoot = join(folder, 'trusted-root-public-good.json');
  for (const name of ['dsse.sigstore.json', 'sigstore.js@2.0.0-provenance.sigstore.json']) {
    const changes = { entryOf: join(folder, 'bundle-provenance.json') };
    const { codes } = await answerOf(join(folder, name), trustRoot, null, changes);
    assert.ok(codes.includes(MISMATCH), `${name}: ${codes}`);
  }
});
