import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { startDockerRegistry } from './docker-registry.ts';
import { requirePeer } from './peers.ts';

test('Debian’s registry starts empty on a free port, has no referrers API, and stops', async (t) => {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return;
  const registry = await startDockerRegistry(program);
  try {
    const catalog = await fetch(`http://${registry.host}/v2/_catalog`);
    assert.deepEqual(await catalog.json(), { repositories: [] });
    const digest = `sha256:${'0'.repeat(64)}`;
    const referrers = await fetch(`http://${registry.host}/v2/a/referrers/${digest}`);
    assert.equal(referrers.status, 404);
    await referrers.arrayBuffer();
  } finally {
    await registry.close();
  }
  await assert.rejects(fetch(`http://${registry.host}/v2/`));
  await registry.close();
});

test('as a cache, Debian’s registry answers with what another one has', async (t) => {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return;
  await using origin = await startDockerRegistry(program);
  await using cache = await startDockerRegistry(program, { proxyOf: `http://${origin.host}` });
  const bytes = Buffer.from('as it was pushed');
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const begun = await fetch(`http://${origin.host}/v2/a/blobs/uploads/`, { method: 'POST' });
  const pushed = await fetch(`${begun.headers.get('location')}&digest=${digest}`, {
    method: 'PUT',
    body: bytes,
  });
  assert.equal(pushed.status, 201);
  const pulled = await fetch(`http://${cache.host}/v2/a/blobs/${digest}`);
  assert.equal(await pulled.text(), 'as it was pushed');
});

test('a program that does not start as a registry is an error that names it', async () => {
  await assert.rejects(startDockerRegistry('/bin/false'), /docker-registry ended with 1/);
  await assert.rejects(startDockerRegistry('/no/such/program'), /docker-registry did not start/);
});
