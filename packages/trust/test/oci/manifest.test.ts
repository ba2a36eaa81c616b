import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { TrustFault } from '@bulla/trust/fault/fault';
import {
  artifactTypeOf,
  contentOf,
  MEDIA_TYPES,
  parseManifest,
  runnableChildren,
  sniffMediaType,
} from '@bulla/trust/oci/manifest';
import fc from 'fast-check';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const descriptor = (mediaType: string, more: object = {}) => ({
  mediaType,
  digest: DIGEST,
  size: 2,
  ...more,
});
const CONFIG = descriptor('application/vnd.oci.image.config.v1+json');
const LAYER = descriptor('application/vnd.oci.image.layer.v1.tar');
const image = { schemaVersion: 2, config: CONFIG, layers: [LAYER] };
const index = { schemaVersion: 2, manifests: [descriptor(MEDIA_TYPES.ociManifest)] };
const schema1 = { schemaVersion: 1, name: 'a', tag: 'b', fsLayers: [], history: [] };

const CASES: readonly { name: string; body: unknown; type: string; expect: string }[] = [
  { name: 'an OCI manifest', body: image, type: MEDIA_TYPES.ociManifest, expect: 'image' },
  { name: 'a Docker manifest', body: image, type: MEDIA_TYPES.dockerManifest, expect: 'image' },
  { name: 'an OCI index', body: index, type: MEDIA_TYPES.ociIndex, expect: 'index' },
  { name: 'a Docker list', body: index, type: MEDIA_TYPES.dockerList, expect: 'index' },
  {
    name: 'a charset in the type',
    body: image,
    type: `${MEDIA_TYPES.ociManifest}; charset=utf-8`,
    expect: 'image',
  },
  {
    name: 'no type served, own field',
    body: { ...index, mediaType: MEDIA_TYPES.dockerList },
    type: 'application/json',
    expect: 'index',
  },
  { name: 'no type at all: an index by its members', body: index, type: '', expect: 'index' },
  { name: 'no type at all: an image by its members', body: image, type: '', expect: 'image' },
  {
    name: 'null for an empty list',
    body: { ...image, layers: null },
    type: MEDIA_TYPES.ociManifest,
    expect: 'image',
  },
  {
    name: 'members that are not known',
    body: { ...image, foo: 1 },
    type: MEDIA_TYPES.ociManifest,
    expect: 'image',
  },
  {
    name: 'a field of another type',
    body: { ...image, mediaType: MEDIA_TYPES.dockerManifest },
    type: MEDIA_TYPES.ociManifest,
    expect: 'manifest.malformed',
  },
  {
    name: 'image and index at once, as image',
    body: { ...image, ...index },
    type: MEDIA_TYPES.ociManifest,
    expect: 'manifest.ambiguous',
  },
  {
    name: 'image and index at once, as index',
    body: { ...image, ...index },
    type: MEDIA_TYPES.ociIndex,
    expect: 'manifest.ambiguous',
  },
  {
    name: 'image and index at once, untyped',
    body: { ...image, ...index },
    type: '',
    expect: 'manifest.ambiguous',
  },
  {
    name: 'an empty second list is still a second list',
    body: { ...image, manifests: null },
    type: MEDIA_TYPES.ociManifest,
    expect: 'manifest.ambiguous',
  },
  {
    name: 'an index with a config',
    body: { ...index, config: CONFIG },
    type: MEDIA_TYPES.ociIndex,
    expect: 'manifest.ambiguous',
  },
  {
    name: 'schema 1',
    body: schema1,
    type: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
    expect: 'manifest.unsupported',
  },
  {
    name: 'schema 1 served as JSON',
    body: schema1,
    type: 'application/json',
    expect: 'manifest.unsupported',
  },
  {
    name: 'an unknown type',
    body: image,
    type: 'application/vnd.oci.artifact.manifest.v1+json',
    expect: 'manifest.unsupported',
  },
  {
    name: 'no schemaVersion',
    body: { config: CONFIG, layers: [] },
    type: MEDIA_TYPES.ociManifest,
    expect: 'manifest.malformed',
  },
  {
    name: 'no config',
    body: { schemaVersion: 2, layers: [] },
    type: MEDIA_TYPES.ociManifest,
    expect: 'manifest.malformed',
  },
  {
    name: 'no layers',
    body: { schemaVersion: 2, config: CONFIG },
    type: MEDIA_TYPES.ociManifest,
    expect: 'manifest.malformed',
  },
  {
    name: 'a layer with a short digest',
    body: { ...image, layers: [{ ...LAYER, digest: 'sha256:aa' }] },
    type: MEDIA_TYPES.ociManifest,
    expect: 'manifest.malformed',
  },
  {
    name: 'a negative size',
    body: { ...image, layers: [{ ...LAYER, size: -1 }] },
    type: MEDIA_TYPES.ociManifest,
    expect: 'manifest.malformed',
  },
  {
    name: 'a size beyond 2^53',
    body: { ...image, layers: [{ ...LAYER, size: 2 ** 60 }] },
    type: MEDIA_TYPES.ociManifest,
    expect: 'manifest.malformed',
  },
  {
    name: 'an annotation that is no string',
    body: { ...image, annotations: { a: 1 } },
    type: MEDIA_TYPES.ociManifest,
    expect: 'manifest.malformed',
  },
  { name: 'an array', body: [], type: MEDIA_TYPES.ociManifest, expect: 'manifest.malformed' },
];

describe('manifests', () => {
  for (const { name, body, type, expect } of CASES) {
    it(`${name}: ${expect}`, () => {
      const stored = { bytes: utf8(JSON.stringify(body)), mediaType: type };
      if (!expect.includes('.')) return assert.equal(parseManifest(stored).kind, expect);
      return assert.throws(() => parseManifest(stored), { code: expect });
    });
  }

  it('the same key twice is refused', () => {
    const bytes = utf8(JSON.stringify(image).replace('{', '{"schemaVersion":2,'));
    assert.throws(() => parseManifest({ bytes, mediaType: MEDIA_TYPES.ociManifest }), {
      code: 'json.duplicate-key',
    });
  });

  it('more than 4 MiB is refused', () => {
    const bytes = utf8(JSON.stringify({ ...image, x: 'x'.repeat(4 << 20) }));
    assert.throws(() => parseManifest({ bytes, mediaType: MEDIA_TYPES.ociManifest }), {
      code: 'json.limit',
    });
  });
});

describe('what a manifest says', () => {
  const parse = (body: object, mediaType: string) =>
    parseManifest({ bytes: utf8(JSON.stringify(body)), mediaType });

  it('its artifact type is its own, else its config’s', () => {
    assert.equal(artifactTypeOf(parse(image, MEDIA_TYPES.ociManifest)), CONFIG.mediaType);
    assert.equal(
      artifactTypeOf(parse({ ...image, artifactType: 'a/b' }, MEDIA_TYPES.ociManifest)),
      'a/b',
    );
    assert.equal(artifactTypeOf(parse(index, MEDIA_TYPES.ociIndex)), undefined);
  });

  it('its content is config, then layers', () => {
    assert.deepEqual(
      contentOf(parse(image, MEDIA_TYPES.ociManifest)).map(({ mediaType }) => mediaType),
      [CONFIG.mediaType, LAYER.mediaType],
    );
  });

  it('the platform alone says that a child is no runnable one, as buildx attestations are', () => {
    const children = [
      descriptor(MEDIA_TYPES.ociManifest, { platform: { os: 'linux', architecture: 'amd64' } }),
      descriptor(MEDIA_TYPES.ociManifest, { platform: { os: 'unknown', architecture: 'unknown' } }),
      descriptor(MEDIA_TYPES.ociManifest, {
        platform: { os: 'linux', architecture: 'amd64' },
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      }),
      descriptor(MEDIA_TYPES.ociManifest),
    ];
    const parsed = parse({ schemaVersion: 2, manifests: children }, MEDIA_TYPES.ociIndex);
    assert.ok(parsed.kind === 'index');
    assert.deepEqual(
      runnableChildren(parsed).map((child) => parsed.manifests.indexOf(child)),
      [0, 2, 3],
    );
  });

  it('its type is told from its content, or not at all', () => {
    assert.equal(sniffMediaType(utf8(JSON.stringify(index))), MEDIA_TYPES.ociIndex);
    assert.equal(sniffMediaType(utf8(JSON.stringify(image))), MEDIA_TYPES.ociManifest);
    assert.equal(sniffMediaType(utf8('{"architecture":"amd64"}')), undefined);
    assert.equal(sniffMediaType(utf8('<html>')), undefined);
  });
});

describe('properties', () => {
  it('no input throws anything but TrustFault', () => {
    const types = fc.constantFrom('', ...Object.values(MEDIA_TYPES));
    const body = fc.oneof(
      fc.json(),
      fc
        .record(
          {
            schemaVersion: fc.constantFrom(2, 1, '2'),
            config: fc.oneof(fc.constant(CONFIG), fc.jsonValue()),
            layers: fc.oneof(fc.constant([LAYER]), fc.jsonValue()),
            manifests: fc.jsonValue(),
            subject: fc.jsonValue(),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(body, types, (text, mediaType) => {
        try {
          parseManifest({ bytes: utf8(text), mediaType });
        } catch (error) {
          assert.ok(error instanceof TrustFault, String(error));
        }
      }),
    );
  });
});
