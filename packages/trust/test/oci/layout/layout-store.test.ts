import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { blobName } from '@bulla/trust/oci/layout/content';
import { openLayout } from '@bulla/trust/oci/layout/layout-store';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import { fallbackTag } from '@bulla/trust/oci/referrer-list';
import { collect, EMPTY, image, index, point, push, referrer, sample } from '../sample.ts';

let root: string;
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'bulla-layout-'));
});
after(() => rm(root, { recursive: true, force: true }));

async function fresh() {
  const path = join(root, String(count++));
  return { path, store: await openLayout(path, { createLayout: true }) };
}

async function indexOf(path: string) {
  return JSON.parse(await readFile(join(path, 'index.json'), 'utf8'));
}

describe('a layout as source and target', () => {
  it('gives back what was stored, by tag and by digest', async () => {
    const { store } = await fresh();
    const app = image('one');
    await push(store, app, 'v1');
    assert.equal((await store.resolve('v1'))?.digest, app.manifest.digest);
    assert.deepEqual(
      (await store.manifest(app.manifest.digest))?.bytes,
      Buffer.from(app.manifest.bytes),
    );
    assert.deepEqual(await store.blob(app.layer), Buffer.from('one'));
    assert.deepEqual(await collect(await store.blobStream(app.layer)), Buffer.from('one'));
    assert.equal(await store.resolve('v2'), null);
    assert.equal(await store.blob(sample(utf8('x'), 'a/b')), null);
    assert.deepEqual(await store.tags(), ['v1']);
    assert.equal((await store.resolve(''))?.digest, app.manifest.digest);
  });

  it('moves a tag', async () => {
    const { store } = await fresh();
    const [one, two] = [image('one'), image('two')];
    await push(store, one, 'v1');
    await push(store, two, 'v1');
    assert.equal((await store.resolve('v1'))?.digest, two.manifest.digest);
    assert.deepEqual(await store.tags(), ['v1']);
    assert.ok(await store.manifest(one.manifest.digest));
  });

  it('keeps members and entries of others that it does not know', async () => {
    const { path, store } = await fresh();
    await push(store, image('one'), 'v1');
    const document = await indexOf(path);
    document.annotations = { other: 'tool' };
    document.manifests[0].urls = ['https://a.example'];
    await writeFile(join(path, 'index.json'), JSON.stringify(document));
    await push(store, image('two'), 'v2');
    const next = await indexOf(path);
    assert.deepEqual(next.annotations, { other: 'tool' });
    assert.deepEqual(next.manifests[0].urls, ['https://a.example']);
  });

  it('lists the children of an index through the index only', async () => {
    const { path, store } = await fresh();
    const child = image('child');
    await push(store, child);
    assert.equal((await indexOf(path)).manifests.length, 1);
    const list = index([child.manifest]);
    await store.putManifest(list, { tag: 'multi' });
    assert.deepEqual(
      (await indexOf(path)).manifests.map(({ digest }: { digest: string }) => digest),
      [list.digest],
    );
    assert.equal((await store.manifest(child.manifest.digest))?.mediaType, MEDIA_TYPES.ociManifest);
  });

  it('refuses a manifest before what it names', async () => {
    const { store } = await fresh();
    const app = image('one');
    await assert.rejects(store.putManifest(app.manifest, { tag: 'v1' }), {
      code: 'content.missing',
    });
    assert.equal(await store.resolve('v1'), null);
  });

  it('refuses content of another digest or size and leaves nothing behind', async () => {
    const { path, store } = await fresh();
    const { layer } = image('one');
    async function* slow() {
      yield utf8('on');
      yield utf8('e!');
    }
    for (const content of [utf8('two'), utf8('on'), slow()]) {
      await assert.rejects(store.putBlob(layer, content), { code: 'registry.digest-mismatch' });
    }
    assert.deepEqual(await readdir(join(path, 'blobs', 'sha256')), []);
  });

  it('refuses content that was altered on disk', async () => {
    const { path, store } = await fresh();
    const app = image('one');
    await push(store, app, 'v1');
    await writeFile(join(path, blobName(app.layer.digest)), 'two');
    await writeFile(join(path, blobName(app.manifest.digest)), '{}');
    await assert.rejects(store.blob(app.layer), { code: 'registry.digest-mismatch' });
    await assert.rejects(store.manifest('v1'), { code: 'registry.digest-mismatch' });
    await assert.rejects(collect(await store.blobStream(app.layer)), {
      code: 'registry.digest-mismatch',
    });
  });

  it('never follows a link out of the layout', async () => {
    const { path, store } = await fresh();
    const secret = sample(utf8('secret'), 'a/b');
    await writeFile(join(root, 'secret'), 'secret');
    await symlink(join(root, 'secret'), join(path, blobName(secret.digest)));
    await assert.rejects(store.blob(secret), { code: 'layout.malformed' });
  });

  it('deletes tags and manifests', async () => {
    const { store } = await fresh();
    const app = image('one');
    await push(store, app, 'v1');
    assert.equal(await store.deleteTag('v1'), true);
    assert.equal(await store.deleteTag('v1'), false);
    assert.ok(await store.resolve(app.manifest.digest));
    assert.equal(await store.deleteManifest(app.manifest.digest), true);
    assert.equal(await store.deleteManifest(app.manifest.digest), false);
    assert.equal(await store.resolve(app.manifest.digest), null);
  });

  it('loses no entry of writers at the same time', async () => {
    const { path } = await fresh();
    const apps = Array.from({ length: 12 }, (_, at) => image(`app ${at}`));
    await Promise.all(apps.map(async (app, at) => push(await openLayout(path), app, `v${at}`)));
    assert.equal((await (await openLayout(path)).tags()).length, 12);
    assert.deepEqual((await readdir(path)).sort(), ['blobs', 'index.json', 'oci-layout']);
  });

  const blank = [
    { name: 'nothing at the path', file: undefined, code: 'usage.file' },
    { name: 'an index.json that is no JSON', file: '<html>', code: 'json.malformed' },
    { name: 'an index.json without version', file: '{"manifests":[]}', code: 'layout.malformed' },
    {
      name: 'an entry that is no descriptor',
      file: '{"schemaVersion":2,"manifests":[{}]}',
      code: 'layout.malformed',
    },
  ];
  for (const { name, file, code } of blank) {
    it(`${name}: ${code}`, async () => {
      const path = join(root, String(count++));
      if (file !== undefined) {
        await openLayout(path, { createLayout: true });
        await writeFile(join(path, 'index.json'), file);
      }
      await assert.rejects((await openLayout(path)).resolve('v1'), { code });
    });
  }
});

describe('names in a layout', () => {
  async function named(...names: readonly (readonly [string, string])[]) {
    const { path, store } = await fresh();
    for (const [text, tag] of names) await push(store, image(text), tag);
    return { path, store };
  }
  const digestOf = (text: string) => image(text).manifest.digest;

  it('the whole name comes before the part after its colon', async () => {
    const { store } = await named(['a', 'repo:v1'], ['b', 'v1']);
    assert.equal((await store.resolve('v1'))?.digest, digestOf('b'));
    assert.equal((await store.resolve('repo:v1'))?.digest, digestOf('a'));
  });
  it('repo:tag is found by its tag', async () => {
    const { store } = await named(['a', 'registry.example:5000/app:v1']);
    assert.equal((await store.resolve('v1'))?.digest, digestOf('a'));
  });
  it('two repositories with one tag are ambiguous', async () => {
    const { store } = await named(['a', 'x:v1'], ['b', 'y:v1']);
    await assert.rejects(store.resolve('v1'), { code: 'layout.ambiguous' });
  });
  it('without a name, several artifacts are ambiguous', async () => {
    const { store } = await named(['a', 'v1'], ['b', 'v2']);
    await assert.rejects(store.resolve(''), { code: 'layout.ambiguous' });
  });
  it('companion tags do not make a layout ambiguous', async () => {
    const { store } = await named(['a', 'v1'], ['b', `sha256-${'0'.repeat(64)}.sig`]);
    assert.equal((await store.resolve(''))?.digest, digestOf('a'));
  });
});

describe('referrers in a layout', () => {
  const subject = image('subject');
  const one = referrer(subject.manifest, 'a/one', '1');
  const two = referrer(subject.manifest, 'a/two', '2');

  it('are found by their subject, filtered, with type and annotations', async () => {
    const { store } = await fresh();
    await push(store, subject, 'v1');
    await push(store, one);
    await push(store, two, 'named');
    await push(store, referrer(one.manifest, 'a/one', 'about one'));
    const all = await store.referrers(subject.manifest.digest);
    assert.equal(all.by, 'api');
    assert.deepEqual(all.descriptors.map(({ artifactType }) => artifactType).sort(), [
      'a/one',
      'a/two',
    ]);
    const some = await store.referrers(subject.manifest.digest, { artifactType: 'a/two' });
    assert.deepEqual(
      some.descriptors.map(({ digest }) => digest),
      [two.manifest.digest],
    );
    assert.deepEqual((await store.referrers(two.manifest.digest)).descriptors, []);
  });

  it('are found behind the fallback tag, and what is broken there is told', async () => {
    const { store } = await fresh();
    await push(store, subject, 'v1');
    await store.putBlob(EMPTY, EMPTY.bytes);
    const stranger = image('stranger');
    await push(store, stranger);
    await push(store, one);
    const list = index([one.manifest, stranger.manifest]);
    await store.putManifest(list, { tag: fallbackTag(subject.manifest.digest) });
    // `one` has a type of its own in index.json; a layout of the fallback kind lists it in the tag only.
    const found = await store.referrers(subject.manifest.digest);
    assert.deepEqual(
      found.descriptors.map(({ digest }) => digest),
      [one.manifest.digest],
    );
    assert.match(found.broken.join(), new RegExp(stranger.manifest.digest));
  });

  it('a list that claims a referrer does not make it one', async () => {
    const { store } = await fresh();
    await push(store, subject, 'v1');
    const foreign = referrer(image('other').manifest, 'a/one', 'x');
    await push(store, foreign);
    const list = index([], {
      manifests: [point(foreign.manifest, { artifactType: 'a/one' })],
    });
    await store.putManifest(list, { tag: fallbackTag(subject.manifest.digest) });
    assert.deepEqual((await store.referrers(subject.manifest.digest)).descriptors, []);
  });
});
