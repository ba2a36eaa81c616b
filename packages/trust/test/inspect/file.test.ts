import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { utf8 } from '../../src/bytes/byte-string.ts';
import { encodePem } from '../../src/bytes/pem.ts';
import { dsseEnvelopeJson } from '../../src/envelopes/dsse.ts';
import { TrustFault } from '../../src/fault/fault.ts';
import { parseBundle } from '../../src/formats/sigstore-bundle/parse.ts';
import { type Explanation, troublesOf } from '../../src/inspect/explanation.ts';
import { explainFile } from '../../src/inspect/file.ts';

const FOLDER = fileURLToPath(new URL('../../../../vectors/cosign/', import.meta.url));

const read = (path: string): Promise<Uint8Array> => readFile(`${FOLDER}${path}`);

async function bundle(path: string) {
  return parseBundle(await read(path), path);
}

async function envelopeOf(path: string) {
  const { content } = await bundle(path);
  assert.equal(content.kind, 'dsse');
  return content.envelope;
}

/** Every part of one kind, wherever it stands. */
function all({ kind, parts, ...rest }: Explanation, wanted: string): readonly Explanation[] {
  const own = kind === wanted ? [{ kind, parts, ...rest }] : [];
  return [...own, ...parts.flatMap((part) => all(part, wanted))];
}

const CI = 'blobs/keyless-ci.sigstore.json';
const ATTESTED = 'blobs/attest-key.sigstore.json';

const KINDS = [
  { name: 'a bundle', bytes: () => read(CI), expect: 'sigstore-bundle' },
  { name: 'a trust root', bytes: () => read('trust/two-of-each.json'), expect: 'trusted-root' },
  { name: 'a public key', bytes: () => read('keys/p256.pub'), expect: 'public-key' },
  { name: 'a private key', bytes: () => read('keys/p256.key'), expect: 'private-key' },
  {
    name: 'a simple-signing payload',
    bytes: () => read('ed25519ph/payload.json'),
    expect: 'simple-signing-payload',
  },
  {
    name: 'a DSSE envelope',
    bytes: async () => utf8(JSON.stringify(dsseEnvelopeJson(await envelopeOf(ATTESTED)))),
    expect: 'dsse-envelope',
  },
  {
    name: 'a statement',
    bytes: async () => (await envelopeOf(ATTESTED)).payload,
    expect: 'statement',
  },
  {
    name: 'a certificate in DER',
    bytes: async () => (await bundle(CI)).certificate ?? new Uint8Array(),
    expect: 'certificate',
  },
  {
    name: 'two certificates in PEM',
    bytes: async () => {
      const pem = encodePem('CERTIFICATE', (await bundle(CI)).certificate ?? new Uint8Array());
      return utf8(pem + pem);
    },
    expect: 'pem',
  },
  {
    name: 'a timestamp',
    bytes: async () => (await bundle(CI)).timestamps[0] ?? new Uint8Array(),
    expect: 'timestamp',
  },
];

test('a file is known by its content', async (t) => {
  for (const { name, bytes, expect } of KINDS) {
    await t.test(name, async () => {
      const found = explainFile(await bytes(), 'file');
      assert.equal(found.kind, expect);
      assert.deepEqual([...troublesOf(found)], []);
    });
  }
});

test('a keyless bundle of CI is explained in all its parts', async (t) => {
  const found = explainFile(await read(CI), 'file');
  await t.test('the certificate’s identity and Fulcio’s extensions by name', () => {
    const [certificate] = all(found, 'certificate');
    assert.deepEqual(certificate?.facts['identities'], [
      'uri https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main',
    ]);
    const [claims] = all(found, 'fulcio-extensions');
    assert.equal(claims?.facts['sourceRepositoryUri'], 'https://github.com/acme/app');
    assert.equal(claims?.facts['tokenSubject'], 'repo:acme/app:ref:refs/heads/main');
  });
  await t.test('the log entry', () => {
    const [entry] = all(found, 'log-entry');
    const { index, treeSize, entryKind, proof } = entry?.facts ?? {};
    assert.deepEqual(
      { index, treeSize, entryKind, proof },
      { index: '124', treeSize: '125', entryKind: 'hashedrekord 0.0.2', proof: 'inclusion proof' },
    );
  });
  await t.test('the timestamp and who made it', () => {
    const [timestamp] = all(found, 'timestamp');
    assert.equal(timestamp?.facts['time'], '2026-11-21T00:48:02Z');
    assert.match(String(timestamp?.facts['authority']), /CN=Acme Fixture Lab TSA Root/);
  });
});

const MALFORMED = [
  { name: 'a text', bytes: utf8('hello'), expect: 'inspect.unknown' },
  { name: 'nothing', bytes: new Uint8Array(), expect: 'inspect.unknown' },
  { name: 'other JSON', bytes: utf8('{"a":1}'), expect: 'inspect.unknown' },
  { name: 'cut JSON', bytes: utf8('{"mediaType":'), expect: 'json.malformed' },
  {
    name: 'a bundle of another version',
    bytes: utf8('{"mediaType":"application/vnd.dev.sigstore.bundle.v9+json"}'),
    expect: 'bundle.version',
  },
  {
    name: 'an envelope without signature',
    bytes: utf8('{"payloadType":"x","payload":"","signatures":[]}'),
    expect: 'dsse.malformed',
  },
  { name: 'cut DER', bytes: Uint8Array.of(0x30, 0x20, 0x01), expect: 'der.malformed' },
  { name: 'damaged PEM', bytes: utf8('-----BEGIN CERTIFICATE-----\nAA'), expect: 'bytes.pem' },
];

test('what is malformed is told by its code', async (t) => {
  for (const { name, bytes, expect } of MALFORMED) {
    await t.test(name, () => {
      assert.throws(() => explainFile(bytes, 'file'), { code: expect });
    });
  }
});

test('a broken part is malformed where it stands, and the rest is explained', async () => {
  const document = JSON.parse(Buffer.from(await read(CI)).toString('utf8'));
  document.verificationMaterial.timestampVerificationData.rfc3161Timestamps[0].signedTimestamp =
    'MAA=';
  const found = explainFile(utf8(JSON.stringify(document)), 'file');
  assert.deepEqual([...troublesOf(found)], ['malformed']);
  assert.equal(all(found, 'malformed')[0]?.facts['code'], 'timestamp.malformed');
  assert.equal(all(found, 'log-entry').length, 1);
});

test('no input throws anything but TrustFault', async () => {
  const seeds = await Promise.all(KINDS.map(({ bytes }) => bytes()));
  const edited = fc
    .tuple(fc.constantFrom(...seeds), fc.nat(), fc.nat(255))
    .map(([seed, at, octet]) => {
      const copy = Uint8Array.from(seed);
      copy[at % copy.length] = octet;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), edited), (bytes) => {
      try {
        explainFile(bytes, 'file');
      } catch (error) {
        assert.ok(error instanceof TrustFault);
      }
    }),
    { numRuns: 400 },
  );
});
