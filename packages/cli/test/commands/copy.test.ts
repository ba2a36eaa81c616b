import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { takeInventory } from '@bulla/trust/inventory';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { startDockerRegistry } from '../../../../test/docker-registry.ts';
import { requirePeer } from '../../../../test/peers.ts';
import { bulla, emptyFolder, vector } from './run.ts';

const OPTIONS = { env: {}, homeFolder: '/nonexistent' };
const KEY = vector('keys/p256.pub');

test('copy takes signatures of children, of the index, and companion tags along', async (t) => {
  await using registry = await startRegistry({ storage: 'memory' });
  const target = `${registry.host}/team/app`;

  await t.test('a multi-arch image, signed in all its nodes, to a registry', async () => {
    const source = `oci:${vector('oci/cosign-multiarch')}:recursive`;
    const run = await bulla(['copy', source, `${target}:v1`]);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /^copied oci:/);
    assert.match(run.err, /^copied blob sha256:/m, 'plain lines of progress');
    assert.equal(run.err.includes('\u001b'), false, 'no escapes where there is no terminal');
    const node = await takeInventory(await openStore(parseReference(target), OPTIONS), 'v1');
    assert.equal(node.attached.length, 1);
    assert.deepEqual(
      node.children.map((child) => child.attached.length),
      [1, 1],
    );
  });
  await t.test('once more copies nothing', async () => {
    const source = `oci:${vector('oci/cosign-multiarch')}:recursive`;
    const run = await bulla(['copy', source, `${target}:v1`]);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /blobs: 0 copied/);
    assert.match(run.out, /manifests: 0 copied/);
  });
  await t.test('legacy signatures by their tags; the name of the source is kept', async () => {
    const legacy = `${registry.host}/legacy`;
    const run = await bulla(['copy', `oci:${vector('oci/cosign-key-legacy')}:p256`, legacy]);
    assert.equal(run.code, 0, run.err);
    const verified = await bulla(['verify', `${legacy}:p256`, '--key', KEY]);
    assert.equal(verified.code, 0, verified.out + verified.err);
  });
  await t.test('a layout is made where none is', async () => {
    await using folder = await emptyFolder();
    const layout = `oci:${folder.path}/new`;
    const run = await bulla(['copy', `${target}:v1`, `${layout}:copied`]);
    assert.equal(run.code, 0, run.err);
    const node = await takeInventory(await openStore(parseReference(layout), OPTIONS), 'copied');
    assert.deepEqual(
      node.children.map((child) => child.attached.length),
      [1, 1],
    );
  });
  await t.test(
    'a target digest that is not the source’s is wrong use, and nothing is written',
    async () => {
      const other = `sha256:${'0'.repeat(64)}`;
      const run = await bulla(['copy', `${target}:v1`, `${registry.host}/other@${other}`]);
      assert.equal(run.code, 2);
      const store = await openStore(parseReference(`${registry.host}/other`), OPTIONS);
      assert.deepEqual(await store.tags(), []);
    },
  );
});

test('copy to a registry without referrers API keeps the fallback tag', async (t) => {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return;
  await using registry = await startDockerRegistry(program);
  const target = `${registry.host}/app:v1`;
  const run = await bulla([
    'copy',
    `oci:${vector('oci/cosign-key-bundle.tar')}:nolog-p256`,
    target,
  ]);
  assert.equal(run.code, 0, run.err);
  const verified = await bulla(['verify', target, '--key', KEY]);
  assert.equal(verified.code, 0, verified.out + verified.err);
  const tree = await bulla(['tree', target]);
  assert.match(tree.out, /\(by the fallback tag\)/);
});
