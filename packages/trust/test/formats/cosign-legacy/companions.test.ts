import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { COMPANIONS } from '@bulla/trust/formats/cosign-legacy/companions';
import { companionTag } from '@bulla/trust/formats/cosign-legacy/layer';
import { copyArtifact } from '@bulla/trust/oci/copy';
import type { Digest } from '@bulla/trust/oci/digest';
import { parseManifest } from '@bulla/trust/oci/manifest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { ArtifactTarget } from '@bulla/trust/oci/store';
import { EMPTY, image, index, point, push, sample } from '../../oci/sample.ts';

const OPTIONS = { env: {}, homeFolder: '/nonexistent' };
const app = image('app');
const { digest } = app.manifest;

/** A companion manifest whose layers are texts with annotations. */
function signatures(...layers: readonly (readonly [string, Record<string, string>])[]) {
  const samples = layers.map(([text]) => sample(Buffer.from(text), 'a/signature'));
  const document = {
    schemaVersion: 2,
    mediaType: app.manifest.mediaType,
    config: point(EMPTY),
    layers: samples.map((layer, at) => point(layer, { annotations: layers[at]?.[1] ?? {} })),
  };
  const bytes = Buffer.from(JSON.stringify(document));
  return { samples, manifest: sample(bytes, app.manifest.mediaType) };
}

async function put(store: ArtifactTarget, tag: string, one: ReturnType<typeof signatures>) {
  await store.putBlob(EMPTY, EMPTY.bytes);
  for (const layer of one.samples) await store.putBlob(layer, layer.bytes);
  await store.putManifest(one.manifest, { tag });
}

async function layersOf(store: ArtifactTarget, tag: string) {
  const stored = await store.manifest(tag);
  assert.ok(stored !== null);
  const manifest = parseManifest(stored);
  assert.ok(manifest.kind === 'image');
  return manifest.layers;
}

async function names(store: ArtifactTarget, tag: string): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const layer of await layersOf(store, tag)) {
    const bytes = await store.blob(layer);
    texts.push(`${Buffer.from(bytes ?? []).toString()}${layer.annotations?.['proof'] ?? ''}`);
  }
  return texts;
}

async function stores(host: string, run: string) {
  const open = (name: string) => openStore(parseReference(`${host}/${run}/${name}`), OPTIONS);
  const [source, target] = [await open('source'), await open('target')];
  await push(source, app, 'v1');
  return { source, target };
}

const a = ['a', {}] as const;
const b = ['b', {}] as const;

describe('companion tags of a copy', () => {
  const cases = [
    { name: 'others of the target stay', there: [a], added: [b], expect: ['a', 'b'], joined: 1 },
    {
      name: 'what the target has is not written again',
      there: [a, b],
      added: [b],
      expect: ['a', 'b'],
      joined: 0,
    },
    {
      name: 'more than the target has comes as it is',
      there: [a],
      added: [a, b],
      expect: ['a', 'b'],
      joined: 1,
    },
    {
      name: 'the same signature with a proof beside it is another one',
      there: [a],
      added: [['a', { proof: '+log' }] as const],
      expect: ['a', 'a+log'],
      joined: 1,
    },
  ] as const;
  for (const [at, { name, there, added, expect, joined }] of cases.entries()) {
    for (const kind of ['sig', 'att'] as const) {
      it(`${kind}: ${name}`, async () => {
        await using registry = await startRegistry({ storage: 'memory' });
        const { source, target } = await stores(registry.host, `case${at}`);
        const tag = companionTag(digest, kind);
        await put(source, tag, signatures(...added));
        await put(target, tag, signatures(...there));
        const result = await copyArtifact(source, 'v1', target, { companions: COMPANIONS });
        assert.deepEqual(await names(target, tag), expect);
        assert.deepEqual([result.joinedTags.length, result.replacedTags], [joined, []]);
        if (expect.length === added.length) {
          assert.deepEqual(await target.resolve(tag), await source.resolve(tag));
        }
      });
    }
  }
  it('sbom: one document, and the copied one takes its place', async () => {
    await using registry = await startRegistry({ storage: 'memory' });
    const { source, target } = await stores(registry.host, 'sbom');
    const tag = companionTag(digest, 'sbom');
    await put(source, tag, signatures(b));
    await put(target, tag, signatures(a));
    const result = await copyArtifact(source, 'v1', target, { companions: COMPANIONS });
    assert.deepEqual(await names(target, tag), ['b']);
    assert.deepEqual(result.replacedTags, [tag]);
  });
  it('an index under the target’s tag is a fault, and stays', async () => {
    await using registry = await startRegistry({ storage: 'memory' });
    const { source, target } = await stores(registry.host, 'index');
    const tag = companionTag(digest, 'sig');
    await put(source, tag, signatures(a));
    await push(target, app);
    const wrong = index([app.manifest]);
    await target.putManifest(wrong, { tag });
    const copied = copyArtifact(source, 'v1', target, { companions: COMPANIONS });
    await assert.rejects(copied, { code: 'cosign-legacy.malformed' });
    assert.equal((await target.resolve(tag))?.digest, wrong.digest);
  });
  it('another writer who comes between is joined as well', async () => {
    await using registry = await startRegistry({ storage: 'memory' });
    const { source, target } = await stores(registry.host, 'race');
    const tag = companionTag(digest, 'sig');
    await put(source, tag, signatures(b));
    await put(target, tag, signatures(a));
    let writes = 0;
    const raced: ArtifactTarget = {
      ...target,
      async putManifest(manifest, options): Promise<Digest> {
        const written = await target.putManifest(manifest, options);
        // Replaces what was just written, as a tool without any reading back would.
        if (options?.tag === tag && writes++ === 0)
          await put(target, tag, signatures(a, ['c', {}]));
        return written;
      },
    };
    await copyArtifact(source, 'v1', raced, { companions: COMPANIONS });
    assert.deepEqual(await names(target, tag), ['a', 'c', 'b']);
  });
  it('evidence of another repository goes along, beside that of its own', async () => {
    await using registry = await startRegistry({ storage: 'memory' });
    const { source, target } = await stores(registry.host, 'relocated');
    const evidence = await openStore(parseReference(`${registry.host}/signatures`), OPTIONS);
    const tag = companionTag(digest, 'sig');
    await put(source, tag, signatures(a));
    await put(evidence, tag, signatures(b));
    const referrer = image('r', { artifactType: 'a/b', subject: point(app.manifest) });
    await push(evidence, referrer);
    const options = { companions: COMPANIONS, referrers: true, evidence };
    await copyArtifact(source, 'v1', target, options);
    assert.deepEqual(await names(target, tag), ['a', 'b']);
    const { descriptors } = await target.referrers(digest);
    assert.deepEqual(
      descriptors.map((found) => found.digest),
      [referrer.manifest.digest],
    );
  });
});
