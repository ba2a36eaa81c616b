import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@bulla/trust/oci/digest';
import { GATEWAY_CONFIG } from '../../../src/gateway/config.ts';
import { contentName, KEYS, readContentKey } from '../../../src/gateway/keys.ts';
import type { Gateway } from '../../../src/gateway/service.ts';
import { openMemory } from '../../../src/storage/memory/open.ts';
import type { Store } from '../../../src/storage/store.ts';
import { seeded } from '../../seeded.ts';
import { ROOMS } from '../../storage/rooms.ts';
import { digestOf } from '../client.ts';
import { Died, type Draw, openReplica } from '../interleaved.ts';

const SEED = 20261121;
const MINUTE_MS = 60_000;
const CONFIG = { ...GATEWAY_CONFIG, graceMs: MINUTE_MS };
const MOUNT = { from: null, may: () => true, mounter: null };

async function upload(gateway: Gateway, repository: string, content: string): Promise<void> {
  const id = await gateway.startUpload(repository, 'sha256');
  const bytes = (async function* () {
    yield Buffer.from(content);
  })();
  await gateway.appendChunk(repository, id, { content: bytes, range: null, length: null });
  await gateway.finishUpload(repository, id, digestOf(content));
}

test('a sweep looks at each object, not for each object into each repository', async () => {
  await using store = openMemory();
  let now = Date.parse('2026-01-01T00:00:00Z');
  let reads = 0;
  const registers = {
    ...store.registers,
    read: (key: string) => {
      reads += 1;
      return store.registers.read(key);
    },
  };
  const parts = { ...store, registers, config: CONFIG, clock: () => new Date(now) };
  const gateway = openReplica(parts, { draw: () => 0 });
  const REPOSITORIES = 60;
  const OBJECTS = 120;
  for (let n = 0; n < REPOSITORIES; n++) await upload(gateway, `app/${n}`, `own ${n}`);
  for (let n = 0; n < OBJECTS; n++) {
    await upload(gateway, 'app/0', `gone ${n}`);
    await upload(gateway, 'app/1', `shared ${n}`);
    await gateway.mountBlob(`app/${n % REPOSITORIES}`, digestOf(`shared ${n}`), MOUNT);
  }
  reads = 0;
  for (let n = 0; n < OBJECTS; n++) {
    await gateway.deleteBlob('app/0', digestOf(`gone ${n}`));
    await gateway.deleteBlob('app/1', digestOf(`shared ${n}`)).catch(() => undefined);
  }
  assert.ok(reads < 10 * OBJECTS, `deletions: ${reads} reads`);
  reads = 0;
  now += 2 * MINUTE_MS;
  const { objects } = await gateway.sweep();
  // Those that were only ever in app/1 go as well.
  assert.equal(objects, OBJECTS + OBJECTS / REPOSITORIES);
  assert.ok(reads < 5 * OBJECTS + 3 * REPOSITORIES, `the sweep: ${reads} reads`);
});

test('what two repositories let go of goes a grace after the later one', async () => {
  await using store = openMemory();
  let now = Date.parse('2026-01-01T00:00:00Z');
  const parts = { ...store, config: CONFIG, clock: () => new Date(now) };
  const gateway = openReplica(parts, { draw: () => 0 });
  for (const repository of ['a', 'b']) await upload(gateway, repository, 'blob');
  await gateway.deleteBlob('a', digestOf('blob'));
  now += MINUTE_MS - 1;
  await gateway.deleteBlob('b', digestOf('blob'));
  now += MINUTE_MS - 1;
  assert.equal((await gateway.sweep()).objects, 0);
  now += 1;
  assert.equal((await gateway.sweep()).objects, 1);
});

test('who links content right after a sweep looked keeps it, also when they die over it', async () => {
  await using store = openMemory();
  let now = Date.parse('2026-01-01T00:00:00Z');
  const parts = { ...store, config: CONFIG, clock: () => new Date(now) };
  const still = { draw: () => 0 };
  const before = openReplica(parts, still);
  await upload(before, 'a', 'blob');
  const digest = digestOf('blob');
  await before.deleteBlob('a', digest);
  now += 2 * MINUTE_MS;
  // A mount that dies with its record written and its last `keep` to come.
  const objects: typeof store.objects = { ...store.objects };
  let keeps = 0;
  objects.keep = async (name) => {
    keeps += 1;
    if (keeps > 1) throw new Died();
    return store.objects.keep(name);
  };
  const dying = openReplica({ ...parts, objects }, still);
  await store.registers.swap(KEYS.blob('a', digest), null, Buffer.from('{"size":4}'));
  const registers = {
    ...store.registers,
    async list(prefix: string, page = {}) {
      const keys = await store.registers.list(prefix, page);
      if (prefix === KEYS.allManifests) {
        await assert.rejects(dying.mountBlob('b', digest, { ...MOUNT, from: 'a' }), Died);
      }
      return keys;
    },
  };
  // What is mounted from is gone when the keys are read, so that the sweep finds nobody who has it.
  const unseen = {
    ...registers,
    list: async (prefix: string, page = {}) =>
      prefix === KEYS.allBlobs ? [] : registers.list(prefix, page),
  };
  await openReplica({ ...parts, registers: unseen }, still).sweep();
  assert.equal(keeps, 2);
  assert.notEqual(await store.registers.read(KEYS.blob('b', digest)), null);
  assert.notEqual(await store.objects.stat(contentName(digest)), null);
});

test('who links content too slowly is told that it went', async () => {
  await using store = openMemory();
  let now = Date.parse('2026-01-01T00:00:00Z');
  const parts = { ...store, config: CONFIG, clock: () => new Date(now) };
  const gateway = openReplica(parts, { draw: () => 0 });
  const digest = digestOf('blob');
  await upload(gateway, 'a', 'blob');
  const registers = {
    ...store.registers,
    async swap(key: string, version: string | null, value: Uint8Array) {
      if (key === KEYS.blob('b', digest)) {
        await gateway.deleteBlob('a', digest);
        now += 2 * MINUTE_MS;
        assert.equal((await gateway.sweep()).objects, 1);
      }
      return store.registers.swap(key, version, value);
    },
  };
  const slow = openReplica({ ...parts, registers }, { draw: () => 0 });
  assert.equal(await slow.mountBlob('b', digest, { ...MOUNT, from: 'a' }), false);
  assert.equal(await store.registers.read(KEYS.blob('b', digest)), null);
});

const REPOSITORIES = ['a', 'b/c', 'd'];
const CONTENTS = ['one', 'two'];

/** Replicas that upload, mount, delete and sweep the same few blobs; some die in the midst of it. */
async function play(store: Store, seed: number): Promise<void> {
  const draw = seeded(seed);
  let now = Date.parse('2026-01-01T00:00:00Z');
  const parts = { ...store, config: CONFIG, clock: () => new Date(now) };
  const pick = <T>(of: readonly T[]): T => of[Math.floor(draw() * of.length)] as T;
  const pass = () => {
    now += Math.floor(draw() * 200_000);
  };
  const worker = async (diesAt: number) => {
    const gateway = openReplica(parts, { draw, diesAt });
    for (let turn = 0; turn < 12; turn++) {
      const content = pick(CONTENTS);
      const repository = pick(REPOSITORIES);
      pass();
      await act(gateway, draw, repository, content);
    }
  };
  const sweeper = async () => {
    const gateway = openReplica(parts, { draw, mostTurns: 20 });
    for (let turn = 0; turn < 8; turn++) {
      pass();
      await gateway.sweep();
    }
  };
  const died = (error: unknown) => assert.ok(error instanceof Died, String(error));
  const mortal = () => worker(10 + Math.floor(draw() * 60)).catch(died);
  await Promise.all([worker(Number.POSITIVE_INFINITY), mortal(), mortal(), sweeper(), sweeper()]);
  now += 10 * MINUTE_MS;
  await openReplica(parts, { draw: () => 0 }).sweep();
  await checkWhole(store, seed);
}

async function act(gateway: Gateway, draw: Draw, repository: string, content: string) {
  const kind = draw();
  const digest = digestOf(content);
  const has = async () =>
    (await gateway.ground.registers.read(KEYS.blob(repository, digest))) !== null;
  if (kind < 0.3) {
    // A sweep may win against an upload: then it fails, and says so.
    await upload(gateway, repository, content).catch((error: unknown) => {
      if (error instanceof Died) throw error;
    });
  } else if (kind < 0.6) {
    await gateway.mountBlob(repository, digest, MOUNT);
  } else if (await has()) {
    await gateway.deleteBlob(repository, digest).catch((error: unknown) => {
      if (error instanceof Died) throw error;
    });
  }
}

/** Whatever a repository is said to have is there, also where somebody died before they were told. */
async function checkWhole({ objects, registers }: Store, seed: number): Promise<void> {
  for (const key of await registers.list(KEYS.allBlobs)) {
    const { digest } = readContentKey(key) as { digest: Digest };
    const extent = await objects.stat(contentName(digest));
    assert.ok(extent !== null, `seed ${seed}: ${key} is there, its content is not`);
  }
}

for (const { name, place, durable } of ROOMS) {
  const rounds = durable ? 6 : 50;
  test(`a push during a sweep loses nothing, whatever comes between, ${name}`, async (t) => {
    for (let round = 0; round < rounds; round++) {
      await using where = await place(t);
      if (where === null) return;
      await using store = await where.open();
      await play(store, SEED + round);
    }
  });
}
