import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableHistory } from '../../src/gateway/history.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import { rowRooms } from '../storage/rooms.ts';
import { digestOf } from './client.ts';

const REPOSITORY = 'here.example/app';
const [A, B, C] = [digestOf('a'), digestOf('b'), digestOf('c')];
const START = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(START + seconds * 1000);

test('of very many digests of one tag the newest are told of', async () => {
  await using store = await openSqlite(':memory:');
  await migrate(store, { clock: () => at(0) });
  const history = tableHistory(store.tables);
  for (let count = 0; count < 210; count++) {
    await history.seen(REPOSITORY, 'nightly', digestOf(`image ${count}`), at(count * 60));
  }
  const found = await history.history(REPOSITORY, 'nightly');
  assert.equal(found.length, 200);
  assert.equal(found[0]?.digest, digestOf('image 209'));
  // An older one that comes back is known all the same.
  assert.deepEqual(await history.seen(REPOSITORY, 'nightly', digestOf('image 0'), at(20_000)), {
    newer: digestOf('image 209'),
    newerSince: at(209 * 60),
  });
});

for (const room of rowRooms()) {
  test(`rollback memory, ${room.name}`, async (t) => {
    await using place = await room.place(t);
    if (place === null) return;
    await using store = await place.open();
    await migrate(store, { clock: () => at(0) });
    const history = tableHistory(store.tables);
    const seen = (digest: typeof A, seconds: number) =>
      history.seen(REPOSITORY, 'v1', digest, at(seconds));

    assert.equal(await seen(A, 0), null);
    assert.equal(await seen(B, 60), null);
    assert.equal(await seen(B, 61), null);
    const back = await seen(A, 120);
    assert.deepEqual(back, { newer: B, newerSince: at(60) });
    assert.deepEqual(await seen(A, 121), back, 'from memory as well');
    assert.deepEqual(await seen(A, 7200), back, 'and for as long as it stays');
    assert.equal(await seen(B, 7300), null, 'the newest is no rollback');
    assert.equal(await seen(C, 7400), null);
    assert.deepEqual(await seen(B, 7500), { newer: C, newerSince: at(7400) });
    // Another tag, another repository: memories of their own.
    assert.equal(await history.seen(REPOSITORY, 'v2', A, at(7500)), null);
    assert.equal(await history.seen('here.example/b', 'v1', A, at(7500)), null);

    const found = await history.history(REPOSITORY, 'v1');
    assert.deepEqual(
      found.map(({ digest, firstSeen }) => [digest, firstSeen]),
      [
        [C, at(7400)],
        [B, at(60)],
        [A, at(0)],
      ],
    );
    assert.deepEqual(found[2]?.lastSeen, at(7200));
    assert.ok((found[1]?.lastSeen ?? at(0)) >= at(7400), 'B came back after C');
    assert.deepEqual(await history.history(REPOSITORY, 'absent'), []);
  });

  test(`two replicas agree which of two digests is the newer, ${room.name}`, async (t) => {
    await using place = await room.place(t);
    if (place === null) return;
    await using store = await place.open();
    await migrate(store, { clock: () => at(0) });
    const [one, two] = [tableHistory(store.tables), tableHistory(store.tables)];
    // At the same instant, and with a clock that runs behind.
    await Promise.all([
      one.seen(REPOSITORY, 'v1', A, at(10)),
      two.seen(REPOSITORY, 'v1', B, at(10)),
    ]);
    await one.seen(REPOSITORY, 'v1', C, at(5));
    const found = await two.history(REPOSITORY, 'v1');
    assert.equal(found[0]?.digest, C);
    const times = found.map(({ firstSeen }) => firstSeen.getTime());
    assert.equal(new Set(times).size, 3);
    const rollback = await two.seen(REPOSITORY, 'v1', A, at(20));
    assert.equal(rollback?.newer, C);
    assert.equal((await one.seen(REPOSITORY, 'v1', A, at(20)))?.newer, C);
  });
}
