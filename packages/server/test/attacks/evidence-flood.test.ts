import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import { openTurns } from '../../src/bounds/turns.ts';
import { weigh } from '../../src/decision/heavy.ts';
import { digestOf, OCI_MANIFEST } from '../gateway/client.ts';
import { type Fortress, openFortress } from './fortress.ts';

// A publisher who may push fills what a decision looks at, and lets somebody pull.

const SIMPLE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const MIB = 1 << 20;

interface Flood {
  readonly mediaType: string;
  readonly content: Uint8Array;
  /** What each descriptor says of the size. */
  readonly size: number;
  readonly count: number;
}

async function signatures(fortress: Fortress, subject: string, flood: Flood): Promise<void> {
  const { mediaType, content, size, count } = flood;
  const digest = await fortress.blob('app', content);
  const annotations = { 'dev.cosignproject.cosign/signature': 'AAAA' };
  await fortress.manifest('app', `${subject.replace(':', '-')}.sig`, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: await fortress.blob('app', '{}'),
      size: 2,
    },
    layers: Array.from({ length: count }, () => ({ mediaType, digest, size, annotations })),
  });
}

function spaces(length: number): Uint8Array {
  const bytes = Buffer.alloc(length, ' ');
  bytes[0] = 0x7b;
  bytes[length - 1] = 0x7d;
  return bytes;
}

function codeOf(body: Buffer): string {
  const { errors } = JSON.parse(body.toString()) as { errors: { detail: { code: string } }[] };
  return errors[0]?.detail.code ?? '';
}

test('a blob that is larger than its descriptors say is not read thousands of times', async () => {
  await using fortress = await openFortress();
  const image = await fortress.image('app', 'v1');
  const content = spaces(MIB);
  await signatures(fortress, image, { mediaType: SIMPLE, content, size: 1, count: 3000 });
  const answer = await fortress.pull('app', 'v1');
  assert.equal(answer.error, 'DENIED');
  assert.equal(codeOf(answer.body), 'registry.digest-mismatch');
});

test('a piece of evidence over 32 MiB refuses, and is not read', async () => {
  await using fortress = await openFortress();
  const image = await fortress.image('app', 'v1');
  const content = spaces(33 * MIB);
  await fortress.manifest('app', 'evidence', {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: BUNDLE,
    config: {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: await fortress.blob('app', '{}'),
      size: 2,
    },
    layers: [
      { mediaType: BUNDLE, digest: await fortress.blob('app', content), size: content.length },
    ],
    subject: { mediaType: OCI_MANIFEST, digest: image, size: 1 },
  });
  const answer = await fortress.pull('app', 'v1');
  assert.equal(answer.error, 'DENIED');
  assert.equal(codeOf(answer.body), 'registry.limit');
});

const BYTES = Buffer.from('{}');
const SOURCE: Pick<ArtifactSource, 'blob'> = { blob: async () => BYTES };

function sourceOf(blob: ArtifactSource['blob']): ArtifactSource {
  const never = () => assert.fail('only blobs are asked for');
  return {
    name: 'registry.example/app',
    blob,
    resolve: never,
    manifest: never,
    blobStream: never,
    referrers: never,
    tags: never,
  };
}

test('of decisions that take much evidence so many go on at a time, and light ones beside them', async () => {
  const turns = openTurns({ atOnce: 1 });
  const digest = computeDigest(BYTES);
  const large = { digest, size: 20 * MIB };
  const first = weigh(sourceOf(SOURCE.blob), turns);
  assert.equal(await first.source.blob(large), BYTES);
  let isRead = false;
  using second = weigh(
    sourceOf(async () => {
      isRead = true;
      return BYTES;
    }),
    turns,
  );
  const waiting = second.source.blob(large);
  using light = weigh(sourceOf(SOURCE.blob), turns);
  assert.equal(await light.source.blob({ digest: digestOf('x'), size: MIB }), BYTES);
  assert.equal(isRead, false);
  first[Symbol.dispose]();
  assert.equal(await waiting, BYTES);
});
