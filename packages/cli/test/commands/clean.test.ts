import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { COMPANIONS } from '@bulla/trust/formats/cosign-legacy/companions';
import { copyArtifact } from '@bulla/trust/oci/copy';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { startDockerRegistry } from '../../../../test/docker-registry.ts';
import { requirePeer } from '../../../../test/peers.ts';
import { bulla, vector } from './run.ts';

const OPTIONS = { env: {}, homeFolder: '/nonexistent' };

/** Two images in a repository: one with bundles, one with a `.sig` tag. */
async function fill(host: string): Promise<void> {
  const target = await openStore(parseReference(`${host}/app`), OPTIONS);
  for (const [layout, tag] of [
    ['cosign-key-bundle.tar', 'two-keys'],
    ['cosign-key-legacy', 'p256'],
  ] as const) {
    const source = await openStore(parseReference(`oci:${vector(`oci/${layout}`)}`), OPTIONS);
    await copyArtifact(source, tag, target, { tag, referrers: true, companions: COMPANIONS });
  }
}

async function cleanEach(host: string): Promise<void> {
  const asked = await bulla(['clean', `${host}/app:two-keys`]);
  assert.equal(asked.code, 2, 'without a terminal it wants --force');
  assert.match(asked.err, /signature sigstore-bundle sha256:/);
  for (const tag of ['two-keys', 'p256']) {
    const run = await bulla(['clean', `${host}/app:${tag}`, '--type', 'signature', '--force']);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /^removed signature/m);
    const key = vector('keys/p256.pub');
    const verified = await bulla(['verify', `${host}/app:${tag}`, '--key', key, '-o', 'json']);
    assert.equal(verified.code, 1, 'the artifact is there, and its signatures are gone');
    assert.match(verified.out, /signature\.none/);
  }
}

test('clean removes evidence where the referrers API is', async () => {
  await using registry = await startRegistry({ storage: 'memory' });
  await fill(registry.host);
  await cleanEach(registry.host);
  const again = await bulla(['clean', `${registry.host}/app:p256`]);
  assert.equal(again.code, 0);
  assert.match(again.out, /^nothing to remove/);
});

test('clean removes evidence and its fallback entries elsewhere', async (t) => {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return;
  await using registry = await startDockerRegistry(program);
  await fill(registry.host);
  await cleanEach(registry.host);
});
