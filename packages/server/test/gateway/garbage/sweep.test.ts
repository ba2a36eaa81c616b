import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GATEWAY_CONFIG } from '../../../src/gateway/config.ts';
import { OPEN_PORTS } from '../../../src/gateway/ports.ts';
import { createGateway } from '../../../src/gateway/service.ts';
import { openMemory } from '../../../src/storage/memory/open.ts';
import { digestOf } from '../client.ts';

const MOUNT = { from: null, may: () => true, mounter: null };

test('content goes a grace after the last repository let go of it', async () => {
  let now = new Date('2026-01-01T00:00:00Z');
  await using store = openMemory();
  const { objects, registers } = store;
  const gateway = createGateway({
    objects,
    registers,
    config: GATEWAY_CONFIG,
    ports: OPEN_PORTS,
    clock: () => now,
  });
  const digest = digestOf('blob');
  const push = async (repository: string) => {
    const upload = await gateway.startUpload(repository, 'sha256');
    const content = (async function* () {
      yield Buffer.from('blob');
    })();
    await gateway.appendChunk(repository, upload, { content, range: null, length: null });
    await gateway.finishUpload(repository, upload, digest);
  };
  await push('a');
  assert.equal(await gateway.mountBlob('b', digest, { ...MOUNT, from: 'a' }), true);
  await gateway.deleteBlob('a', digest);
  now = new Date('2026-01-10T00:00:00Z');
  assert.equal((await gateway.sweep()).objects, 0, 'b has it');
  await gateway.deleteBlob('b', digest);
  assert.equal((await gateway.sweep()).objects, 0, 'within the grace');
  await push('c');
  now = new Date('2026-01-20T00:00:00Z');
  assert.equal((await gateway.sweep()).objects, 0, 'c came in time');
  await gateway.deleteBlob('c', digest);
  now = new Date('2026-01-22T00:00:00Z');
  assert.equal((await gateway.sweep()).objects, 1);
  assert.equal(await gateway.mountBlob('d', digest, MOUNT), false);
});
