import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { companionTag } from '../src/formats/cosign-legacy/layer.ts';
import { takeInventory } from '../src/inventory.ts';
import { openLayout } from '../src/oci/layout/layout-store.ts';
import { parseManifest } from '../src/oci/manifest.ts';
import { parseReference } from '../src/oci/reference.ts';
import { openParcel, readTrustedRoot, saveParcel } from '../src/parcel.ts';
import { image, push } from './oci/sample.ts';

const VECTORS = fileURLToPath(new URL('../../../vectors/cosign/oci/', import.meta.url));
const MULTIARCH = join(VECTORS, 'cosign-multiarch');

async function folderFor(t: { after(run: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-parcel-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The multi-arch fixture as if it lay in a registry under this name. */
async function multiarch(name: string) {
  return { reference: parseReference(name), source: await openLayout(MULTIARCH) };
}

test('a parcel holds the artifact, its children, and what is attached to each', async (t) => {
  const base = await folderFor(t);
  const recursive = await multiarch(`oci:${MULTIARCH}:recursive`);
  const trustedRoot = { bytes: Buffer.from('{"a":1}'), mediaType: 'application/json' };
  for (const output of [join(base, 'parcel'), join(base, 'parcel.tar')]) {
    await t.test(output.endsWith('.tar') ? 'as a tar archive' : 'as a folder', async () => {
      await saveParcel({ images: [recursive], output, trustedRoot });
      const parcel = await openParcel(output);
      assert.deepEqual(
        parcel.images.map(({ name }) => name),
        ['recursive'],
      );
      assert.deepEqual(Buffer.from(await readTrustedRoot(parcel)), trustedRoot.bytes);
      const node = await takeInventory(parcel.source, 'recursive');
      assert.deepEqual(
        [node.attached.length, ...node.children.map((child) => child.attached.length)],
        [1, 1, 1],
      );
    });
  }
  await t.test('the only artifact of it needs no name', async () => {
    const { source, images } = await openParcel(join(base, 'parcel.tar'));
    assert.equal((await source.resolve(''))?.digest, images[0]?.digest);
  });
  await t.test('the same content gives the same bytes', async () => {
    const again = join(base, 'again.tar');
    await saveParcel({ images: [recursive], output: again, trustedRoot });
    assert.deepEqual(await readFile(again), await readFile(join(base, 'parcel.tar')));
  });
  await t.test('nothing but what was asked for is left beside it', async () => {
    assert.deepEqual((await readdir(base)).sort(), ['again.tar', 'parcel', 'parcel.tar']);
  });
});

test('a save that fails leaves nothing behind', async (t) => {
  const base = await folderFor(t);
  const source = await openLayout(join(base, 'source'), { createLayout: true });
  const whole = image('whole');
  await push(source, whole, 'app');
  const lost = { ...source, blob: async () => null };
  const cases = [
    {
      name: 'a blob that the source lacks',
      images: [{ reference: parseReference('oci:x:app'), source: lost }],
      expect: 'content.missing',
    },
    {
      name: 'an artifact that is not there',
      images: [{ reference: parseReference('oci:x:none'), source }],
      expect: 'artifact.not-found',
    },
  ];
  for (const { name, images, expect } of cases) {
    await t.test(name, async () => {
      const output = join(base, 'out.tar');
      await assert.rejects(saveParcel({ images, output, trustedRoot: null }), { code: expect });
      assert.deepEqual(await readdir(base), ['source']);
    });
  }
});

test('a parcel refuses two things under one name', async (t) => {
  const base = await folderFor(t);
  const app = image('app');
  const stores = [];
  for (const text of ['one', 'two']) {
    const store = await openLayout(join(base, text), { createLayout: true });
    await push(store, app, 'app');
    await push(store, image(text), companionTag(app.manifest.digest, 'sbom'));
    await push(store, image(text), 'other');
    stores.push(store);
  }
  const [one, two] = stores;
  assert.ok(one !== undefined && two !== undefined);
  const cases = [
    { name: 'one name, two artifacts', first: 'oci:x:other', second: 'oci:y:other' },
    { name: 'one digest, two bills of materials', first: 'oci:x:app', second: 'r.example/a/b:app' },
  ];
  for (const { name, first, second } of cases) {
    await t.test(name, async () => {
      const images = [
        { reference: parseReference(first), source: one },
        { reference: parseReference(second), source: two },
      ];
      const output = join(base, 'out');
      await assert.rejects(saveParcel({ images, output, trustedRoot: null }), {
        code: 'parcel.conflict',
      });
    });
  }
});

test('a parcel joins the signatures of one digest from several repositories', async (t) => {
  const base = await folderFor(t);
  const app = image('app');
  const tag = companionTag(app.manifest.digest, 'sig');
  const sources = [];
  for (const text of ['one', 'two', 'elsewhere']) {
    const store = await openLayout(join(base, text), { createLayout: true });
    if (text !== 'elsewhere') await push(store, app, 'app');
    await push(store, image(text), tag);
    sources.push(store);
  }
  const [one, two, evidence] = sources;
  assert.ok(one !== undefined && two !== undefined && evidence !== undefined);
  const images = [
    { reference: parseReference('r.example/a:app'), source: one },
    { reference: parseReference('r.example/b:app'), source: two },
  ];
  const output = join(base, 'parcel');
  await saveParcel({ images, output, trustedRoot: null, evidence });
  const { source } = await openParcel(output);
  const stored = await source.manifest(tag);
  assert.ok(stored !== null);
  const manifest = parseManifest(stored);
  assert.ok(manifest.kind === 'image');
  const expected = [image('one'), image('elsewhere'), image('two')];
  assert.deepEqual(
    manifest.layers.map(({ digest }) => digest),
    expected.map(({ layer }) => layer.digest),
  );
  for (const { layer } of expected) assert.ok(await source.blob(layer));
});

test('places that cannot be written or read as a parcel', async (t) => {
  const base = await folderFor(t);
  const images = [await multiarch('registry.example/app:recursive')];
  await writeFile(join(base, 'file.tar'), 'mine');
  await mkdir(join(base, 'folder'));
  await writeFile(join(base, 'folder', 'mine'), 'mine');
  for (const [output, kept] of [
    ['file.tar', 'file.tar'],
    ['folder', 'folder/mine'],
  ] as const) {
    await t.test(`${output} is not overwritten`, async () => {
      const save = saveParcel({ images, output: join(base, output), trustedRoot: null });
      await assert.rejects(save, { code: 'usage.file' });
      assert.equal(await readFile(join(base, kept), 'utf8'), 'mine');
    });
  }
  await t.test('a plain layout is no parcel', async () => {
    await assert.rejects(openParcel(MULTIARCH), { code: 'parcel.malformed' });
  });
  await t.test('a parcel without trust root says so', async () => {
    const output = join(base, 'none');
    await saveParcel({ images, output, trustedRoot: null });
    await assert.rejects(readTrustedRoot(await openParcel(output)), { code: 'parcel.malformed' });
  });
});
