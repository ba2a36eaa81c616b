import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openLayout } from '@bulla/trust/oci/layout/layout-store';
import { parseManifest } from '@bulla/trust/oci/manifest';

const FOLDER = join(import.meta.dirname, '../../../../../vectors/cosign/oci');
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

// What cosign wrote: layouts as folders and as archives, referrers with and without a fallback tag.
const CASES = [
  { file: 'cosign-fallback-tag.tar', tag: 'both', by: 'tag', referrers: 2 },
  { file: 'cosign-fallback-tag.tar', tag: 'key', by: 'tag', referrers: 1 },
  { file: 'cosign-attestations.tar', tag: 'key-legacy', by: 'api', referrers: 0 },
  { file: 'cosign-key-legacy', tag: 'p256', by: 'api', referrers: 0 },
] as const;

describe('layouts that hold what cosign wrote', () => {
  for (const { file, tag, by, referrers } of CASES) {
    it(`${file} ${tag}: ${referrers} referrers by ${by}`, async () => {
      const store = await openLayout(join(FOLDER, file));
      const image = await store.manifest(tag);
      assert.ok(image);
      const manifest = parseManifest(image);
      assert.ok(manifest.kind === 'image');
      assert.ok(await store.blob(manifest.config));
      const found = await store.referrers(image.digest);
      assert.deepEqual(
        [found.by, found.descriptors.length, found.broken.length],
        [by, referrers, 0],
      );
      for (const { artifactType } of found.descriptors) assert.equal(artifactType, BUNDLE);
    });
  }

  it('companion tags of cosign are found by their names', async () => {
    const store = await openLayout(join(FOLDER, 'cosign-key-legacy'));
    const image = await store.resolve('p256');
    assert.ok(image && (await store.resolve(`${image.digest.replace(':', '-')}.sig`)));
  });
});
