import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CleanType, carryOutClean, planClean } from '../src/clean.ts';
import { TrustFault } from '../src/fault/fault.ts';
import { companionTag, SIMPLE_SIGNING_MEDIA_TYPE } from '../src/formats/cosign-legacy/layer.ts';
import { takeInventory } from '../src/inventory.ts';
import { openLayout } from '../src/oci/layout/layout-store.ts';
import type { ArtifactTarget } from '../src/oci/store.ts';
import { image, index, point, push, referrer, sample } from './oci/sample.ts';

const app = image('app');
const other = image('another artifact');
const SIG = companionTag(app.manifest.digest, 'sig');

/** An image with one of each: a notation signature (itself signed), an SBOM, a scan, a `.sig`. */
async function filled(t: TestContext): Promise<ArtifactTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-clean-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const store = await openLayout(folder, { createLayout: true });
  await push(store, app, 'app');
  await push(store, other, 'other');
  const notation = referrer(app.manifest, 'application/vnd.cncf.notary.signature', 'notation');
  await push(store, notation);
  await push(
    store,
    referrer(notation.manifest, 'application/vnd.cncf.notary.signature', 'counter'),
  );
  await push(store, referrer(app.manifest, 'application/spdx+json', 'sbom'));
  await push(store, referrer(app.manifest, 'application/vnd.example.scan', 'scan'));
  const layer = sample(Buffer.from('{}'), SIMPLE_SIGNING_MEDIA_TYPE);
  await push(store, { ...image('sig', { layers: [point(layer)] }), layer }, SIG);
  return store;
}

const TYPES: readonly { readonly type: CleanType; readonly gone: number; readonly left: object }[] =
  [
    { type: 'signature', gone: 3, left: { sbom: 1, referrer: 1 } },
    { type: 'sbom', gone: 1, left: { signature: 2, referrer: 1 } },
    { type: 'attestation', gone: 0, left: { signature: 2, sbom: 1, referrer: 1 } },
    { type: 'referrer', gone: 4, left: { signature: 1 } },
    { type: 'all', gone: 5, left: {} },
  ];

test('each type removes its own and leaves the rest, and the artifact', async (t) => {
  for (const { type, gone, left } of TYPES) {
    await t.test(type, async (t) => {
      const store = await filled(t);
      const plan = await planClean(store, 'app', type);
      const removals = await carryOutClean(store, plan);
      assert.deepEqual(
        removals.map(({ fault }) => fault?.code),
        Array.from({ length: gone }, () => undefined),
      );
      const { attached } = await takeInventory(store, 'app');
      const counts: Record<string, number> = {};
      for (const { kind } of attached) counts[kind] = (counts[kind] ?? 0) + 1;
      assert.deepEqual(counts, left);
    });
  }
});

test('what is no evidence is not removed', async (t) => {
  await t.test('an artifact under a .sig tag loses the tag and stays', async (t) => {
    const store = await filled(t);
    await store.putManifest(other.manifest, { tag: SIG });
    await carryOutClean(store, await planClean(store, 'app', 'all'));
    assert.equal(await store.resolve(SIG), null);
    assert.equal((await store.resolve('other'))?.digest, other.manifest.digest);
    assert.notEqual(await store.manifest(other.manifest.digest), null);
  });
  await t.test('an artifact without layers is none either', async (t) => {
    const store = await filled(t);
    const bare = { ...image('bare', { layers: [] }), layer: other.layer };
    await push(store, bare, 'bare');
    await store.putManifest(bare.manifest, { tag: SIG });
    await carryOutClean(store, await planClean(store, 'app', 'all'));
    assert.equal((await store.resolve('bare'))?.digest, bare.manifest.digest);
  });
  await t.test('and where tags cannot be deleted alone, the removal is refused', async (t) => {
    const store = await filled(t);
    await store.putManifest(other.manifest, { tag: SIG });
    const limited: ArtifactTarget = {
      ...store,
      deleteTag: async () => {
        throw new TrustFault('registry.unsupported', 'tags');
      },
    };
    const removals = await carryOutClean(limited, await planClean(limited, 'app', 'all'));
    const [refused] = removals.filter(({ attachment }) => attachment.tag === SIG);
    assert.equal(refused?.fault?.code, 'clean.refused');
    assert.notEqual(await store.manifest(other.manifest.digest), null);
  });
  await t.test('a fallback entry that is about another artifact', async (t) => {
    const store = await filled(t);
    const { mediaType, digest, size } = other.manifest;
    const lying: ArtifactTarget = {
      ...store,
      referrers: async () => ({
        descriptors: [{ mediaType, digest, size }],
        by: 'tag',
        broken: [],
      }),
    };
    const plan = await planClean(lying, 'app', 'referrer');
    assert.deepEqual([plan.removals.length, plan.kept.length], [0, 1]);
  });
  await t.test('a tag that moved after the plan was made', async (t) => {
    const store = await filled(t);
    const plan = await planClean(store, 'app', 'signature');
    await push(store, image('new signatures'), SIG);
    const removals = await carryOutClean(store, plan);
    assert.ok(removals.some(({ fault }) => fault?.code === 'clean.refused'));
    assert.notEqual(await store.resolve(SIG), null);
  });
  await t.test('a BuildKit manifest with a subject, which its index lists', async (t) => {
    const store = await filled(t);
    const type = 'application/vnd.docker.attestation.manifest.v1+json';
    const claim = referrer(other.manifest, type, 'claim');
    await push(store, claim);
    await store.putManifest(index([other.manifest, claim.manifest]), { tag: 'multi' });
    const plan = await planClean(store, 'other', 'all');
    assert.deepEqual([plan.removals.length, plan.kept.length], [0, 1]);
  });
});

test('evidence in another repository is removed there', async (t) => {
  const store = await filled(t);
  const evidence = await filled(t);
  const plan = await planClean(store, 'app', 'all', { evidenceSource: evidence });
  await carryOutClean(evidence, plan);
  assert.equal((await takeInventory(evidence, 'app')).attached.length, 0);
  assert.notEqual((await takeInventory(store, 'app')).attached.length, 0);
});
