import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import type { Content } from '../../src/gateway/contents.ts';
import { isMaterial, isTarHeader } from '../../src/gateway/material.ts';
import { digestOf } from './client.ts';

const SIMPLE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const DSSE = 'application/vnd.dsse.envelope.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';

interface Piece {
  readonly type: string;
  readonly content: string | Uint8Array;
  /** What the descriptor says instead of the truth. */
  readonly size?: number;
}

/** JSON whose first block is a valid header of a tar entry, inside of a string. */
function tarInJson(): Buffer {
  const block = Buffer.alloc(1024, ' ');
  block.write('{"critical":"', 0);
  block.write('0000644 0000000 0000000 00000000020 00000000000 ', 100);
  block.write('        0', 148);
  block.write('"}', 1022);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}  `, 148);
  return block;
}

const POLYGLOT = tarInJson();

const CASES: readonly {
  readonly name: string;
  readonly config?: string;
  readonly layers: readonly Piece[];
  readonly more?: object;
  readonly expect: boolean;
}[] = [
  {
    name: 'a cosign signature',
    config: IMAGE_CONFIG,
    layers: [{ type: SIMPLE, content: '{}' }],
    expect: true,
  },
  {
    name: 'an attestation',
    config: IMAGE_CONFIG,
    layers: [{ type: DSSE, content: ' \n{"a":1}' }],
    expect: true,
  },
  { name: 'a bundle', layers: [{ type: BUNDLE, content: '{}' }], expect: true },
  {
    name: 'several layers',
    layers: [
      { type: SIMPLE, content: '{}' },
      { type: DSSE, content: '{"b":1}' },
    ],
    expect: true,
  },
  {
    name: 'a notation signature',
    config: 'application/vnd.cncf.notary.signature',
    layers: [{ type: 'application/jose+json', content: '{}' }],
    expect: true,
  },
  {
    name: 'a notation signature in COSE',
    config: 'application/vnd.cncf.notary.signature',
    layers: [{ type: 'application/cose', content: Uint8Array.of(0xd2, 0x84, 0x40) }],
    expect: true,
  },
  { name: 'no layers', layers: [], expect: false },
  {
    name: 'an image',
    config: IMAGE_CONFIG,
    layers: [{ type: LAYER, content: 'tar' }],
    expect: false,
  },
  {
    name: 'an image with a signature among its layers',
    config: IMAGE_CONFIG,
    layers: [
      { type: SIMPLE, content: '{}' },
      { type: LAYER, content: 'tar' },
    ],
    expect: false,
  },
  {
    name: 'an image that says it is a signature',
    config: IMAGE_CONFIG,
    layers: [{ type: LAYER, content: 'tar' }],
    more: {
      artifactType: BUNDLE,
      subject: { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf('x'), size: 1 },
    },
    expect: false,
  },
  {
    name: 'a config of another type',
    config: 'application/vnd.cncf.helm.config.v1+json',
    layers: [{ type: SIMPLE, content: '{}' }],
    expect: false,
  },
  {
    name: 'a compressed layer that calls itself a signature',
    config: IMAGE_CONFIG,
    layers: [{ type: DSSE, content: Uint8Array.of(0x1f, 0x8b, 8, 0) }],
    expect: false,
  },
  {
    name: 'a tar archive that is JSON as well',
    config: IMAGE_CONFIG,
    layers: [{ type: DSSE, content: POLYGLOT }],
    expect: false,
  },
  {
    name: 'a payload above its limit',
    layers: [{ type: SIMPLE, content: `{"a":"${'x'.repeat(1 << 20)}"}` }],
    expect: false,
  },
  {
    name: 'a descriptor that belittles its blob',
    layers: [{ type: SIMPLE, content: `{"a":"${'x'.repeat(1 << 20)}"}`, size: 10 }],
    expect: false,
  },
  { name: 'an empty layer', layers: [{ type: SIMPLE, content: '' }], expect: false },
];

const blobs = new Map<string, Uint8Array>([[digestOf('{}'), Buffer.from('{}')]]);
const manifests = new Map<string, Content>();
const VIEW = {
  async head({ digest }: { readonly digest: Digest }, length: number) {
    const found = blobs.get(digest);
    return found === undefined ? null : { size: found.length, bytes: found.subarray(0, length) };
  },
  child: async (digest: Digest) => manifests.get(digest) ?? null,
};

function contentOf(document: object, mediaType: string): Content {
  const bytes = Buffer.from(JSON.stringify(document));
  const content = {
    digest: computeDigest(bytes),
    record: { mediaType, size: bytes.length },
    bytes,
    memo: {},
  };
  manifests.set(content.digest, content);
  return content;
}

function manifestOf({ config = MEDIA_TYPES.empty, layers, more }: (typeof CASES)[number]): Content {
  const listed = layers.map(({ type, content, size }) => {
    const bytes = Buffer.from(content);
    const digest = computeDigest(bytes);
    blobs.set(digest, bytes);
    return { mediaType: type, digest, size: size ?? bytes.length };
  });
  return contentOf(
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: config, digest: digestOf('{}'), size: 2 },
      layers: listed,
      ...more,
    },
    MEDIA_TYPES.ociManifest,
  );
}

function indexOf(children: readonly object[]): Content {
  return contentOf(
    { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: children },
    MEDIA_TYPES.ociIndex,
  );
}

const entry = ({ digest, record }: Content, more: object = {}) => ({ ...record, digest, ...more });

test('signature material is known by its content', async (context) => {
  for (const one of CASES) {
    await context.test(one.name, async () => {
      assert.equal(await isMaterial(manifestOf(one), VIEW), one.expect);
    });
  }
});

test('an index is material when all that it lists is recorded as material', async () => {
  const signature = manifestOf({
    name: '',
    layers: [{ type: SIMPLE, content: '{}' }],
    expect: true,
  });
  const image = manifestOf({ name: '', layers: [{ type: LAYER, content: 'tar' }], expect: false });
  assert.equal(await isMaterial(indexOf([entry(signature)]), VIEW), true);
  assert.equal(await isMaterial(indexOf([entry(signature), entry(image)]), VIEW), false);
  const absent = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf('absent'), size: 1 };
  assert.equal(await isMaterial(indexOf([absent]), VIEW), false);
  const platform = { os: 'linux', architecture: 'amd64' };
  assert.equal(await isMaterial(indexOf([entry(signature, { platform })]), VIEW), false);
  // Nested: what is listed is an index, not material.
  assert.equal(await isMaterial(indexOf([entry(indexOf([entry(signature)]))]), VIEW), false);
});

test('so many blobs are looked at for one answer; an index of more is judged as an image', async () => {
  const layers = Array.from({ length: 3000 }, () => ({ type: SIMPLE, content: '{}' }));
  const many = manifestOf({ name: '', layers, expect: true });
  const others = manifestOf({ name: '', layers: layers.slice(1), expect: true });
  let looks = 0;
  const counting = {
    ...VIEW,
    head: (layer: { readonly digest: Digest }, length: number) => {
      looks += 1;
      return VIEW.head(layer, length);
    },
  };
  assert.equal(await isMaterial(many, counting), true);
  looks = 0;
  assert.equal(await isMaterial(indexOf([entry(many), entry(others)]), counting), false);
  assert.ok(looks <= 5000, `${looks} looks`);
});

test('an index that lists nothing is material: there is nothing in it to run', async () => {
  assert.equal(await isMaterial(indexOf([]), VIEW), true);
});

test('a config that holds something else makes an image of it', async (context) => {
  const payload = Buffer.from('{}');
  for (const [name, content] of [
    ['a compressed layer', Buffer.from([0x1f, 0x8b, 8, 0])],
    ['a tar archive', POLYGLOT],
    ['a large document', Buffer.from(`{"a":"${'x'.repeat(1 << 20)}"}`)],
  ] as const) {
    await context.test(name, async () => {
      const digest = computeDigest(content);
      blobs.set(digest, content);
      blobs.set(computeDigest(payload), payload);
      const document = {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        config: { mediaType: IMAGE_CONFIG, digest, size: content.length },
        layers: [{ mediaType: SIMPLE, digest: computeDigest(payload), size: payload.length }],
      };
      assert.equal(await isMaterial(contentOf(document, MEDIA_TYPES.ociManifest), VIEW), false);
    });
  }
});

test('what cannot be parsed is an image', async () => {
  const record = { mediaType: MEDIA_TYPES.ociManifest, size: 1 };
  assert.equal(await isMaterial({ record, bytes: Buffer.from('{') }, VIEW), false);
});

test('a tar header is known by its checksum', () => {
  assert.equal(isTarHeader(POLYGLOT), true);
  assert.equal(isTarHeader(POLYGLOT.subarray(0, 511)), false);
  const other = Buffer.from(POLYGLOT);
  other[20] = (other[20] ?? 0) + 1;
  assert.equal(isTarHeader(other), false);
  assert.equal(isTarHeader(Buffer.alloc(512, 0x7b)), false);
});
