import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { takeInventory } from '../src/inventory.ts';
import { openLayout } from '../src/oci/layout/layout-store.ts';
import type { ArtifactSource } from '../src/oci/store.ts';
import { image, index, point, push, referrer } from './oci/sample.ts';

const VECTORS = fileURLToPath(new URL('../../../vectors/cosign/oci/', import.meta.url));

const CASES = [
  {
    name: 'bundle attestations by their predicate types',
    layout: 'cosign-attestations.tar',
    tag: 'key-bundle',
    expect: { by: 'api', kinds: ['attestation'], formats: ['sigstore-bundle'], types: 8 },
  },
  {
    name: 'the statements of an .att tag',
    layout: 'cosign-attestations.tar',
    tag: 'key-legacy',
    expect: { by: 'api', kinds: ['attestation'], formats: ['cosign-legacy'], types: 4 },
  },
  {
    name: 'the signatures of a .sig tag',
    layout: 'cosign-key-legacy',
    tag: 'two-keys',
    expect: { by: 'api', kinds: ['signature'], formats: ['cosign-legacy'], types: 0 },
  },
  {
    name: 'referrers of a fallback tag',
    layout: 'cosign-fallback-tag.tar',
    tag: 'both',
    expect: { by: 'tag', kinds: ['signature'], formats: ['sigstore-bundle'], types: 0 },
  },
];

test('what is attached is told by its content', async (t) => {
  for (const { name, layout, tag, expect } of CASES) {
    await t.test(name, async () => {
      const node = await takeInventory(await openLayout(join(VECTORS, layout)), tag);
      const each = <T>(read: (entry: (typeof node.attached)[number]) => T) => [
        ...new Set(node.attached.map(read)),
      ];
      assert.deepEqual(
        {
          by: node.referrersBy,
          kinds: each((entry) => entry.kind),
          formats: each((entry) => entry.format),
          types: new Set(node.attached.flatMap((entry) => entry.predicateTypes)).size,
        },
        expect,
      );
      assert.deepEqual(node.problems, []);
    });
  }
});

test('an inventory of what was written here', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-inventory-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const store = await openLayout(folder, { createLayout: true });
  const leaf = image('leaf');
  const claim = image('claim', {
    layers: [],
  });
  await push(store, leaf);
  await push(store, claim);
  const entry = point(claim.manifest, {
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': leaf.manifest.digest,
    },
  });
  const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
  const root = index([], { manifests: [point(leaf.manifest, { platform }), entry] });
  await store.putManifest(root, { tag: 'app' });
  const sbom = referrer(root, 'application/spdx+json', 'an sbom');
  await push(store, sbom);
  const notation = referrer(sbom.manifest, 'application/vnd.cncf.notary.signature', 'signed sbom');
  await push(store, notation);
  const other = referrer(leaf.manifest, 'application/vnd.example.scan', 'something else');
  await push(store, other);
  const node = await takeInventory(store, 'app');

  await t.test('names platforms, and what is attached to a child', () => {
    assert.deepEqual(
      node.children.map((child) => [child.platform, child.attached.map((entry) => entry.kind)]),
      [['linux/arm64/v8', ['referrer']]],
    );
  });
  await t.test('keeps buildx manifests apart: they are claims, no children', () => {
    assert.deepEqual(
      node.claims.map(({ digest, about }) => ({ digest, about })),
      [{ digest: claim.manifest.digest, about: leaf.manifest.digest }],
    );
  });
  await t.test('follows referrers of referrers', () => {
    assert.deepEqual(
      node.attached.map(({ kind, attached }) => [kind, attached.map((entry) => entry.format)]),
      [['sbom', ['notation']]],
    );
  });
  await t.test('an entry that is about another artifact is a problem, no referrer', async () => {
    const stranger = image('stranger');
    await push(store, stranger);
    const { mediaType, digest, size } = other.manifest;
    const lying: ArtifactSource = {
      ...store,
      referrers: async () => ({
        descriptors: [{ mediaType, digest, size }],
        by: 'tag',
        broken: [],
      }),
    };
    const found = await takeInventory(lying, stranger.manifest.digest);
    assert.deepEqual([found.attached.length, found.problems.length], [0, 1]);
  });
});
