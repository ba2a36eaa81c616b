import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamConfig } from '../../src/stream/config.ts';
import { approved } from './notes.ts';
import { type Answer, type Got, openReceiver, openStreamRoom, streamTo, until } from './room.ts';

interface Case {
  readonly name: string;
  /** By the number of requests before. */
  readonly answer: (count: number, got: Got) => Answer;
  readonly stream?: Partial<StreamConfig>;
  /** Seqs in the order in which they arrived. */
  readonly arrived: readonly number[];
  readonly dead?: readonly (readonly [number, string])[];
}

const slow: Answer = () => undefined;
const QUICK_TIMEOUT = { timeoutMs: 150 };

const CASES: readonly Case[] = [
  {
    name: 'a 500 is tried again',
    answer: (count) => (count < 2 ? 500 : 200),
    arrived: [1, 1, 1, 2],
  },
  {
    name: 'no answer at all is tried again after the timeout',
    answer: (count) => (count === 0 ? slow : 200),
    stream: QUICK_TIMEOUT,
    arrived: [1, 1, 2],
  },
  {
    name: 'an answer that drips does not outlive the timeout',
    answer: (count) => (count === 0 ? drip : 200),
    stream: QUICK_TIMEOUT,
    arrived: [1, 1, 2],
  },
  {
    name: 'an answer that breaks off in its middle was no answer',
    answer: (count) => (count === 0 ? breakOff : 200),
    arrived: [1, 1, 2],
  },
  {
    name: 'a connection that is closed without an answer is tried again',
    answer: (count) => (count === 0 ? (response) => void response.destroy() : 200),
    arrived: [1, 1, 2],
  },
  {
    name: 'an endless answer is cut, and its status counts',
    answer: () => endless,
    arrived: [1, 2],
  },
  {
    name: 'what is refused for good becomes a dead letter, and does not stop the stream',
    answer: (_count, { body }) => (JSON.parse(body).seq === 1 ? 400 : 200),
    arrived: [1, 2],
    dead: [[1, 'answered 400']],
  },
  {
    name: '408 and 429 are no refusals',
    answer: (count) => [408, 429][count] ?? 200,
    arrived: [1, 1, 1, 2],
  },
  {
    name: 'what fails for too long becomes a dead letter',
    answer: (_count, { body }) => (JSON.parse(body).seq === 1 ? 503 : 200),
    stream: { retryForMs: 0 },
    arrived: [1, 1, 2],
    dead: [[1, 'answered 503']],
  },
];

function drip(response: Parameters<Extract<Answer, (...given: never[]) => unknown>>[0]): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write('.'), 20);
  response.on('close', () => clearInterval(timer));
}

function breakOff(response: Parameters<typeof drip>[0]): void {
  response.writeHead(200, { 'content-length': '100' });
  response.write('half', () => response.destroy());
}

function endless(response: Parameters<typeof drip>[0]): void {
  response.writeHead(200);
  const chunk = 'x'.repeat(64 << 10);
  const pour = (): void => {
    while (!response.destroyed && response.write(chunk));
    response.once('drain', pour);
  };
  pour();
}

test('faults of receivers', async (t) => {
  for (const { name, answer, stream = {}, arrived, dead = [] } of CASES) {
    await t.test(name, async () => {
      await using at = await openStreamRoom();
      await using receiver = await openReceiver(answer);
      const streams = await at.start([streamTo(receiver.url, stream)]);
      await at.room.record.note(approved('one'));
      await at.room.record.note(approved('two'));
      await until('all is done', async () => {
        const [status] = await streams.list();
        return status?.seq === 2;
      });
      assert.deepEqual(
        receiver.json().map(({ seq }) => seq),
        arrived,
      );
      const ids = new Map(receiver.json().map(({ seq, id }) => [seq, id]));
      for (const { body, id } of receiver.got) assert.equal(id, ids.get(JSON.parse(body).seq));
      const letters = await streams.deadLetters('siem', { after: 0, limit: 10 });
      assert.deepEqual(
        letters.map(({ seq, reason }) => [seq, reason]),
        dead,
      );
    });
  }
});

test('a batch that is refused goes one by one, so that only what is refused is dead', async () => {
  await using at = await openStreamRoom();
  await using receiver = await openReceiver((_count, { body }) =>
    body.includes('"subject":"bad"') ? 422 : 200,
  );
  for (const subject of ['a', 'bad', 'c', 'd']) await at.room.record.note(approved(subject));
  const streams = await at.start([streamTo(receiver.url, { from: 'beginning', batch: 10 })]);
  await until('all is done', async () => (await streams.list())[0]?.seq === 4);
  const seqs = receiver.got.map(({ body }) =>
    body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).seq),
  );
  assert.deepEqual(seqs, [[1, 2, 3, 4], [1], [2], [3], [4]]);
  const letters = await streams.deadLetters('siem', { after: 0, limit: 10 });
  assert.deepEqual(
    letters.map(({ seq, kind, attempts }) => [seq, kind, attempts]),
    [[2, 'act', 1]],
  );
});

test('a redirect is not followed, so that headers and record go nowhere else', async () => {
  await using elsewhere = await openReceiver();
  await using at = await openStreamRoom();
  const location = elsewhere.url.href;
  await using receiver = await openReceiver((count) =>
    count < 3
      ? (response) => void response.writeHead([302, 307, 308][count] ?? 307, { location }).end()
      : 200,
  );
  const headers = { authorization: 'Bearer secret' };
  const streams = await at.start([streamTo(receiver.url, { headers })]);
  await at.room.record.note(approved('one'));
  await until('it is taken', async () => (await streams.list())[0]?.seq === 1);
  assert.deepEqual([receiver.got.length, elsewhere.got.length], [4, 0]);
  assert.equal(receiver.got[3]?.headers['authorization'], 'Bearer secret');
});

test('Retry-After is waited for, as far as it is reasonable', async () => {
  await using at = await openStreamRoom();
  let ms = 0;
  await using receiver = await openReceiver((count) =>
    count === 0 ? (response) => void response.writeHead(429, { 'retry-after': '1800' }).end() : 200,
  );
  const pace = { everyMs: 2, firstWaitMs: 2, longestWaitMs: 5, longestAskedMs: 3600_000 };
  const { QUICK } = await import('./room.ts');
  const streams = await at.start([streamTo(receiver.url)], {
    now: () => ms,
    pace: { ...QUICK, ...pace },
  });
  await at.room.record.note(approved('one'));
  await until('it was refused', async () => (await streams.list())[0]?.reason === 'answered 429');
  ms = 1_799_999;
  await at.room.record.note(approved('two'));
  await until('turns went by', async () =>
    (await at.metrics.render()).text.includes('bulla_stream_lag_entries{stream="siem"} 2'),
  );
  assert.equal(receiver.got.length, 1);
  ms = 1_800_001;
  await until('both are taken', async () => (await streams.list())[0]?.seq === 2);
  assert.equal(receiver.got.length, 3);
});

test('an address of a private range is only reached where the configuration says so (semantics 19)', async () => {
  await using at = await openStreamRoom();
  await using receiver = await openReceiver();
  const named = new URL(receiver.url);
  named.hostname = 'localhost';
  const streams = await at.start([
    streamTo(receiver.url, { privateAddresses: false }),
    streamTo(named, { name: 'named', privateAddresses: false }),
  ]);
  await at.room.record.note(approved('one'));
  await until('both were refused', async () =>
    (await streams.list()).every(({ reason }) => reason?.includes('privateAddresses') === true),
  );
  assert.equal(receiver.got.length, 0);
});

test('a clock that was set back does not lengthen the time in which something is tried again', async () => {
  await using at = await openStreamRoom();
  await using receiver = await openReceiver(() => 500);
  const streams = await at.start([streamTo(receiver.url, { retryForMs: 60_000 })]);
  await at.room.record.note(approved('one'));
  await until('it fails', async () => (await streams.list())[0]?.failingSince !== null);
  const year = 365 * 24 * 3600_000;
  at.room.time.ms -= year;
  const now = new Date(at.room.time.ms).toISOString();
  await until('it fails since now', async () => (await streams.list())[0]?.failingSince === now);
  at.room.time.ms += 60_000;
  await until('it is a dead letter', async () => (await streams.list())[0]?.deadLetters === 1);
});

test('the lag of each stream is told by its name', async () => {
  await using at = await openStreamRoom();
  await using hanging = await openReceiver(() => slow);
  await using quick = await openReceiver();
  await at.start([
    streamTo(hanging.url, { timeoutMs: 60_000 }),
    streamTo(quick.url, { name: 'quick' }),
  ]);
  await at.room.record.note(approved('one'));
  await until('one is behind, and the other is not', async () => {
    const { text } = await at.metrics.render();
    return (
      text.includes('bulla_stream_lag_entries{stream="siem"} 1') &&
      text.includes('bulla_stream_lag_entries{stream="quick"} 0')
    );
  });
});

test('a slow receiver delays neither the record nor another stream', async () => {
  await using at = await openStreamRoom();
  await using hanging = await openReceiver(() => slow);
  await using quick = await openReceiver();
  const streams = await at.start([
    streamTo(hanging.url, { timeoutMs: 60_000 }),
    streamTo(quick.url, { name: 'quick' }),
  ]);
  await at.room.record.note(approved('first'));
  await until('it hangs', () => hanging.got.length === 1);
  for (let n = 0; n < 20; n++) await at.room.record.note(approved(`n${n}`));
  await until('the other has all', () => quick.got.length === 21);
  assert.equal(hanging.got.length, 1);
  // Closing does not wait for it either.
  await streams[Symbol.asyncDispose]();
});
