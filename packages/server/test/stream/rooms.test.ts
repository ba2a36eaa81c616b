import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowRooms } from '../storage/rooms.ts';
import { approved } from './notes.ts';
import { openReceiver, openStreamRoom, streamTo, until } from './room.ts';

const BY = { kind: 'user', id: 'u1', name: 'alice' } as const;

test('streams and dead letters are the same on every room of rows', async (t) => {
  for (const { name, place } of rowRooms()) {
    await t.test(name, async (within) => {
      await using where = await place(within);
      if (where === null) return;
      await using at = await openStreamRoom(await where.open());
      let status = 400;
      await using receiver = await openReceiver(() => status);
      const streams = await at.start([streamTo(receiver.url, { batch: 3 })]);
      for (const subject of ['a', 'b', 'c', 'd']) await at.room.record.note(approved(subject));
      await until('four are dead', async () => (await streams.list())[0]?.deadLetters === 4);
      const letters = await streams.deadLetters('siem', { after: 1, limit: 2 });
      assert.deepEqual(
        letters.map(({ seq, attempts }) => [seq, attempts]),
        [
          [2, 1],
          [3, 1],
        ],
      );
      status = 200;
      const ids = letters.map(({ id }) => id);
      assert.equal(await streams.retry('siem', ids, BY), 2);
      await until('two are left', async () => (await streams.list())[0]?.deadLetters === 2);
      assert.equal(await streams.drop('siem', 'all', BY), 2);
      const taken = await streams.list();
      assert.equal(taken[0]?.deadLetters, 0);
    });
  }
});

test('replicas on one PostgreSQL send each entry once while none of them dies', async (t) => {
  const room = rowRooms().find(({ name }) => name === 'postgres');
  await using where = (await room?.place(t)) ?? null;
  if (where === null) return;
  await using one = await openStreamRoom(await where.open());
  await using other = await openStreamRoom(await where.open());
  await using receiver = await openReceiver();
  const stream = streamTo(receiver.url, { batch: 5 });
  const streams = await one.start([stream]);
  const second = await other.start([stream]);
  const notes = [one, other].map(async ({ room: { record } }) => {
    for (let n = 0; n < 20; n++) await record.note(approved(`n${n}`));
  });
  await Promise.all(notes);
  const seqs = () =>
    receiver.got.flatMap(({ body }) =>
      body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).seq),
    );
  await until('all are sent', async () => (await second.list())[0]?.seq === 40);
  const expected = Array.from({ length: 40 }, (_, index) => index + 1);
  assert.deepEqual(seqs(), expected);
  await streams[Symbol.asyncDispose]();
  await other.room.record.note(approved('after'));
  await until('the other goes on', () => seqs().at(-1) === 41);
});
