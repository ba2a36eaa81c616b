import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { contentName, KEYS, readContentKey } from '../../../src/gateway/keys.ts';
import type { Caller } from '../../../src/gateway/pull.ts';
import type { Gateway } from '../../../src/gateway/service.ts';
import { seeded } from '../../seeded.ts';
import { digestOf, pushImage } from '../client.ts';
import { Died } from '../interleaved.ts';
import { decisionTable, OPEN_TABLE_ACCESS, person, tablePorts } from '../people.ts';
import { KEEP_DAYS, openWorld, pullAll, pushIndex, type World } from './cache-kit.ts';

const SEED = 20261122;
const ROUNDS = 24;
const CALLER: Caller = {
  principal: person('nobody', { repository: '**', actions: ['pull'] }),
  facts: { id: 'request', remoteAddress: '127.0.0.1', userAgent: 'test' },
};

/** What a client does: manifests by digest, each served whole, then each blob of them. */
interface Wanted {
  readonly manifests: readonly Digest[];
  readonly blobs: readonly string[];
}

async function pullWhole({ places, ...gateway }: Gateway, { manifests, blobs }: Wanted) {
  const place = places.locate('up/app');
  for (const digest of manifests) {
    const pulled = await gateway.pullManifest(place, { digest }, CALLER);
    assert.ok(pulled.kind === 'served', `${digest} is refused`);
    assert.equal(computeDigest(pulled.content.bytes), digest);
  }
  for (const blob of blobs) {
    const found = await gateway.pullBlob(place, digestOf(blob), CALLER, false);
    const body = await found.read({ from: 0, length: found.size });
    const bytes = body instanceof Uint8Array ? body : await buffer(body);
    assert.equal(Buffer.from(bytes).toString(), blob);
  }
}

/** Pulls what a collection takes later. Leaves are admitted through their index alone. */
async function fill(world: World, admits: Set<string>): Promise<readonly Wanted[]> {
  const { url } = world.upstream;
  const { index, leaves } = await pushIndex(world, 'multi', ['amd64', 'arm64']);
  const [amd64 = index, arm64 = index] = leaves;
  const image = await pushImage(url, 'app', 'v1', { layers: ['amd64', 'own'] });
  const bundle = await pushImage(url, 'app', null, { subject: image, layers: ['bundle'] });
  for (const digest of [index, image, bundle]) admits.add(digest);
  const all = [
    { manifests: [index, amd64], blobs: ['amd64', '{}'] },
    { manifests: [index, arm64], blobs: ['{}', 'arm64'] },
    { manifests: [image], blobs: ['{}', 'amd64', 'own'] },
    { manifests: [bundle], blobs: ['bundle'] },
  ];
  for (const { manifests, blobs } of all) {
    for (const digest of manifests) await pullAll(world, digest);
    await pullAll(world, manifests[0] ?? index, blobs);
  }
  return all;
}

async function play(world: World, all: readonly Wanted[], seed: number) {
  const draw = seeded(seed);
  const pace = { draw, mostTurns: 12 };
  const pulled = new Set<Wanted>();
  let taken = 0;
  const puller = async () => {
    const gateway = world.replica(pace);
    for (let turn = 0; turn < 3; turn++) {
      const wanted = all[Math.floor(draw() * all.length)] as Wanted;
      await pullWhole(gateway, wanted);
      pulled.add(wanted);
    }
    await gateway.close();
  };
  const collector = async (diesAt = Number.POSITIVE_INFINITY) => {
    const gateway = world.replica({ ...pace, diesAt });
    for (let turn = 0; turn < 3; turn++) {
      taken += (await gateway.collect()).manifests;
      world.advance(2 * 60_000);
      await gateway.sweep();
    }
    await gateway.close();
  };
  const mortal = collector(20 + Math.floor(draw() * 150)).catch((error: unknown) =>
    assert.ok(error instanceof Died, String(error)),
  );
  await Promise.all([collector(), puller(), puller(), mortal, puller()]);
  return { pulled, taken };
}

/** Nothing is said to be there that is not. */
async function checkWhole({ store }: World, seed: number): Promise<void> {
  const { objects, registers } = store;
  for (const prefix of [KEYS.allBlobs, KEYS.allManifests]) {
    for (const key of await registers.list(prefix)) {
      const { digest } = readContentKey(key) as { digest: Digest };
      assert.ok((await objects.stat(contentName(digest))) !== null, `seed ${seed}: ${key}`);
    }
  }
}

test('a pull beside collections of two replicas is served whole, and what it used stays', async () => {
  const table = decisionTable();
  const ports = tablePorts(table, OPEN_TABLE_ACCESS);
  let takenInAll = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const seed = SEED + round;
    await using world = await openWorld({}, { ports });
    table.admits.clear();
    const all = await fill(world, table.admits);
    world.advance(14 * KEEP_DAYS * 24 * 3600_000);
    const { pulled, taken } = await play(world, all, seed);
    takenInAll += taken;
    await checkWhole(world, seed);
    await world.upstream.close();
    await world.days(KEEP_DAYS);
    const later = world.replica({ draw: () => 0 });
    for (const wanted of pulled) await pullWhole(later, wanted);
    await later.close();
  }
  assert.ok(takenInAll > 0, 'some of it was taken out');
});

test('an index whose leaf is asked for while it is taken out is put back', async () => {
  const table = decisionTable();
  const ports = tablePorts(table, OPEN_TABLE_ACCESS);
  await using world = await openWorld({}, { ports });
  const { index, leaves } = await pushIndex(world, 'multi', ['amd64', 'arm64']);
  const [amd64 = index] = leaves;
  table.admits.add(index);
  await pullAll(world, index);
  await pullAll(world, amd64, ['amd64']);
  world.advance(14 * KEEP_DAYS * 24 * 3600_000);
  const { registers } = world.store;
  const key = KEYS.manifest(world.key, index);
  let pulls = 0;
  const racing = {
    ...registers,
    async delete(cell: string, version: string) {
      if (cell === key && pulls === 0) {
        pulls += 1;
        assert.deepEqual(await pullAll(world, amd64, ['amd64']), [200, 200]);
      }
      return registers.delete(cell, version);
    },
  };
  await world.replica({ draw: () => 0 }, { ...world.store, registers: racing }).collect();
  assert.equal(pulls, 1);
  assert.notEqual(await registers.read(key), null);
  await world.upstream.close();
  await world.days(KEEP_DAYS);
  assert.deepEqual(await pullAll(world, amd64, ['amd64']), [200, 200]);
});

test('a blob that goes while its pull is decided about is fetched again', async () => {
  const table = decisionTable();
  const ports = tablePorts(table, OPEN_TABLE_ACCESS);
  await using world = await openWorld({}, { ports });
  const image = await pushImage(world.upstream.url, 'app', 'v1', { layers: ['a layer of it'] });
  table.admits.add(image);
  assert.deepEqual(await pullAll(world, image, ['a layer of it']), [200, 200]);
  const digest = digestOf('a layer of it');
  const gateway = world.replica({ draw: () => 0 });
  const place = gateway.places.locate('up/app');
  for (const range of [
    { from: 0, length: 13 },
    { from: 2, length: 5 },
  ]) {
    const found = await gateway.pullBlob(place, digest, CALLER, false);
    const key = KEYS.blob(world.key, digest);
    const { version = '' } = (await world.store.registers.read(key)) ?? {};
    assert.ok(await world.store.registers.delete(key, version));
    assert.ok(await world.store.objects.delete(contentName(digest), world.now()));
    world.advance(2 * 60_000);
    assert.equal((await gateway.sweep()).objects, 1);
    const body = await found.read(range);
    const bytes = body instanceof Uint8Array ? body : await buffer(body);
    const { from, length } = range;
    assert.equal(Buffer.from(bytes).toString(), 'a layer of it'.slice(from, from + length));
  }
  await gateway.close();
});
