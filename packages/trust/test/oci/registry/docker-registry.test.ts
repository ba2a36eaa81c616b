import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { computeDigest } from '@bulla/trust/oci/digest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { fallbackTag } from '@bulla/trust/oci/referrer-list';
import { type DockerRegistry, startDockerRegistry } from '../../../../../test/docker-registry.ts';
import { peer, requirePeer } from '../../../../../test/peers.ts';
import { collect, EMPTY, image, index, push, referrer, sample } from '../sample.ts';

const CHUNK = 64 << 10;
let registry: DockerRegistry | undefined;
let count = 0;
before(async () => {
  const program = peer('docker-registry');
  if (program !== null) registry = await startDockerRegistry(program);
});
after(() => registry?.close());

const options = () => ({
  env: {},
  homeFolder: '/nonexistent',
  chunkBytes: CHUNK,
  timeoutMs: 10_000,
});

async function store(name = `app/${count++}`, given = options()) {
  return openStore(parseReference(`${registry?.host}/${name}`), given);
}

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("Debian's docker-registry 2.8", () => {
  const cases: readonly { readonly name: string; readonly run: () => Promise<void> }[] = [
    {
      name: 'gives back what was stored',
      run: async () => {
        const target = await store();
        const app = image('one');
        assert.equal(await target.resolve('v1'), null);
        assert.deepEqual(await target.tags(), []);
        await push(target, app, 'v1');
        assert.deepEqual(await target.resolve('v1'), {
          mediaType: app.manifest.mediaType,
          digest: app.manifest.digest,
          size: app.manifest.size,
        });
        const found = await target.manifest('v1');
        assert.deepEqual(Buffer.from(found?.bytes ?? []), Buffer.from(app.manifest.bytes));
        assert.deepEqual(Buffer.from((await target.blob(app.layer)) ?? []), Buffer.from('one'));
        assert.equal(await target.blob(sample(utf8('absent'), 'a/b')), null);
        assert.equal(await target.hasBlob(app.layer.digest), true);
        assert.deepEqual(await target.tags(), ['v1']);
      },
    },
    {
      name: 'takes a stream in chunks and gives it back',
      run: async () => {
        const target = await store();
        for (const size of [0, 10, CHUNK, CHUNK + 1, 3 * CHUNK + 17]) {
          const bytes = randomBytes(size);
          const blob = sample(bytes, 'application/octet-stream');
          await target.putBlob(blob, inPieces(bytes, 10_000));
          assert.deepEqual(await collect(await target.blobStream(blob)), bytes, `${size} bytes`);
        }
      },
    },
    {
      name: 'never gets a stream of another digest',
      run: async () => {
        const target = await store();
        const bytes = randomBytes(2 * CHUNK);
        const wanted = { ...sample(bytes, 'a/b'), digest: computeDigest(randomBytes(3)) };
        for (const content of [bytes, inPieces(bytes, CHUNK), inPieces(bytes.subarray(1), CHUNK)]) {
          await assert.rejects(target.putBlob(wanted, content), {
            code: 'registry.digest-mismatch',
          });
        }
        assert.equal(await target.hasBlob(wanted.digest), false);
      },
    },
    {
      name: 'mounts a blob of another repository',
      run: async () => {
        const shared = options();
        const [from, to] = [await store(undefined, shared), await store(undefined, shared)];
        const app = image('mounted');
        await push(from, app, 'v1');
        assert.equal(await to.hasBlob(app.layer.digest), false);
        assert.equal(await to.mountBlob(app.layer.digest, from), true);
        assert.equal(await to.hasBlob(app.layer.digest), true);
        assert.equal(await to.mountBlob(computeDigest(utf8('absent')), from), false);
      },
    },
    {
      name: 'keeps referrers under the fallback tag',
      run: async () => {
        const target = await store();
        const subject = image('subject');
        await push(target, subject, 'v1');
        const { digest } = subject.manifest;
        assert.deepEqual(await target.referrers(digest), {
          descriptors: [],
          by: 'tag',
          broken: [],
        });
        const [one, two] = [
          referrer(subject.manifest, 'a/one', '1'),
          referrer(subject.manifest, 'a/two', '2'),
        ];
        await push(target, one);
        await push(target, two);
        await push(target, two);
        const all = await target.referrers(digest);
        assert.deepEqual(
          all.descriptors.map(({ artifactType }) => artifactType),
          ['a/one', 'a/two'],
        );
        const some = await target.referrers(digest, { artifactType: 'a/two' });
        assert.deepEqual(
          some.descriptors.map((found) => found.digest),
          [two.manifest.digest],
        );
        assert.deepEqual(await target.tags(), [fallbackTag(digest), 'v1']);
        assert.equal(await target.deleteManifest(one.manifest.digest), true);
        assert.equal(await target.deleteManifest(one.manifest.digest), false);
        assert.equal((await target.referrers(digest)).descriptors.length, 1);
      },
    },
    {
      name: 'keeps a whole list under writers at the same time, to which a lost one can return',
      run: async () => {
        const name = `app/${count++}`;
        const subject = image('subject');
        const first = await store(name);
        await push(first, subject, 'v1');
        const writers = Array.from({ length: 6 }, (_, at) =>
          referrer(subject.manifest, 'a/b', `writer ${at}`),
        );
        const outcomes = await Promise.allSettled(
          writers.map(async (writer) => push(await store(name, options()), writer)),
        );
        for (const outcome of outcomes) {
          if (outcome.status === 'fulfilled') continue;
          assert.equal(outcome.reason.code, 'registry.referrer-lost');
        }
        const listed = async () =>
          (await first.referrers(subject.manifest.digest)).descriptors.map(({ digest }) => digest);
        // How many the race of fallback-tag.ts takes away at a registry without conditions is chance.
        assert.ok((await listed()).length >= 1);
        for (const writer of writers) await push(first, writer);
        assert.deepEqual(
          new Set(await listed()),
          new Set(writers.map(({ manifest }) => manifest.digest)),
        );
      },
    },
    {
      name: 'keeps what others wrote into a fallback index',
      run: async () => {
        const target = await store();
        const subject = image('subject');
        await push(target, subject, 'v1');
        const stranger = image('stranger');
        await push(target, stranger);
        const list = index([stranger.manifest], { annotations: { other: 'tool' } });
        await target.putManifest(list, { tag: fallbackTag(subject.manifest.digest) });
        await push(target, referrer(subject.manifest, 'a/b', 'ours'));
        const written = await target.manifest(fallbackTag(subject.manifest.digest));
        const document = JSON.parse(Buffer.from(written?.bytes ?? []).toString());
        assert.deepEqual(document.annotations, { other: 'tool' });
        assert.equal(document.manifests[0].digest, stranger.manifest.digest);
        assert.equal(document.manifests.length, 2);
      },
    },
    {
      name: 'drops deleted entries of others only when the registry refuses the index otherwise',
      run: async () => {
        const target = await store();
        const subject = image('subject');
        await push(target, subject, 'v1');
        const [gone, kept] = [image('gone'), image('kept')];
        await push(target, gone);
        await push(target, kept);
        const tag = fallbackTag(subject.manifest.digest);
        await target.putManifest(index([gone.manifest, kept.manifest]), { tag });
        await target.deleteManifest(gone.manifest.digest);
        const ours = referrer(subject.manifest, 'a/b', 'ours');
        await push(target, ours);
        const { descriptors } = await target.referrers(subject.manifest.digest);
        assert.deepEqual(
          descriptors.map(({ digest }) => digest),
          [kept.manifest.digest, ours.manifest.digest],
        );
      },
    },
    {
      name: 'refuses a manifest before its blobs',
      run: async () => {
        const target = await store();
        await assert.rejects(target.putManifest(image('nothing').manifest, { tag: 'v1' }), {
          code: 'registry.refused',
        });
      },
    },
    {
      name: 'cannot delete a tag, and that is said',
      run: async () => {
        const target = await store();
        await push(target, image('one'), 'v1');
        await assert.rejects(target.deleteTag('v1'), { code: 'registry.unsupported' });
      },
    },
    {
      name: 'takes an index after its children',
      run: async () => {
        const target = await store();
        const child = image('child');
        await push(target, child);
        const list = index([child.manifest]);
        await target.putManifest(list, { tag: 'multi' });
        assert.equal((await target.resolve('multi'))?.mediaType, list.mediaType);
        await target.putBlob(EMPTY, EMPTY.bytes);
      },
    },
  ];
  for (const { name, run } of cases) {
    it(name, async (t) => {
      if (requirePeer(t, 'docker-registry') !== null) await run();
    });
  }
});
