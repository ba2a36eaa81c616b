import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { TrustFault } from '@bulla/trust/fault/fault';
import { buildLegacyManifest, buildSignatureLayer } from '@bulla/trust/formats/cosign-legacy/build';
import { companionTag, parseCompanionTag } from '@bulla/trust/formats/cosign-legacy/layer';
import { parseLegacySignature } from '@bulla/trust/formats/cosign-legacy/parse';
import { computeDigest } from '@bulla/trust/oci/digest';
import { MEDIA_TYPES, parseManifest } from '@bulla/trust/oci/manifest';
import fc from 'fast-check';
import { NOW, openLab } from '../../sigstore-lab/lab.ts';
import { LEGACY, mintLegacy, simpleSigning } from '../../sigstore-lab/mint.ts';
import { DEV } from '../../sigstore-lab/question.ts';

const lab = openLab();
const DIGEST = `sha256:${'a'.repeat(64)}` as const;
const issued = lab.ca.issue({ ...DEV, at: NOW });
const GOOD = mintLegacy(lab, { by: issued, digest: DIGEST, loggedAt: NOW, stampedAt: NOW });

test('every annotation is read', () => {
  const read = parseLegacySignature(GOOD);
  assert.equal(read.content.kind, 'payload');
  assert.deepEqual(Buffer.from(read.certificate ?? []), Buffer.from(issued.certificate.raw));
  assert.equal(read.intermediates.length, 1);
  assert.equal(read.timestamps.length, 1);
  const [entry] = read.entries;
  assert.equal(entry?.kind, 'hashedrekord');
  assert.equal(entry?.integratedTime?.getTime(), NOW.getTime());
  assert.equal(entry?.inclusionProof, null);
});

test('empty annotations are absent ones, as cosign writes them', () => {
  const annotations = { ...GOOD.annotations };
  for (const name of [LEGACY.certificate, LEGACY.chain, LEGACY.bundle, LEGACY.timestamp]) {
    annotations[name] = '';
  }
  const read = parseLegacySignature({ ...GOOD, annotations });
  assert.equal(read.certificate, null);
  assert.deepEqual([read.intermediates, read.entries, read.timestamps], [[], [], []]);
});

test('what is built is read back', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(bytes, fc.option(bytes, { nil: null }), (signature, timestamp) => {
      const payload = simpleSigning(DIGEST);
      const { descriptor, bytes: layer } = buildSignatureLayer(payload, signature, timestamp);
      assert.equal(descriptor.digest, computeDigest(payload));
      const { mediaType, annotations = {}, digest } = descriptor;
      const read = parseLegacySignature({
        format: 'cosign-legacy',
        digest,
        where: 'a test',
        bytes: layer,
        annotations,
        mediaType,
      });
      assert.ok(read.content.kind === 'payload');
      assert.deepEqual(Buffer.from(read.content.signature), Buffer.from(signature));
      assert.deepEqual(
        read.timestamps.map((one) => Buffer.from(one).toString('hex')),
        timestamp === null ? [] : [Buffer.from(timestamp).toString('hex')],
      );
    }),
    { numRuns: 100 },
  );
});

test('a manifest is built from its layers and read back with them', () => {
  const layers = [1, 2, 3].map((at) =>
    buildSignatureLayer(simpleSigning(DIGEST), Buffer.of(at), null),
  );
  const { bytes, config } = buildLegacyManifest(layers.map(({ descriptor }) => descriptor));
  const manifest = parseManifest({ bytes, mediaType: MEDIA_TYPES.ociManifest });
  assert.ok(manifest.kind === 'image');
  assert.equal(manifest.config.digest, computeDigest(config));
  assert.deepEqual(
    manifest.layers.map(({ annotations }) => annotations?.[LEGACY.signature]),
    ['AQ==', 'Ag==', 'Aw=='],
  );
});

test('companion tags belong to one digest', () => {
  assert.equal(companionTag(DIGEST, 'sig'), `sha256-${'a'.repeat(64)}.sig`);
  assert.deepEqual(parseCompanionTag(companionTag(DIGEST, 'att')), { digest: DIGEST, kind: 'att' });
  for (const tag of [
    'v1',
    `sha256-${'a'.repeat(63)}.sig`,
    `sha256-${'A'.repeat(64)}.sig`,
    `sha256-${'a'.repeat(64)}`,
    `sha256-${'a'.repeat(64)}.sig.bak`,
    `x-sha256-${'a'.repeat(64)}.sig`,
  ]) {
    assert.equal(parseCompanionTag(tag), null, tag);
  }
});

test('no input throws anything but TrustFault', () => {
  const never = (
    annotations: Readonly<Record<string, string>>,
    bytes: Uint8Array,
    mediaType: string,
  ) => {
    try {
      parseLegacySignature({ ...GOOD, annotations, bytes, mediaType });
    } catch (error) {
      assert.ok(error instanceof TrustFault && error.code !== 'internal.defect', String(error));
    }
  };
  const name = fc.constantFrom(...Object.values(LEGACY));
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.base64String(),
    fc.constantFrom(...Object.values(GOOD.annotations)),
  );
  const mediaType = fc.constantFrom(GOOD.mediaType, 'application/vnd.dsse.envelope.v1+json', 'x');
  fc.assert(
    fc.property(name, text, mediaType, (at, value, type) =>
      never({ ...GOOD.annotations, [at]: value }, GOOD.bytes, type),
    ),
    { numRuns: 400 },
  );
  fc.assert(
    fc.property(fc.json(), mediaType, (json, type) => never(GOOD.annotations, utf8(json), type)),
  );
});
