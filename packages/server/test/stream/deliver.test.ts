import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryHash } from '../../src/record/chain.ts';
import { NO_FILTER } from '../../src/stream/filter.ts';
import { made, refused } from '../record/room.ts';
import { approved } from './notes.ts';
import { openReceiver, openStreamRoom, streamTo, until } from './room.ts';

test('entries are sent in the order of the chain, from its end, and prove the chain', async () => {
  await using at = await openStreamRoom();
  await at.room.record.keep(made({ tag: 'before' }));
  await using receiver = await openReceiver();
  const streams = await at.start([streamTo(receiver.url)]);
  await at.room.record.keep(made({ tag: 'a' }));
  await at.room.record.keep(refused({ tag: 'b' }));
  await at.room.record.note({
    actor: { kind: 'user', id: 'u1', name: 'alice' },
    act: 'exception.approved',
    subject: 'ex-1',
    says: 'alice approved ex-1',
    detail: {},
  });
  await until('three were sent', () => receiver.got.length === 3);
  const sent = receiver.json();
  assert.deepEqual(
    sent.map(({ seq }) => seq),
    [2, 3, 4],
  );
  for (const [index, { seq, hash, previous, id }] of sent.entries()) {
    const { body = '' } = receiver.got[index] ?? {};
    // As docs/streams.md says: the text of the entry is the one that was hashed.
    const text = body.slice(body.indexOf('"entry":') + 8, -1);
    assert.equal(entryHash(previous, seq, text), hash);
    assert.equal(id, `${seq}-${hash}`);
    assert.equal(receiver.got[index]?.id, id);
  }
  await until('the cursor is there', async () => (await streams.list())[0]?.lag === 0);
  const [status] = await streams.list();
  assert.deepEqual(status, {
    name: 'siem',
    format: 'json',
    receiver: receiver.url.origin,
    signed: false,
    seq: 4,
    lag: 0,
    deadLetters: 0,
    failingSince: null,
    reason: null,
  });
  const { text } = await at.metrics.render();
  assert.ok(text.includes('bulla_stream_delivered_total{stream="siem"} 3'));
});

test('from: beginning sends what is there, in batches of one shape', async () => {
  await using at = await openStreamRoom();
  for (let n = 0; n < 5; n++) await at.room.record.keep(made({ tag: `v${n}` }));
  await using receiver = await openReceiver();
  await at.start([streamTo(receiver.url, { from: 'beginning', batch: 3 })]);
  await until('two batches', () => receiver.got.length === 2);
  const lines = receiver.got.map(({ body }) =>
    body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).seq),
  );
  assert.deepEqual(lines, [
    [1, 2, 3],
    [4, 5],
  ]);
  assert.equal(receiver.got[0]?.headers['content-type'], 'application/x-ndjson');
});

test('a filter that wants little of a long record finds it, and the place is kept', async () => {
  await using at = await openStreamRoom();
  const { record } = at.room;
  const many = Array.from({ length: 2500 }, (_, n) => record.note(approved(`n${n}`, 'rollout.x')));
  await Promise.all(many);
  await record.note(approved('wanted'));
  await Promise.all(Array.from({ length: 150 }, () => record.note(approved('n', 'rollout.x'))));
  await using receiver = await openReceiver();
  const filter = { ...NO_FILTER, acts: ['exception.*'] };
  const streams = await at.start([streamTo(receiver.url, { filter, from: 'beginning', batch: 5 })]);
  await until('the place is that of the end', async () => (await streams.list())[0]?.seq === 2651);
  assert.equal(receiver.got.length, 1);
  assert.equal(receiver.json()[0]?.seq, 2501);
});
