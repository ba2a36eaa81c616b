import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Registry, startRegistry } from '@bulla/server/registry';
import { mapBounded } from '@bulla/trust/oci/bounded';
import { type Companions, type CopyEvent, copyArtifact } from '@bulla/trust/oci/copy';
import type { Digest } from '@bulla/trust/oci/digest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { ArtifactTarget } from '@bulla/trust/oci/store';
import { image, index, push, referrer, sample } from './sample.ts';

let root: string;
let withApi: Registry;
let withoutApi: Registry;
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'bulla-copy-'));
  withApi = await startRegistry({ storage: 'memory' });
  withoutApi = await startRegistry({ storage: 'memory' }, { referrers: false });
});
after(async () => {
  await withApi.close();
  await withoutApi.close();
  await rm(root, { recursive: true, force: true });
});

const OPTIONS = { env: {}, homeFolder: '/nonexistent', createLayout: true, timeoutMs: 5_000 };
const KINDS = {
  layout: () => openStore(parseReference(`oci:${join(root, String(count++))}`), OPTIONS),
  'a registry with referrers': () =>
    openStore(parseReference(`${withApi.host}/app/${count++}`), OPTIONS),
  'a registry without': () =>
    openStore(parseReference(`${withoutApi.host}/app/${count++}`), OPTIONS),
};

const [amd, arm] = [image('amd64'), image('arm64')];
const multi = index([amd.manifest, arm.manifest]);
const onIndex = referrer(multi, 'a/signature', 'of the index');
const onChild = referrer(amd.manifest, 'a/signature', 'of the child');
const onReferrer = referrer(onIndex.manifest, 'a/signature', 'of the signature');
const companion = image('companion');
const companionTag = `${multi.digest.replace(':', '-')}.sig`;
const companions: Companions = {
  tags: (digest) => [`${digest.replace(':', '-')}.sig`, `${digest.replace(':', '-')}.att`],
  join: async () => 'replace',
};

async function fill(store: ArtifactTarget): Promise<void> {
  await push(store, amd);
  await push(store, arm);
  await store.putManifest(multi, { tag: 'v1' });
  for (const one of [onIndex, onChild, onReferrer]) await push(store, one);
  await push(store, companion, companionTag);
}

describe('a copy', () => {
  for (const [from, openSource] of Object.entries(KINDS)) {
    for (const [to, openTarget] of Object.entries(KINDS)) {
      it(`from ${from} to ${to} is whole, and the second time nothing is sent`, async () => {
        const [source, target] = [await openSource(), await openTarget()];
        await fill(source);
        const events: CopyEvent[] = [];
        const options = { tag: 'v2', referrers: true, companions };
        const result = await copyArtifact(source, 'v1', target, {
          ...options,
          onProgress: (event) => events.push(event),
        });
        assert.equal(result.digest, multi.digest);
        assert.deepEqual([result.broken, result.replacedTags], [[], []]);
        assert.equal(result.manifests, 7);
        assert.equal((await target.resolve('v2'))?.digest, multi.digest);
        assert.equal((await target.resolve(companionTag))?.digest, companion.manifest.digest);
        for (const { manifest, layer } of [amd, arm, onIndex, onChild, onReferrer, companion]) {
          const stored = await target.manifest(manifest.digest);
          assert.deepEqual(Buffer.from(stored?.bytes ?? []), Buffer.from(manifest.bytes));
          assert.ok(await target.hasBlob(layer.digest));
        }
        for (const [subject, expect] of [
          [multi, onIndex],
          [amd.manifest, onChild],
          [onIndex.manifest, onReferrer],
        ] as const) {
          const { descriptors } = await target.referrers(subject.digest);
          assert.deepEqual(
            descriptors.map(({ digest }) => digest),
            [expect.manifest.digest],
          );
        }
        const again: CopyEvent[] = [];
        await copyArtifact(source, 'v1', target, {
          ...options,
          onProgress: (event) => again.push(event),
        });
        assert.ok(events.some(({ how }) => how !== 'present'));
        assert.deepEqual(
          again.filter(({ how }) => how !== 'present'),
          [],
        );
      });
    }
  }

  it('within a registry mounts', async () => {
    const open = KINDS['a registry with referrers'];
    const [source, target] = [await open(), await open()];
    await fill(source);
    const how = new Set<string>();
    await copyArtifact(source, 'v1', target, {
      onProgress: (event) => event.what === 'blob' && how.add(event.how),
    });
    assert.ok(how.has('mounted') && !how.has('copied'));
  });

  it('of large content streams', async () => {
    const [source, target] = [await KINDS.layout(), await KINDS['a registry without']()];
    const bytes = randomBytes((9 << 20) + 5);
    const layer = sample(bytes, 'application/vnd.oci.image.layer.v1.tar');
    const large = image('x', {
      layers: [{ mediaType: layer.mediaType, digest: layer.digest, size: layer.size }],
    });
    await push(source, image('x'));
    await source.putBlob(layer, bytes);
    await source.putManifest(large.manifest, { tag: 'large' });
    await copyArtifact(source, 'large', target);
    const found = await target.blob(layer);
    assert.ok(found !== null && Buffer.compare(found, bytes) === 0);
  });

  it('only of what was asked for', async () => {
    const [source, target] = [await KINDS.layout(), await KINDS.layout()];
    await fill(source);
    const result = await copyArtifact(source, amd.manifest.digest, target);
    assert.equal(result.manifests, 1);
    assert.deepEqual(await target.tags(), []);
    assert.equal(await target.resolve(multi.digest), null);
  });

  it('of what is not there, or not whole, is a fault that leaves no manifest behind', async () => {
    const [source, target] = [await KINDS.layout(), await KINDS.layout()];
    await assert.rejects(copyArtifact(source, 'v1', target), { code: 'content.missing' });
    await fill(source);
    await source.deleteManifest(arm.layer.digest);
    await assert.rejects(copyArtifact(source, 'v1', target), { code: 'content.missing' });
    assert.equal(await target.resolve(multi.digest), null);
    assert.equal(await target.resolve(arm.manifest.digest), null);
  });

  it('tells which companion tags pointed elsewhere', async () => {
    const [source, target] = [await KINDS.layout(), await KINDS.layout()];
    await fill(source);
    await push(target, image('older'), companionTag);
    const result = await copyArtifact(source, 'v1', target, { companions });
    assert.deepEqual(result.replacedTags, [companionTag]);
  });
});

describe('a tag that is written on a condition', () => {
  for (const [name, open] of Object.entries(KINDS)) {
    it(`in ${name} is left as it is when it has moved`, async () => {
      const target = await open();
      const [one, two] = [image('one'), image('two')];
      await push(target, one, 'v1');
      await push(target, two);
      const put = (replaces: Digest | null, tag = 'v1') =>
        target.putManifest(two.manifest, { tag, replaces });
      await assert.rejects(put(null), { code: 'registry.tag-moved' });
      await assert.rejects(put(two.manifest.digest), { code: 'registry.tag-moved' });
      assert.equal((await target.resolve('v1'))?.digest, one.manifest.digest);
      await put(one.manifest.digest);
      assert.equal((await target.resolve('v1'))?.digest, two.manifest.digest);
      await put(null, 'v2');
      assert.equal((await target.resolve('v2'))?.digest, two.manifest.digest);
    });
  }
});

describe('bounded work', () => {
  it('keeps the order and the bound', async () => {
    let running = 0;
    let most = 0;
    const results = await mapBounded([5, 1, 4, 2, 3], 2, async (ms) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, ms));
      running--;
      return ms * 2;
    });
    assert.deepEqual(results, [10, 2, 8, 4, 6]);
    assert.equal(most, 2);
  });
  it('throws the first failure when all that had begun has ended', async () => {
    const done: number[] = [];
    const work = mapBounded([1, 2, 3, 4], 2, async (item) => {
      await new Promise((resolve) => setTimeout(resolve, item * 5));
      if (item === 1) throw new Error('first');
      done.push(item);
    });
    await assert.rejects(work, /first/);
    assert.deepEqual(done, [2]);
  });
});
