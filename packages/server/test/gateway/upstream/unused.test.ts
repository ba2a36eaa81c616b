import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@bulla/trust/oci/digest';
import { tableHistory } from '../../../src/gateway/history.ts';
import { KEYS } from '../../../src/gateway/keys.ts';
import { migrate } from '../../../src/storage/migrate.ts';
import { openSqlite } from '../../../src/storage/sqlite/open.ts';
import { ask, digestOf, manifestOf, pushImage, putManifest } from '../client.ts';
import { decisionTable, OPEN_TABLE_ACCESS, tablePorts } from '../people.ts';
import { contents, KEEP_DAYS, openWorld, pullAll, pushIndex, up } from './cache-kit.ts';

test('what nobody uses for the period goes, and comes again with the next pull', async () => {
  await using world = await openWorld();
  const { upstream, store, key } = world;
  await pushImage(upstream.url, 'app', 'used', { layers: ['shared', 'one'] });
  const unused = await pushImage(upstream.url, 'app', 'unused', { layers: ['shared', 'two'] });
  assert.deepEqual(await pullAll(world, 'used', ['shared', 'one']), [200, 200, 200]);
  assert.deepEqual(await pullAll(world, 'unused', ['shared', 'two']), [200, 200, 200]);
  const all = await contents(world);
  for (let day = 0; day < KEEP_DAYS; day++) {
    await world.days(1);
    assert.deepEqual(await pullAll(world, 'used'), [200]);
  }
  assert.equal(await contents(world), all, 'within the period all is there');
  for (let day = 0; day < 4; day++) {
    await world.days(1);
    await pullAll(world, 'used');
  }
  // The manifest and its own layer; neither what the other has as well.
  assert.equal(await contents(world), all - 2);
  assert.equal(await store.registers.read(KEYS.manifest(key, unused)), null);
  assert.equal(await store.registers.read(KEYS.tag(key, 'unused')), null);
  assert.deepEqual(await store.registers.list(KEYS.listed(key, digestOf('two'))), []);
  assert.deepEqual(await pullAll(world, 'unused', ['two', 'shared']), [200, 200, 200]);
  assert.equal(await contents(world), all);
});

test('while the upstream is down, what was used within the period is served whole', async () => {
  await using world = await openWorld();
  const { upstream } = world;
  const image = await pushImage(upstream.url, 'app', 'v1', { layers: ['one'] });
  const old = await pushImage(upstream.url, 'app', 'v0', { layers: ['zero'] });
  await pullAll(world, image, ['one']);
  await pullAll(world, old, ['zero']);
  await world.days(10);
  // Not noted: the note of the first pull is from less than a day before this one.
  world.advance(-1);
  await pullAll(world, image, ['one']);
  await upstream.close();
  await world.days(KEEP_DAYS);
  assert.deepEqual(await pullAll(world, image, ['one']), [200, 200]);
  assert.deepEqual(await pullAll(world, old), [502]);
});

test('a use keeps what is used for the whole period, however little of it is noted', async () => {
  await using world = await openWorld();
  const image = await pushImage(world.upstream.url, 'app', 'v1', { layers: ['one'] });
  await pullAll(world, image, ['one']);
  // The last moment at which no new note is written.
  world.advance(24 * 3600_000 - 1);
  let writes = 0;
  const { registers } = world.store;
  const { swap } = registers;
  registers.swap = (...call) => {
    writes += 1;
    return swap(...call);
  };
  for (let pull = 0; pull < 50; pull++) await pullAll(world, image, ['one']);
  assert.equal(writes, 0);
  await world.upstream.close();
  await world.days(KEEP_DAYS);
  assert.deepEqual(await pullAll(world, image, ['one']), [200, 200]);
  assert.equal(writes, 1, 'one note of that day');
});

test('a pull of blobs alone is a use of the manifest through which they are served', async () => {
  const table = decisionTable();
  const ports = tablePorts(table, OPEN_TABLE_ACCESS);
  await using world = await openWorld({}, { ports });
  const image = await pushImage(world.upstream.url, 'app', 'v1', { layers: ['one'] });
  const other = await pushImage(world.upstream.url, 'app', 'v2', { layers: ['one', 'two'] });
  table.admits.add(image);
  await pullAll(world, image, ['one']);
  await pullAll(world, other);
  for (let day = 0; day < 2 * KEEP_DAYS; day++) {
    await world.days(1);
    const blob = await ask(world.gateway.url, { path: up(`blobs/${digestOf('one')}`) });
    assert.equal(blob.status, 200);
  }
  assert.notEqual(await world.store.registers.read(KEYS.manifest(world.key, image)), null);
  assert.equal(await world.store.registers.read(KEYS.manifest(world.key, other)), null);
});

test('an index and what it lists live together, and a leaf keeps the index that it is judged by', async () => {
  const table = decisionTable();
  const ports = tablePorts(table, OPEN_TABLE_ACCESS);
  await using world = await openWorld({}, { ports });
  const { index, leaves } = await pushIndex(world, 'multi', ['amd64', 'arm64']);
  const [amd64 = index, arm64 = index] = leaves;
  table.admits.add(index);
  await pullAll(world, 'multi');
  for (const leaf of leaves) assert.deepEqual(await pullAll(world, leaf), [200]);
  assert.deepEqual(await pullAll(world, amd64, ['amd64']), [200, 200]);
  // For more than a year only the one leaf is asked for, by its digest.
  for (let month = 0; month < 15; month++) {
    await world.days(29);
    assert.deepEqual(await pullAll(world, amd64, ['amd64']), [200, 200]);
  }
  await world.upstream.close();
  assert.deepEqual(await pullAll(world, amd64, ['amd64']), [200, 200]);
  assert.deepEqual(await pullAll(world, arm64), [200], 'what else the index lists');
});

test('an index that nobody asks for judges its leaves for a year still, and then goes', async () => {
  const table = decisionTable();
  const ports = tablePorts(table, OPEN_TABLE_ACCESS);
  await using world = await openWorld({}, { ports });
  const { index, leaves } = await pushIndex(world, 'multi', ['amd64', 'arm64']);
  const [amd64 = index] = leaves;
  table.admits.add(index);
  await pullAll(world, 'multi');
  await pullAll(world, amd64, ['amd64']);
  await world.days(2 * KEEP_DAYS);
  const { registers } = world.store;
  assert.equal(await registers.read(KEYS.manifest(world.key, amd64)), null);
  assert.equal(await registers.read(KEYS.blob(world.key, digestOf('amd64'))), null);
  assert.deepEqual(await pullAll(world, amd64, ['amd64']), [200, 200]);
  await world.days(13 * KEEP_DAYS);
  assert.equal(await registers.read(KEYS.manifest(world.key, index)), null);
  assert.deepEqual(await registers.list(KEYS.allListed(world.key)), []);
  assert.equal(await contents(world), 0);
});

test('of very many indexes that list a leaf, those stay by which it is judged', async () => {
  await using world = await openWorld();
  const indexes: Digest[] = [];
  for (let n = 0; n < 20; n++) {
    const { index } = await pushIndex(world, `nightly-${n}`, ['constant', `changing ${n}`]);
    await pullAll(world, index);
    world.advance(1000);
    indexes.push(index);
  }
  const leaf = digestOf(manifestOf({ layers: ['constant'] }));
  for (let month = 0; month < 14; month++) {
    await pullAll(world, leaf);
    await world.days(29);
  }
  const kept: Digest[] = [];
  for (const index of indexes) {
    const cell = await world.store.registers.read(KEYS.manifest(world.key, index));
    if (cell !== null) kept.push(index);
  }
  assert.deepEqual(kept, indexes.slice(4));
});

test('signature material that was pulled stays as long as its image, and goes with it', async () => {
  await using world = await openWorld();
  const { upstream } = world;
  const image = await pushImage(upstream.url, 'app', 'v1', { layers: ['one'] });
  const referrer = await pushImage(upstream.url, 'app', null, {
    subject: image,
    layers: ['bundle'],
  });
  const companion = `${image.replace(':', '-')}.sig`;
  await pushImage(upstream.url, 'app', null, { layers: ['signature'] });
  await putManifest(upstream.url, 'app', companion, manifestOf({ layers: ['signature'] }));
  await pullAll(world, image);
  await pullAll(world, referrer, ['bundle']);
  await pullAll(world, companion, ['signature']);
  for (let month = 0; month < 3; month++) {
    await world.days(29);
    await pullAll(world, image);
  }
  const { registers } = world.store;
  const there = async () =>
    [referrer, digestOf(manifestOf({ layers: ['signature'] }))].map(
      async (digest) => (await registers.read(KEYS.manifest(world.key, digest))) !== null,
    );
  assert.deepEqual(await Promise.all(await there()), [true, true]);
  assert.notEqual(await registers.read(KEYS.blob(world.key, digestOf('bundle'))), null);
  await world.days(KEEP_DAYS + 3);
  assert.deepEqual(await Promise.all(await there()), [false, false]);
  assert.deepEqual(await registers.list(KEYS.allReferrers(world.key)), []);
  assert.equal(await contents(world), 0);
});

test('rollback memory outlives what it remembers', async () => {
  await using tables = await openSqlite(':memory:');
  await migrate(tables, { clock: () => new Date() });
  const table = decisionTable();
  const history = tableHistory(tables.tables);
  const ports = tablePorts(table, OPEN_TABLE_ACCESS, { history });
  await using world = await openWorld({}, { ports });
  const { upstream } = world;
  const first = await pushImage(upstream.url, 'app', 'v1', { layers: ['one'] });
  table.admits.add(first);
  await pullAll(world, 'v1');
  const second = await pushImage(upstream.url, 'app', 'v1', { layers: ['two'] });
  table.admits.add(second);
  await world.days(1);
  await pullAll(world, 'v1');
  await world.days(3 * KEEP_DAYS);
  assert.equal(await contents(world), 0);
  await putManifest(upstream.url, 'app', 'v1', manifestOf({ layers: ['one'] }));
  assert.deepEqual(await pullAll(world, 'v1'), [200]);
  assert.equal(table.asks.at(-1)?.rollback?.newer, second);
});

test('the last known good is at hand for what was used within the period', async () => {
  const table = decisionTable();
  const ports = tablePorts(table, OPEN_TABLE_ACCESS);
  await using world = await openWorld({}, { ports });
  const image = await pushImage(world.upstream.url, 'app', 'v1', { layers: ['one'] });
  table.admits.add(image);
  assert.deepEqual(await pullAll(world, 'v1', ['one']), [200, 200]);
  await world.upstream.close();
  await world.days(KEEP_DAYS);
  assert.deepEqual(await pullAll(world, 'v1', ['one']), [200, 200], 'a use as well');
  await world.days(KEEP_DAYS);
  assert.deepEqual(await pullAll(world, 'v1', ['one']), [200, 200]);
  await world.days(KEEP_DAYS + 2);
  assert.deepEqual(await pullAll(world, 'v1'), [502]);
  const { resolved } = table.asks.at(-1) ?? {};
  assert.ok(resolved !== undefined && 'problem' in resolved);
  assert.equal(resolved.remembered, null);
});

test('what an older release kept has its period from the first look on', async () => {
  await using world = await openWorld();
  const { registers } = world.store;
  const image = await pushImage(world.upstream.url, 'app', 'v1', { layers: ['one'] });
  await pullAll(world, image, ['one']);
  const key = KEYS.manifest(world.key, image);
  const cell = await registers.read(key);
  assert.ok(cell !== null);
  const { used, ...record } = JSON.parse(Buffer.from(cell.value).toString()) as { used: string };
  assert.equal(used, '2020-01-01T00:00:00.000Z');
  await registers.swap(key, cell.version, Buffer.from(JSON.stringify(record)));
  world.advance(400 * 24 * 3600_000);
  await world.days(KEEP_DAYS);
  assert.notEqual(await registers.read(key), null);
  await world.days(3);
  assert.equal(await registers.read(key), null);
});

test('for ever is for ever, and the period of upstreams is not that of this registry', async () => {
  await using kept = await openWorld({ cachedMs: null });
  const image = await pushImage(kept.upstream.url, 'app', 'v1', { layers: ['one'] });
  await pullAll(kept, image, ['one']);
  await kept.days(3);
  kept.advance(4000 * 24 * 3600_000);
  await kept.days(1);
  assert.equal(await contents(kept), 2);

  await using world = await openWorld();
  const { url } = world.gateway;
  await pushImage(url, 'own', null, { layers: ['untagged'] });
  const before = await contents(world);
  await world.days(3 * KEEP_DAYS);
  assert.equal(await contents(world), before);
});

test('what a taking-out that broke off left is deleted by the next', async () => {
  await using world = await openWorld();
  const { registers } = world.store;
  const subject = await pushImage(world.upstream.url, 'app', 'v1', { layers: ['one'] });
  const image = await pushImage(world.upstream.url, 'app', 'v2', { subject, layers: ['one'] });
  await pullAll(world, image, ['one']);
  const key = KEYS.manifest(world.key, image);
  const { version = '' } = (await registers.read(key)) ?? {};
  assert.ok(await registers.delete(key, version));
  await world.days(1);
  assert.deepEqual(await registers.list(KEYS.allListed(world.key)), []);
  assert.deepEqual(await registers.list(KEYS.allReferrers(world.key)), []);
  assert.deepEqual(await pullAll(world, image, ['one']), [200, 200]);
});
