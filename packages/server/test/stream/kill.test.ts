import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registers } from '../../src/storage/registers.ts';
import { seeded } from '../seeded.ts';
import { temporaryFolder } from '../storage/rooms.ts';
import { approved } from './notes.ts';
import { openReceiver, openStreamRoom, streamTo, until } from './room.ts';

const ROOM_TS = join(import.meta.dirname, 'room.ts');
const NOTES_TS = join(import.meta.dirname, 'notes.ts');
const ROUNDS = 4;
const SEED = 20261121;

/** A process that notes acts without end and sends them in batches. */
function program(path: string, url: string, round: number): string {
  return `
    const { openStreamRoom, streamTo } = await import(${JSON.stringify(ROOM_TS)});
    const { approved } = await import(${JSON.stringify(NOTES_TS)});
    const at = await openStreamRoom(${JSON.stringify(path)});
    await at.start([streamTo(new URL(${JSON.stringify(url)}), { from: 'beginning', batch: 7 })]);
    for (let n = 0; ; n++) await at.room.record.note(approved('${round}-' + n));`;
}

test('kill -9 at any moment loses nothing; what is sent twice has the same id and the same bytes', async (t) => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'tables.db');
  await using receiver = await openReceiver();
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const before = receiver.got.length;
    const code = program(path, receiver.url.href, round);
    const flags = ['--conditions=@bulla/source', '--input-type=module', '-e', code];
    const child = spawn(process.execPath, flags, { stdio: ['ignore', 'ignore', 'inherit'] });
    const closed = once(child, 'close');
    try {
      await until('some were sent', () => receiver.got.length > before + 2);
      await sleep(random() * 100);
    } finally {
      child.kill('SIGKILL');
    }
    await closed;
  }
  await using at = await openStreamRoom(path);
  const stream = streamTo(receiver.url, { from: 'beginning', batch: 7 });
  // A data folder has one process: opening it ends the lease of whoever was killed.
  const streams = await at.start([stream]);
  await until('the rest was sent', async () => (await streams.list())[0]?.lag === 0);
  const end = await at.room.tables.db
    .selectFrom('record_head')
    .select('seq')
    .executeTakeFirstOrThrow();
  const seen = new Set<number>();
  const bodies = new Map<string, string>();
  for (const { id, body } of receiver.got) {
    assert.equal(bodies.get(id) ?? body, body, 'one id, one body');
    bodies.set(id, body);
    for (const line of body.trimEnd().split('\n')) seen.add(JSON.parse(line).seq);
  }
  assert.equal(seen.size, end.seq);
  // First arrivals are in order: what comes again comes before anything new.
  const firsts = [...seen];
  assert.deepEqual(
    firsts,
    firsts.toSorted((a, b) => a - b),
  );
});

/** Registers whose `n`th write of a stream's cursor does not come back; `written`: it happened. */
function lostAt(registers: Registers, n: number, written: boolean): Registers {
  let writes = 0;
  return {
    ...registers,
    read: (key) => registers.read(key),
    list: (prefix, page) => registers.list(prefix, page),
    delete: (key, expected) => registers.delete(key, expected),
    async swap(key, expected, value) {
      if (!key.startsWith('streams/')) return registers.swap(key, expected, value);
      writes += 1;
      if (writes === n) {
        if (written) await registers.swap(key, expected, value);
        throw new Error('the store gave no answer');
      }
      return registers.swap(key, expected, value);
    },
  };
}

test('a write of the cursor that fails, or is done and not answered, loses nothing', async (t) => {
  for (const written of [false, true]) {
    for (let n = 2; n <= 7; n++) {
      await t.test(`write ${n}, ${written ? 'done' : 'lost'}`, async () => {
        await using at = await openStreamRoom();
        await using receiver = await openReceiver((_count, { body }) =>
          body.includes('"subject":"bad"') ? 400 : 200,
        );
        for (const subject of ['a', 'b', 'bad', 'c', 'd', 'e']) {
          await at.room.record.note(approved(subject));
        }
        const registers = lostAt(at.rows.registers, n, written);
        const stream = streamTo(receiver.url, { from: 'beginning', batch: 3 });
        const streams = await at.start([stream], { registers });
        await until('all is done', async () => (await streams.list())[0]?.seq === 6);
        const taken = receiver.got
          .filter(({ body }) => !body.includes('"subject":"bad"'))
          .flatMap(({ body }) =>
            body
              .trimEnd()
              .split('\n')
              .map((line) => JSON.parse(line).seq),
          );
        assert.deepEqual([...new Set(taken)], [1, 2, 4, 5, 6]);
        const letters = await streams.deadLetters('siem', { after: 0, limit: 10 });
        assert.deepEqual(
          letters.map(({ seq }) => seq),
          [3],
        );
      });
    }
  }
});

test('of two processes on one store one sends, and the other goes on when it is gone', async () => {
  await using at = await openStreamRoom();
  await using receiver = await openReceiver();
  const first = await at.start([streamTo(receiver.url)]);
  const second = await at.start([streamTo(receiver.url)]);
  for (let n = 0; n < 10; n++) await at.room.record.note(approved(`n${n}`));
  await until('ten were sent', () => receiver.got.length >= 10);
  await until('the cursor is there', async () => (await second.list())[0]?.lag === 0);
  assert.equal(receiver.got.length, 10);
  await first[Symbol.asyncDispose]();
  await at.room.record.note(approved('after'));
  await until('the other sent it', () => receiver.got.length === 11);
  assert.equal(receiver.json().at(-1)?.entry.subject, 'after');
});
