import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import { readTag } from '../../../src/gateway/cells.ts';
import { GATEWAY_CONFIG } from '../../../src/gateway/config.ts';
import { contentName, KEYS } from '../../../src/gateway/keys.ts';
import { listsOf } from '../../../src/gateway/manifests.ts';
import type { Gateway } from '../../../src/gateway/service.ts';
import { openMemory } from '../../../src/storage/memory/open.ts';
import type { Store } from '../../../src/storage/store.ts';
import { seeded } from '../../seeded.ts';
import { digestOf, manifestOf, OCI_INDEX, OCI_MANIFEST } from '../client.ts';
import { Died, type Draw, openReplica } from '../interleaved.ts';

const SEED = 20261123;
const ROUNDS = 30;
const HOUR_MS = 3600_000;
const CONFIG = { ...GATEWAY_CONFIG, graceMs: 60_000, untaggedMs: HOUR_MS };
const IMAGES = ['one', 'two', 'three'];

async function upload(gateway: Gateway, content: string): Promise<void> {
  const id = await gateway.startUpload('app', 'sha256');
  const bytes = (async function* () {
    yield Buffer.from(content);
  })();
  await gateway.appendChunk('app', id, { content: bytes, range: null, length: null });
  await gateway.finishUpload('app', id, digestOf(content));
}

async function put(gateway: Gateway, tag: string | null, body: string, contentType = OCI_MANIFEST) {
  const bytes = Buffer.from(body);
  const reference = tag === null ? { digest: digestOf(body) } : { tag };
  const conditions = {};
  await gateway.pushManifest({
    repository: 'app',
    reference,
    tags: [],
    contentType,
    bytes,
    conditions,
  });
}

/** Pushes as clients do: what is there already is not sent again. */
async function pushImage(gateway: Gateway, layer: string, tag: string | null): Promise<void> {
  for (const blob of ['{}', layer]) {
    const there = await gateway.requireBlob('app', digestOf(blob)).catch(() => null);
    if (there === null) await upload(gateway, blob);
  }
  await put(gateway, tag, manifestOf({ layers: [layer] }));
}

async function pushIndex(gateway: Gateway, layers: readonly string[], tag: string) {
  for (const layer of layers) {
    const digest = digestOf(manifestOf({ layers: [layer] }));
    const there = await gateway.findManifest('app', { digest }).catch(() => null);
    if (there === null) await pushImage(gateway, layer, null);
  }
  const manifests = layers.map((layer) => {
    const body = manifestOf({ layers: [layer] });
    return { mediaType: OCI_MANIFEST, digest: digestOf(body), size: body.length };
  });
  const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  await put(gateway, tag, body, OCI_INDEX);
}

async function act(gateway: Gateway, draw: Draw): Promise<void> {
  const layer = IMAGES[Math.floor(draw() * IMAGES.length)] ?? '';
  const kind = draw();
  if (kind < 0.35) await pushImage(gateway, layer, `tag-${layer}`);
  else if (kind < 0.6) await pushIndex(gateway, [layer, 'one'], `multi-${layer}`);
  else if (kind < 0.8) await gateway.deleteTag('app', `tag-${layer}`);
  else await gateway.deleteTag('app', `multi-${layer}`);
}

/** Refusals that a client is told of: what it relied on went meanwhile, or is not there. */
const TOLD = /^gateway\.(?:manifest-blob-unknown|manifest-unknown|name-unknown)$|^storage\.failed$/;

async function play(store: Store, seed: number): Promise<number> {
  const draw = seeded(seed);
  let now = Date.parse('2020-01-01T00:00:00Z');
  const parts = { ...store, config: CONFIG, clock: () => new Date(now) };
  const pace = { draw, mostTurns: 5 };
  const pushers = [1, 2, 3].map(() => openReplica(parts, pace));
  const push = (gateway: Gateway) =>
    act(gateway, draw).catch((error: unknown) =>
      assert.match(asFault(error).code, TOLD, `seed ${seed}`),
    );
  const collectors = [
    openReplica(parts, pace),
    openReplica(parts, { ...pace, diesAt: 20 + Math.floor(draw() * 200) }),
  ];
  let taken = 0;
  const collect = async (gateway: Gateway) => {
    try {
      taken += (await gateway.collect()).manifests;
      await gateway.sweep();
    } catch (error) {
      assert.ok(error instanceof Died, String(error));
    }
  };
  // No push takes as long as what is untagged stays, so time passes between them.
  for (let turn = 0; turn < 10; turn++) {
    await Promise.all([...pushers.map(push), ...collectors.map(collect)]);
    now += Math.floor(draw() * 3 * HOUR_MS);
  }
  const last = openReplica(parts, { draw: () => 0 });
  for (let turn = 0; turn < 3; turn++) {
    now += 2 * HOUR_MS;
    await last.collect();
    await last.sweep();
  }
  for (const key of await store.registers.list(KEYS.tags('app'))) {
    const cell = await store.registers.read(key);
    if (cell !== null) await checkWhole(store, readTag(cell.value), `seed ${seed}: ${key}`);
  }
  return taken;
}

/** A manifest, what it lists, and the notes by which that is served. */
async function checkWhole(store: Store, digest: Digest, where: string): Promise<void> {
  const { objects, registers } = store;
  const cell = await registers.read(KEYS.manifest('app', digest));
  const bytes = await objects.bytes(contentName(digest));
  assert.ok(cell !== null && bytes !== null, `${where} leads to nothing`);
  const { mediaType } = JSON.parse(Buffer.from(bytes).toString()) as { mediaType: string };
  for (const listed of listsOf(bytes, mediaType)) {
    const listing = KEYS.listing('app', listed.digest, digest);
    assert.notEqual(await registers.read(listing), null, `${where} lacks the listing ${listing}`);
    if (mediaType === OCI_INDEX) {
      await checkWhole(store, listed.digest, where);
    } else {
      assert.notEqual(await registers.read(KEYS.blob('app', listed.digest)), null, where);
      assert.notEqual(await objects.stat(contentName(listed.digest)), null, where);
    }
  }
}

test('pushes beside collections of two replicas, one of which dies, lose nothing', async () => {
  let taken = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await using store = openMemory();
    taken += await play(store, SEED + round);
  }
  assert.ok(taken > ROUNDS, 'collections had something to take');
});

test('a manifest that an index lists while it is taken out is put back', async () => {
  await using store = openMemory();
  let now = Date.parse('2020-01-01T00:00:00Z');
  const parts = { ...store, config: CONFIG, clock: () => new Date(now) };
  const pusher = openReplica(parts, { draw: () => 0 });
  await pushImage(pusher, 'one', null);
  now += 2 * HOUR_MS;
  const key = KEYS.manifest('app', digestOf(manifestOf({ layers: ['one'] })));
  let pushes = 0;
  const registers = {
    ...store.registers,
    async delete(cell: string, version: string) {
      if (cell === key && pushes === 0) {
        pushes += 1;
        await pushIndex(pusher, ['one'], 'multi');
      }
      return store.registers.delete(cell, version);
    },
  };
  const { manifests } = await openReplica({ ...parts, registers }, { draw: () => 0 }).collect();
  assert.deepEqual([pushes, manifests], [1, 0]);
  const cell = await store.registers.read(KEYS.tag('app', 'multi'));
  assert.ok(cell !== null);
  await checkWhole(store, readTag(cell.value), 'multi');
});

test('a collection that is killed at any of its calls takes nothing from a push that was acknowledged', async () => {
  const child = digestOf(manifestOf({ layers: ['one'] }));
  const cells = [KEYS.manifest('app', child), KEYS.blob('app', digestOf('one'))];
  let played = 0;
  // The push comes right before the collector's first, second, … change of one of these cells.
  for (const cell of cells) {
    for (const change of [1, 2, 3]) {
      for (let diesAt = 1; ; diesAt++) {
        const outcome = await playKilled(cell, change, diesAt);
        if (outcome.pushed) played += 1;
        if (!outcome.died) break;
      }
    }
  }
  assert.ok(played > 20, `${played} pushes came in between`);
});

/** One image without a tag that is collected, and a push that lists it again in the middle. */
async function playKilled(cell: string, change: number, diesAt: number) {
  await using store = openMemory();
  let now = Date.parse('2020-01-01T00:00:00Z');
  const parts = { ...store, config: CONFIG, clock: () => new Date(now) };
  const pusher = openReplica(parts, { draw: () => 0 });
  await pushImage(pusher, 'one', null);
  now += 2 * HOUR_MS;
  let changes = 0;
  let pushed = false;
  // What the client of the push knows to be there, it does not send again.
  const manifests = cell.startsWith('manifests/');
  const push = async () => {
    changes += 1;
    if (changes !== change) return;
    const acknowledged = manifests
      ? pushIndex(pusher, ['one'], 'multi')
      : put(pusher, 'multi', manifestOf({ layers: ['one'], annotations: { a: 'other' } }));
    pushed = await acknowledged.then(
      () => true,
      (error: unknown) => {
        assert.match(asFault(error).code, TOLD);
        return false;
      },
    );
  };
  const registers = {
    ...store.registers,
    async delete(key: string, version: string) {
      if (key === cell) await push();
      return store.registers.delete(key, version);
    },
    async swap(key: string, expected: string | null, value: Uint8Array) {
      if (key === cell) await push();
      return store.registers.swap(key, expected, value);
    },
  };
  let died = false;
  const collector = openReplica({ ...parts, registers }, { draw: () => 0, diesAt });
  await collector.collect().catch((error: unknown) => {
    assert.ok(error instanceof Died, String(error));
    died = true;
  });
  if (pushed) {
    const tag = await store.registers.read(KEYS.tag('app', 'multi'));
    assert.ok(tag !== null);
    await checkWhole(store, readTag(tag.value), `${cell} change ${change}, killed at ${diesAt}`);
  }
  return { died, pushed };
}
