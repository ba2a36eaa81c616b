import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { TrustFault } from '@bulla/trust/fault/fault';
import { buildBundle } from '@bulla/trust/formats/sigstore-bundle/build';
import { bundleVersionOf } from '@bulla/trust/formats/sigstore-bundle/media-type';
import { parseBundle } from '@bulla/trust/formats/sigstore-bundle/parse';
import fc from 'fast-check';
import { NOW } from '../../sigstore-lab/lab.ts';
import { type Json, MEDIA_TYPES } from '../../sigstore-lab/mint.ts';
import { mutationsOf, set } from '../../sigstore-lab/mutations.ts';
import { BY_KEY, KEY, KEYLESS, lab, REKOR_V1 } from './corruptions.ts';

function codeOf(document: unknown): string | null {
  try {
    parseBundle(utf8(JSON.stringify(document)), 'a test');
    return null;
  } catch (error) {
    assert.ok(error instanceof TrustFault, String(error));
    return error.code;
  }
}

const MATERIAL = 'verificationMaterial';
const snake = (text: string) =>
  text.replace(
    /"([a-zA-Z0-9]+)":/g,
    (_, name: string) => `"${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}":`,
  );
const SNAKE: Json = JSON.parse(snake(JSON.stringify(KEYLESS)));

const ROWS: readonly {
  readonly name: string;
  readonly document: unknown;
  readonly code: string | null;
}[] = [
  { name: 'version 0.3', document: KEYLESS, code: null },
  { name: 'version 0.2', document: REKOR_V1, code: null },
  {
    name: 'version 0.3 in its old spelling',
    document: set(KEYLESS, 'mediaType', 'application/vnd.dev.sigstore.bundle+json;version=0.3'),
    code: null,
  },
  { name: 'fields in snake_case', document: SNAKE, code: null },
  {
    name: 'one field in both spellings',
    document: { ...KEYLESS, media_type: MEDIA_TYPES['0.3'] },
    code: 'bundle.malformed',
  },
  {
    name: 'version 0.4',
    document: set(KEYLESS, 'mediaType', 'application/vnd.dev.sigstore.bundle.v0.4+json'),
    code: 'bundle.version',
  },
  {
    name: 'no media type',
    document: set(KEYLESS, 'mediaType', undefined),
    code: 'bundle.malformed',
  },
  {
    name: 'a chain in 0.3',
    document: set(REKOR_V1, 'mediaType', MEDIA_TYPES['0.3']),
    code: 'bundle.malformed',
  },
  {
    name: 'one certificate in 0.2',
    document: set(KEYLESS, 'mediaType', MEDIA_TYPES['0.2']),
    code: 'bundle.malformed',
  },
  {
    name: 'an empty chain',
    document: set(REKOR_V1, `${MATERIAL}.x509CertificateChain.certificates`, []),
    code: 'bundle.malformed',
  },
  {
    name: 'a certificate and a key',
    document: set(KEYLESS, `${MATERIAL}.publicKey`, { hint: '' }),
    code: 'bundle.malformed',
  },
  {
    name: 'no signer',
    document: set(KEYLESS, `${MATERIAL}.certificate`, undefined),
    code: 'bundle.malformed',
  },
  { name: 'a key without a hint', document: set(BY_KEY, `${MATERIAL}.publicKey`, {}), code: null },
  {
    name: 'no log entries',
    document: set(KEYLESS, `${MATERIAL}.tlogEntries`, undefined),
    code: null,
  },
  {
    name: 'no timestamps',
    document: set(KEYLESS, `${MATERIAL}.timestampVerificationData`, undefined),
    code: null,
  },
  {
    name: 'an index that is a number',
    document: set(KEYLESS, `${MATERIAL}.tlogEntries.0.logIndex`, 4),
    code: null,
  },
  {
    name: 'a negative index',
    document: set(KEYLESS, `${MATERIAL}.tlogEntries.0.logIndex`, '-1'),
    code: 'bundle.malformed',
  },
  {
    name: 'an index of 64 bits',
    document: set(KEYLESS, `${MATERIAL}.tlogEntries.0.logIndex`, '9223372036854775808'),
    code: 'bundle.malformed',
  },
  {
    name: 'an index with a leading zero',
    document: set(KEYLESS, `${MATERIAL}.tlogEntries.0.logIndex`, '04'),
    code: 'bundle.malformed',
  },
  {
    name: 'an unknown field deep inside',
    document: set(KEYLESS, `${MATERIAL}.tlogEntries.0.more`, 1),
    code: 'bundle.malformed',
  },
  {
    name: 'a digest by SHA-1',
    document: set(BY_KEY, 'messageSignature.messageDigest.algorithm', 'SHA1'),
    code: 'bundle.malformed',
  },
  {
    name: 'base64 of the URL alphabet',
    document: set(BY_KEY, 'messageSignature.signature', '-_-_'),
    code: 'bundle.malformed',
  },
  {
    name: 'both contents',
    document: { ...KEYLESS, messageSignature: BY_KEY['messageSignature'] },
    code: 'bundle.malformed',
  },
  { name: 'no content', document: set(KEYLESS, 'dsseEnvelope', null), code: 'bundle.malformed' },
];

for (const { name, document, code } of ROWS) {
  test(`a bundle with ${name}: ${code ?? 'read'}`, () => assert.equal(codeOf(document), code));
}

test('only the four media types are a bundle’s', () => {
  assert.equal(bundleVersionOf(MEDIA_TYPES['0.1']), '0.1');
  assert.equal(bundleVersionOf(MEDIA_TYPES['0.3']), '0.3');
  for (const other of [
    '',
    'constructor',
    'application/vnd.dev.sigstore.bundle.v0.3+json ',
    'application/vnd.dev.sigstore.bundle+json',
  ]) {
    assert.equal(bundleVersionOf(other), null, other);
  }
});

test('what is built is read back', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 });
  const entry = lab.tlog.append(
    { by: { key: KEY }, signature: Buffer.of(1), signed: Buffer.of(2) },
    NOW,
  );
  const old = lab.oldTlog.append(
    { by: { key: KEY }, signature: Buffer.of(1), signed: Buffer.of(2) },
    NOW,
  );
  fc.assert(
    fc.property(
      fc.array(bytes, { maxLength: 3 }),
      fc.subarray([entry, old]),
      bytes,
      fc.boolean(),
      (timestamps, entries, signature, isMessage) => {
        const content = isMessage
          ? ({ kind: 'message', hash: 'sha256', digest: signature, signature } as const)
          : ({
              kind: 'dsse',
              envelope: {
                payloadType: 'x',
                payload: signature,
                signatures: [{ signature, keyId: null }],
              },
            } as const);
        const built = buildBundle({ key: KEY.publicKey, entries, timestamps, content });
        const read = parseBundle(built, 'a test');
        assert.equal(read.version, '0.3');
        assert.equal(read.certificate, null);
        assert.deepEqual(
          read.timestamps.map(String),
          timestamps.map((one) => Buffer.from(one).toString()),
        );
        assert.deepEqual(plain(read.entries), plain(entries));
        assert.equal(read.content.kind, content.kind);
      },
    ),
    { numRuns: 100 },
  );
});

/** Buffers and Uint8Arrays of equal bytes are equal here. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, item) =>
      typeof item === 'bigint'
        ? String(item)
        : item?.type === 'Buffer'
          ? Buffer.from(item.data).toString('hex')
          : item instanceof Uint8Array
            ? Buffer.from(item).toString('hex')
            : item,
    ),
  );
}

test('no input throws anything but TrustFault', () => {
  const never = (bytes: Uint8Array) => {
    try {
      parseBundle(bytes, 'a test');
    } catch (error) {
      assert.ok(error instanceof TrustFault && error.code !== 'internal.defect', String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), never));
  fc.assert(fc.property(fc.json(), (text) => never(utf8(text))));
  for (const { document } of mutationsOf(KEYLESS, BY_KEY)) never(utf8(JSON.stringify(document)));
  for (const { document } of mutationsOf(REKOR_V1, KEYLESS)) never(utf8(JSON.stringify(document)));
});
