import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../storage/rooms.ts';
import { openRoom } from './room.ts';

const ROOM_TS = join(import.meta.dirname, 'room.ts');
const ROUNDS = 6;
const DOORS = 3;
const SEED = 20260501;

/** A small generator (mulberry32): the same kills at each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A process with three doors that keep first passes, refusals and repeated passes, and that writes a
 * line for each answer: `entry ID` or `repeat ID BEFORE AFTER`, in milliseconds of one clock.
 */
function program(path: string, round: number): string {
  return `
    import { writeSync } from 'node:fs';
    const { openRoom, made, refused, again } = await import(${JSON.stringify(ROOM_TS)});
    const room = await openRoom({ path: ${JSON.stringify(path)}, config: { gatherMs: 2 } });
    const firsts = [];
    const door = async (name) => {
      for (let n = 0; ; n++) {
        const id = ('${round}' + name + n).toUpperCase().padStart(26, '0');
        const tag = 'v' + id;
        const decision = n % 3 === 2 ? refused({ id, tag }) : made({ id, tag });
        await room.record.keep(decision);
        writeSync(1, 'entry ' + id + '\\n');
        if (n % 3 !== 2) firsts.push(decision);
        for (const first of firsts.slice(-4)) {
          const before = performance.now();
          await room.record.keep(again(first));
          writeSync(1, 'repeat ' + first.decision.id + ' ' + before + ' ' + performance.now() + '\\n');
        }
      }
    };
    await Promise.all(['A', 'B', 'C'].map(door));`;
}

interface Answers {
  readonly entries: readonly string[];
  readonly repeats: readonly {
    readonly id: string;
    readonly before: number;
    readonly after: number;
  }[];
}

async function keepUntilKilled(path: string, round: number, ms: number): Promise<Answers> {
  const flags = ['--conditions=@bulla/source', '--input-type=module', '-e', program(path, round)];
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const closed = once(child, 'close');
  try {
    await once(child.stdout, 'data');
    await sleep(ms);
  } finally {
    child.kill('SIGKILL');
  }
  await closed;
  const words = output
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' '));
  return {
    entries: words.filter(([kind]) => kind === 'entry').map(([, id = '']) => id),
    repeats: words
      .filter(([kind]) => kind === 'repeat')
      .map(([, id = '', before, after]) => ({ id, before: Number(before), after: Number(after) })),
  };
}

test('kill -9 loses no first pass and no refusal, and at most the last second of counts', async (t) => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'tables.db');
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED);
  const all: Answers[] = [];
  let durables = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await keepUntilKilled(path, round, round === 0 ? 1600 : 100 + random() * 1000);
    all.push(answers);
    await using room = await openRoom({ path });
    for (const id of answers.entries) {
      assert.equal((await room.record.get(id)).decision.id, id, 'was answered');
    }
    // No count that was not durable was older than a second when the last answer was given.
    const last = Math.max(...answers.repeats.map(({ before }) => before));
    for (const id of new Set(answers.repeats.map((repeat) => repeat.id))) {
      const given = answers.repeats.filter((repeat) => repeat.id === id);
      const durable = given.filter(({ after }) => after < last - 1000).length;
      durables += durable;
      const { uses } = await room.record.get(id);
      assert.ok(uses.count - 1 >= durable, `${id}: ${uses.count - 1} of ${durable}`);
      // A repeat may have been counted whose line was not written any more.
      assert.ok(
        uses.count - 1 <= given.length + DOORS,
        `${id}: ${uses.count - 1}, ${given.length}`,
      );
    }
    await room.record.head();
    const { finding } = await room.record.verify();
    assert.equal(finding.outcome, 'pass', JSON.stringify(finding));
  }
  assert.ok(all.flatMap(({ entries }) => entries).length > ROUNDS);
  assert.ok(durables > 0, 'some counts were old enough to be durable');
});
