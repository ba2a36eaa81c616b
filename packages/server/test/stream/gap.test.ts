import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../src/http/metrics.ts';
import { approved } from './notes.ts';
import { openReceiver, openStreamRoom, type StreamRoom, streamTo, until } from './room.ts';

const DAY_MS = 86_400_000;

/** Sends two entries, and stops. */
async function sendTwo(at: StreamRoom, url: URL): Promise<void> {
  const first = await at.start([streamTo(url)]);
  await at.room.record.note(approved('a'));
  await at.room.record.note(approved('b'));
  await until('two are sent', async () => (await first.list())[0]?.seq === 2);
  await first[Symbol.asyncDispose]();
}

test('retention overtakes a stream, which says what its receiver will not get', async () => {
  await using at = await openStreamRoom();
  await using receiver = await openReceiver();
  await sendTwo(at, receiver.url);
  for (const subject of ['c', 'd', 'e']) await at.room.record.note(approved(subject));
  at.room.time.ms += DAY_MS;
  await at.room.record.note(approved('young'));
  await at.room.record.prune(new Date(at.room.time.ms));
  // A filter leaves no gap out.
  const filter = { ...streamTo(receiver.url).filter, acts: ['exception.*'] };
  const metrics = createMetrics();
  const streams = await at.start([streamTo(receiver.url, { filter })], { metrics });
  await until('all is sent', async () => (await streams.list())[0]?.lag === 0);
  const sent = receiver.json().slice(2);
  assert.deepEqual(sent[0].gap, {
    from: 3,
    to: 5,
    reason: 'pruned',
    at: new Date(at.room.time.ms).toISOString(),
  });
  assert.deepEqual([sent[0].id, sent[1].seq, sent.length], ['pruned-3-5', 6, 2]);
  const { text } = await metrics.render();
  assert.ok(text.includes('bulla_stream_missed_total{stream="siem"} 3'));
});

test('a stream that is new does not take for a gap what retention removed before it', async () => {
  await using at = await openStreamRoom();
  await using receiver = await openReceiver();
  await at.room.record.note(approved('old'));
  at.room.time.ms += DAY_MS;
  await at.room.record.note(approved('young'));
  await at.room.record.prune(new Date(at.room.time.ms));
  await at.start([streamTo(receiver.url, { from: 'beginning' })]);
  await until('two are sent', () => receiver.got.length === 2);
  assert.deepEqual(
    receiver.json().map(({ seq, entry }) => [seq, entry.kind]),
    [
      [2, 'act'],
      [3, 'pruned'],
    ],
  );
});

const REWRITTEN: readonly {
  readonly name: string;
  readonly harm: (at: StreamRoom) => Promise<unknown>;
  readonly sent: readonly unknown[];
}[] = [
  {
    name: 'an older backup, whose end is before what was sent',
    harm: async ({ room: { tables } }) => {
      const { db } = tables;
      const kept = await db
        .selectFrom('record_entries')
        .selectAll()
        .where('seq', '=', 1)
        .executeTakeFirstOrThrow();
      await db.deleteFrom('record_entries').where('seq', '>', 1).execute();
      await db.updateTable('record_head').set({ seq: 1, hash: kept.hash }).execute();
    },
    sent: ['rewritten-1-2', 1],
  },
  {
    name: 'a last entry that is another one',
    harm: async ({ room: { tables } }) => {
      const hash = 'ab'.repeat(32);
      await tables.db.updateTable('record_entries').set({ hash }).where('seq', '=', 2).execute();
      await tables.db.updateTable('record_head').set({ hash }).execute();
    },
    sent: ['rewritten-1-2', 1, 2],
  },
];

test('a chain that is not the one that was sent is told, and sent anew', async (t) => {
  for (const { name, harm, sent } of REWRITTEN) {
    await t.test(name, async () => {
      await using at = await openStreamRoom();
      await using receiver = await openReceiver();
      await sendTwo(at, receiver.url);
      await harm(at);
      const streams = await at.start([streamTo(receiver.url)]);
      await until('all is sent', () => receiver.got.length >= 2 + sent.length);
      assert.deepEqual(
        receiver
          .json()
          .slice(2)
          .map(({ seq, id }) => seq ?? id),
        sent,
      );
      await until('the cursor is there', async () => (await streams.list())[0]?.lag === 0);
    });
  }
});

test('an entry that somebody altered is told, and stops nothing', async () => {
  await using at = await openStreamRoom();
  await using receiver = await openReceiver();
  for (const subject of ['a', 'b', 'c']) await at.room.record.note(approved(subject));
  await at.room.tables.db
    .updateTable('record_entries')
    .set({ body: '{"kind":"nothing"}' })
    .where('seq', '=', 2)
    .execute();
  await at.start([streamTo(receiver.url, { from: 'beginning' })]);
  await until('all is sent', () => receiver.got.length === 3);
  assert.deepEqual(
    receiver.json().map(({ seq, id }) => seq ?? id),
    [1, 'unreadable-2-2', 3],
  );
});

test('a cell that somebody altered stops its stream alone, and is not taken for a new one', async () => {
  await using at = await openStreamRoom();
  await using receiver = await openReceiver();
  await at.rows.registers.swap('streams/siem', null, Buffer.from('{"seq":-1}'));
  const url = receiver.url;
  const streams = await at.start([streamTo(url), streamTo(url, { name: 'other' })]);
  await at.room.record.note(approved('a'));
  await until('the other is sent', async () => (await streams.list())[1]?.seq === 1);
  const [status] = await streams.list();
  assert.match(status?.reason ?? '', /cell of stream/);
  assert.equal(receiver.got.length, 1);
  await until('it is counted', async () =>
    /bulla_stream_broken_total\{stream="siem"\} [1-9]/.test((await at.metrics.render()).text),
  );
});
