import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startRegistry } from '@bulla/server/registry';
import { copyArtifact } from '@bulla/trust/oci/copy';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { startDockerRegistry } from '../../../../test/docker-registry.ts';
import { requirePeer } from '../../../../test/peers.ts';
import { bulla, emptyFolder, vector } from './run.ts';

const OPTIONS = { env: {}, homeFolder: '/nonexistent' };
const KEY = vector('keys/p256.pub');
const ROOT = vector('trust/trusted_root.json');

/** A registry with an image that has a bundle signature, as a place to save from. */
async function filledRegistry() {
  const registry = await startRegistry({ storage: 'memory' });
  const source = await openStore(
    parseReference(`oci:${vector('oci/cosign-key-bundle.tar')}`),
    OPTIONS,
  );
  const target = await openStore(parseReference(`${registry.host}/team/app`), OPTIONS);
  await copyArtifact(source, 'nolog-p256', target, { tag: 'v1', referrers: true });
  return registry;
}

test('what was saved is verified offline, loaded, and verified again', async (t) => {
  await using registry = await filledRegistry();
  await using folder = await emptyFolder();
  const image = `${registry.host}/team/app:v1`;
  const tar = join(folder.path, 'parcel.tar');
  const save = await bulla(['save', image, '--output', tar, '--trusted-root', ROOT]);
  assert.equal(save.code, 0, save.err);
  const dir = await bulla(['save', image, '--output', join(folder.path, 'parcel')]);
  assert.equal(dir.code, 0, dir.err);

  for (const parcel of [`${tar}:${image}`, `${folder.path}/parcel`]) {
    await t.test(`verify oci:…${parcel.slice(folder.path.length)} --offline`, async () => {
      const run = await bulla(['verify', `oci:${parcel}`, '--key', KEY, '--offline']);
      assert.equal(run.code, 0, run.out + run.err);
    });
  }
  await t.test('load --to keeps the name below a prefix', async () => {
    const run = await bulla(['load', tar, '--to', `${registry.host}/mirror`]);
    assert.equal(run.code, 0, run.err);
    const loaded = `${registry.host}/mirror/team/app:v1`;
    const verified = await bulla(['verify', loaded, '--key', KEY]);
    assert.equal(verified.code, 0, verified.out + verified.err);
  });
  await t.test('load without a destination pushes nothing on the parcel’s word alone', async () => {
    const run = await bulla(['load', tar]);
    assert.equal(run.code, 2);
    assert.equal(run.out, '');
    assert.match(run.err, /nobody signed/);
  });
  await t.test('load --trusted-root-out alone pushes nothing', async () => {
    const out = join(folder.path, 'root.json');
    const run = await bulla(['load', tar, '--trusted-root-out', out]);
    assert.equal(run.code, 0, run.err);
    assert.deepEqual(await readFile(out), await readFile(ROOT));
    assert.equal(run.out.includes('loaded'), false);
  });
  await t.test('a parcel without artifacts for the given targets is wrong use', async () => {
    const two = [`${registry.host}/a:1`, `${registry.host}/b:1`];
    assert.equal((await bulla(['load', tar, ...two])).code, 2);
  });
  await t.test('skopeo reads both forms', async (t) => {
    const skopeo = requirePeer(t, 'skopeo');
    if (skopeo === null) return;
    for (const name of [`oci-archive:${tar}:${image}`, `oci:${folder.path}/parcel:${image}`]) {
      const { stdout } = await promisify(execFile)(skopeo, ['inspect', '--raw', name]);
      assert.match(stdout, /"schemaVersion":\s*2/);
    }
  });
  await t.test('load into a registry without referrers API', async (t) => {
    const program = requirePeer(t, 'docker-registry');
    if (program === null) return;
    await using peer = await startDockerRegistry(program);
    const target = `${peer.host}/app:loaded`;
    const run = await bulla(['load', tar, target]);
    assert.equal(run.code, 0, run.err);
    const verified = await bulla(['verify', target, '--key', KEY]);
    assert.equal(verified.code, 0, verified.out + verified.err);
  });
});

test('save refuses a trust root that is none', async () => {
  await using folder = await emptyFolder();
  const output = join(folder.path, 'p.tar');
  const image = `oci:${vector('oci/cosign-multiarch')}:recursive`;
  const run = await bulla(['save', image, '--output', output, '--trusted-root', KEY]);
  assert.equal(run.code, 2);
  assert.match(run.err, /\[usage\.trust-root\]/);
});
