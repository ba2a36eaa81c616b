import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GATEWAY_CONFIG } from '../../../src/gateway/config.ts';
import { contentName, KEYS } from '../../../src/gateway/keys.ts';
import type { Gateway } from '../../../src/gateway/service.ts';
import { openMemory } from '../../../src/storage/memory/open.ts';
import { ROOMS } from '../../storage/rooms.ts';
import { digestOf } from '../client.ts';
import { Died, openReplica } from '../interleaved.ts';

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;

async function upload(gateway: Gateway, repository: string, content: string): Promise<void> {
  const id = await gateway.startUpload(repository, 'sha256');
  const bytes = (async function* () {
    yield Buffer.from(content);
  })();
  await gateway.appendChunk(repository, id, { content: bytes, range: null, length: null });
  await gateway.finishUpload(repository, id, digestOf(content));
}

for (const room of ROOMS) {
  test(`content that a killed push left goes within seventeen days, ${room.name}`, async (t) => {
    await using place = await room.place(t);
    if (place === null) return;
    await using store = await place.open();
    let now = Date.parse('2020-01-01T00:30:00Z');
    const parts = { ...store, config: GATEWAY_CONFIG, clock: () => new Date(now) };
    const gateway = openReplica(parts, { draw: () => 0 });
    const contents = Array.from({ length: 40 }, (_, n) => `content ${n}`);
    for (const content of contents) await upload(gateway, 'app', content);
    const left = contents.map((content) => `left ${content}`);
    for (const content of left) {
      // After the content was committed, the first call towards its record.
      const objects = { ...store.objects, keep: async () => Promise.reject(new Died()) };
      const dying = openReplica({ ...parts, objects }, { draw: () => 0 });
      await assert.rejects(upload(dying, 'app', content), Died);
    }
    assert.equal((await store.objects.list(KEYS.contents)).length, 80);
    for (let hour = 0; hour < 17 * 24; hour++) {
      now += HOUR_MS;
      await gateway.sweep();
    }
    assert.equal((await store.objects.list(KEYS.contents)).length, 40);
    for (const content of contents) {
      assert.notEqual(await store.objects.stat(contentName(digestOf(content))), null);
    }
  });
}

test('content that is linked after it was found without a record stays', async () => {
  await using store = openMemory();
  const digest = digestOf('slow');
  const first = Number.parseInt(digest.slice('sha256:'.length)[0] ?? '', 16);
  // A day on which content of this first digit is looked at.
  let now = 16 * DAY_MS * 1000 + first * DAY_MS;
  let marks = 0;
  const objects = {
    ...store.objects,
    async delete(name: string, at: Date) {
      marks += 1;
      return store.objects.delete(name, at);
    },
  };
  const parts = { ...store, objects, config: GATEWAY_CONFIG, clock: () => new Date(now) };
  const gateway = openReplica(parts, { draw: () => 0 });
  const registers = {
    ...store.registers,
    async swap(key: string, version: string | null, value: Uint8Array) {
      if (key === KEYS.blob('app', digest)) {
        await gateway.sweep();
      }
      return store.registers.swap(key, version, value);
    },
  };
  await upload(openReplica({ ...parts, registers }, { draw: () => 0 }), 'app', 'slow');
  assert.equal(marks, 1);
  now += 2 * DAY_MS;
  assert.equal((await gateway.sweep()).objects, 0);
  assert.notEqual(await store.objects.stat(contentName(digest)), null);
});
