import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { encodeHex } from '@bulla/trust/bytes/hex';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseTrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import fc from 'fast-check';
import { vectorsFolder } from '../../../../test/peers.ts';

const TRUST = join(import.meta.dirname, '../../../../vectors/cosign/trust');
const BYTES = readFileSync(join(TRUST, 'trusted_root.json'));
const DOCUMENT = JSON.parse(BYTES.toString('utf8'));
const [TLOG] = DOCUMENT.tlogs;
const [CTLOG] = DOCUMENT.ctlogs;
const [CA] = DOCUMENT.certificateAuthorities;
const V02 = 'application/vnd.dev.sigstore.trustedroot.v0.2+json';

function parse(document: unknown) {
  return parseTrustedRoot(Buffer.from(JSON.stringify(document)), 'root');
}

function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snake(item),
    ]),
  );
}

test('a trust root is read whole, and its digest is of its bytes', () => {
  const root = parseTrustedRoot(BYTES, 'root');
  assert.equal(root.digest, `sha256:${createHash('sha256').update(BYTES).digest('hex')}`);
  assert.equal(root.name, 'root');
  assert.deepEqual(root.ignored, []);
  const [log] = root.tlogs;
  assert.equal(log?.origin, '127.0.0.1');
  assert.equal(log?.algorithm.name, 'ed25519');
  assert.equal(log?.validFor.start?.toISOString(), '2026-01-01T00:00:00.000Z');
  assert.equal(log?.validFor.end, null);
  assert.equal(root.ctlogs[0]?.origin, '127.0.0.1:7062/test');
  assert.equal(root.certificateAuthorities[0]?.name, 'http://127.0.0.1:7055');
  assert.equal(root.timestampAuthorities[0]?.chain.length, 2);
});

for (const name of readdirSync(TRUST).filter((file) => !file.startsWith('signing_config'))) {
  if (!name.endsWith('.json')) continue;
  test(`the trust root ${name} is read`, () => {
    assert.deepEqual(parseTrustedRoot(readFileSync(join(TRUST, name)), name).ignored, []);
  });
}

for (const name of ['public-good', 'scaffolding', 'public-key-validity']) {
  test(`sigstore-go’s trusted root ${name} is read`, (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    const bytes = readFileSync(join(folder, `trusted-root-${name}.json`));
    assert.deepEqual(parseTrustedRoot(bytes, name).ignored, []);
  });
}

const SAME = [
  { name: 'in snake_case', document: snake(DOCUMENT) },
  { name: 'of version 0.2', document: { ...DOCUMENT, mediaType: V02 } },
  {
    name: 'with fields of a later version',
    document: { ...DOCUMENT, more: [1], tlogs: [{ ...TLOG, more: 1 }] },
  },
] as const;

for (const { name, document } of SAME) {
  test(`a trust root ${name} holds the same`, () => {
    const { digest: _, mediaType: __, ...found } = parse(document);
    const { digest: _2, mediaType: _3, ...expected } = parse(DOCUMENT);
    assert.deepEqual(found, expected);
  });
}

const ORIGINS = [
  { baseUrl: 'https://log.example', expect: 'log.example' },
  { baseUrl: 'https://Log.Example:8443/tree/', expect: 'log.example' },
  { baseUrl: 'http://[::1]:3000', expect: '::1' },
  { baseUrl: 'log.example/tree', expect: 'log.example/tree' },
] as const;

for (const { baseUrl, expect } of ORIGINS) {
  test(`the log at ${baseUrl} signs as ${expect}`, () => {
    assert.equal(parse({ ...DOCUMENT, tlogs: [{ ...TLOG, baseUrl }] }).tlogs[0]?.origin, expect);
  });
}

test('a log without log_id has the id that its key and origin give', () => {
  const { logId, ...rest } = TLOG;
  const hint = encodeBase64(Buffer.from(logId.keyId, 'base64').subarray(0, 4));
  for (const keyId of [logId.keyId, hint]) {
    const [log] = parse({ ...DOCUMENT, tlogs: [{ ...rest, checkpointKeyId: { keyId } }] }).tlogs;
    assert.equal(encodeBase64(log?.logId ?? new Uint8Array()), logId.keyId);
  }
});

const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
const P384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
const RSA_1024 = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
const SECP256K1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
const spki = (key: typeof RSA) => encodeBase64(key.export({ format: 'der', type: 'spki' }));
const pkcs1 = encodeBase64(RSA.export({ format: 'der', type: 'pkcs1' }));

function withKey(rawBytes: string, keyDetails: unknown) {
  return { ...TLOG, publicKey: { ...TLOG.publicKey, rawBytes, keyDetails } };
}

const KEYS = [
  { details: 'PKIX_ECDSA_P256_SHA_256', raw: spki(P256), expect: 'ecdsa-sha256' },
  { details: 'PKIX_ECDSA_P384_SHA_384', raw: spki(P384), expect: 'ecdsa-sha384' },
  { details: 'PKIX_ECDSA_P384_SHA_256', raw: spki(P384), expect: 'ecdsa-sha256' },
  { details: 'PKIX_ECDSA_P256_HMAC_SHA_256', raw: spki(P256), expect: 'ecdsa-sha256' },
  { details: 'PKIX_RSA_PKCS1V15_2048_SHA256', raw: spki(RSA), expect: 'rsa-pkcs1v15-sha256' },
  { details: 'PKIX_RSA_PSS_2048_SHA256', raw: spki(RSA), expect: 'rsa-pss-sha256' },
  { details: 'PKIX_RSA_PKCS1V5', raw: spki(RSA), expect: 'rsa-pkcs1v15-sha256' },
  { details: 'PKIX_RSA_PSS', raw: spki(RSA), expect: 'rsa-pss-sha256' },
  { details: 'PKCS1_RSA_PKCS1V5', raw: pkcs1, expect: 'rsa-pkcs1v15-sha256' },
  { details: 'PKCS1_RSA_PSS', raw: pkcs1, expect: 'rsa-pss-sha256' },
] as const;

for (const { details, raw, expect } of KEYS) {
  test(`a log’s key with ${details} is for ${expect}`, () => {
    const [log] = parse({ ...DOCUMENT, tlogs: [withKey(raw, details)] }).tlogs;
    assert.equal(log?.algorithm.name, expect);
  });
}

const UNSUPPORTED = [
  { name: 'ML-DSA', log: withKey('AAAA', 'ML_DSA_65') },
  { name: 'unspecified details', log: withKey(spki(P256), undefined) },
  { name: 'details by number', log: withKey(spki(P256), 5) },
  { name: 'a weak key', log: withKey(spki(RSA_1024), 'PKIX_RSA_PKCS1V15_2048_SHA256') },
  { name: 'another curve', log: withKey(spki(SECP256K1), 'PKIX_ECDSA_P256_SHA_256') },
  { name: 'another tree hash', log: { ...TLOG, hashAlgorithm: 'SHA2_512' } },
] as const;

for (const { name, log } of UNSUPPORTED) {
  test(`a log with ${name} is left out, and said so`, () => {
    const root = parse({ ...DOCUMENT, tlogs: [log, TLOG] });
    assert.equal(root.tlogs.length, 1);
    assert.equal(root.ignored.length, 1);
    assert.match(root.ignored[0] ?? '', /tlogs\[0\]/);
  });

  test(`a trust root of which every log has ${name} is refused`, () => {
    // Otherwise it would read as one that names no log, and ask for no entry.
    for (const kind of ['tlogs', 'ctlogs']) {
      assert.throws(() => parse({ ...DOCUMENT, [kind]: [log] }), {
        code: 'trust-root.unsupported',
      });
    }
  });
}

const REFUSED = [
  { name: 'an array', document: [], expect: 'trust-root.malformed' },
  {
    name: 'no media type',
    document: { ...DOCUMENT, mediaType: undefined },
    expect: 'trust-root.malformed',
  },
  {
    name: 'a later version',
    document: { ...DOCUMENT, mediaType: V02.replace('2', '9') },
    expect: 'trust-root.version',
  },
  {
    name: 'logs that are no list',
    document: { ...DOCUMENT, tlogs: {} },
    expect: 'trust-root.malformed',
  },
  {
    name: 'a key of another kind than its details',
    document: { ...DOCUMENT, tlogs: [withKey(spki(P256), 'PKIX_ED25519')] },
    expect: 'trust-root.malformed',
  },
  {
    name: 'a key of another curve than its details',
    document: { ...DOCUMENT, tlogs: [withKey(spki(P384), 'PKIX_ECDSA_P256_SHA_256')] },
    expect: 'trust-root.malformed',
  },
  {
    name: 'a key that is none',
    document: { ...DOCUMENT, tlogs: [withKey('AAAA', 'PKIX_ED25519')] },
    expect: 'trust-root.malformed',
  },
  {
    name: 'a log without any id',
    document: { ...DOCUMENT, ctlogs: [{ ...CTLOG, logId: undefined }] },
    expect: 'trust-root.malformed',
  },
  {
    name: 'a checkpoint key id of another key',
    document: {
      ...DOCUMENT,
      tlogs: [{ ...TLOG, logId: undefined, checkpointKeyId: { keyId: 'AAAAAA==' } }],
    },
    expect: 'trust-root.malformed',
  },
  {
    name: 'a date that is none',
    document: {
      ...DOCUMENT,
      tlogs: [
        { ...TLOG, publicKey: { ...TLOG.publicKey, validFor: { start: '2026-13-01T00:00:00Z' } } },
      ],
    },
    expect: 'trust-root.malformed',
  },
  {
    name: 'a broken certificate',
    document: {
      ...DOCUMENT,
      certificateAuthorities: [{ ...CA, certChain: { certificates: [{ rawBytes: 'MAA=' }] } }],
    },
    expect: 'trust-root.malformed',
  },
  {
    name: 'an empty chain',
    document: { ...DOCUMENT, certificateAuthorities: [{ ...CA, certChain: { certificates: [] } }] },
    expect: 'trust-root.malformed',
  },
] as const;

for (const { name, document, expect } of REFUSED) {
  test(`a trust root with ${name} is refused`, () => {
    assert.throws(() => parse(document), { code: expect });
  });
}

test('no bytes make the parser throw anything but a fault', () => {
  const text = BYTES.toString('latin1');
  const fields = fc.constantFrom('tlogs', 'ctlogs', 'certificateAuthorities', 'mediaType');
  const documents = fc
    .tuple(fields, fc.jsonValue())
    .map(([field, value]) => JSON.stringify({ ...DOCUMENT, [field]: value }));
  const edits = fc
    .tuple(fc.nat(text.length), fc.string({ maxLength: 4 }))
    .map(([at, insert]) => text.slice(0, at) + insert + text.slice(at + insert.length));
  fc.assert(
    fc.property(fc.oneof(documents, edits, fc.json()), (input) => {
      try {
        const root = parseTrustedRoot(Buffer.from(input), 'root');
        assert.ok(root.tlogs.every((log) => encodeHex(log.logId) !== ''));
      } catch (error) {
        assert.ok(error instanceof TrustFault);
        assert.notEqual(error.code, 'internal.defect');
      }
    }),
    { numRuns: 500 },
  );
});
