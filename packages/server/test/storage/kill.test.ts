import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../../src/storage/migrate.ts';
import type { RowStore } from '../../src/storage/store.ts';
import { seeded } from '../seeded.ts';
import { postgresServer, temporaryFolder } from './rooms.ts';
import { clock, makeThings, TEST_TABLES, thingsOf } from './rows.ts';
import { openNamed, SLOW, STEPS } from './writing-process.ts';

const PROGRAM = join(import.meta.dirname, 'writing-process.ts');
const ROUNDS = 10;
const SEED = 20261114;

/** Where the killed process writes. */
interface Target extends AsyncDisposable {
  readonly where: string;
  /** What the database itself finds wrong with its files, while nobody has it open. */
  check(): readonly string[];
}

interface Kind {
  readonly name: 'sqlite' | 'postgres';
  target(t: TestContext): Promise<Target | null>;
}

const KINDS: readonly Kind[] = [
  {
    name: 'sqlite',
    async target() {
      const folder = await temporaryFolder();
      const where = join(folder.path, 'tables.db');
      return {
        where,
        check() {
          const database = new DatabaseSync(where);
          const found = database.prepare('pragma integrity_check').all();
          database.close();
          return found.map((row) => String(row['integrity_check'])).filter((line) => line !== 'ok');
        },
        [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
      };
    },
  },
  {
    name: 'postgres',
    async target(t) {
      const server = await postgresServer(t);
      if (server === null) return null;
      const where = await server.database();
      return { where, check: () => [], [Symbol.asyncDispose]: async () => {} };
    },
  },
];

/** Runs the process until `isTime` says so of its lines, kills it, and answers the lines. */
async function runUntilKilled(
  args: readonly string[],
  isTime: (lines: readonly string[]) => Promise<void>,
): Promise<readonly string[]> {
  const flags = ['--conditions=@bulla/source', PROGRAM, ...args];
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  try {
    const reading = createInterface({ input: child.stdout });
    const opened = Promise.withResolvers<void>();
    reading.on('line', (line) => {
      lines.push(line);
      opened.resolve();
    });
    child.once('exit', () => opened.reject(new Error('the process ended by itself')));
    await opened.promise;
    await isTime(lines);
    child.kill('SIGKILL');
    await once(reading, 'close');
  } finally {
    child.kill('SIGKILL');
  }
  return lines;
}

async function checkCells({ registers }: RowStore, lines: readonly string[]): Promise<void> {
  const newest = new Map<string, number>();
  for (const line of lines) {
    const [, key, n] = /^cell (\S+) (\d+)$/.exec(line) ?? [];
    if (key !== undefined) newest.set(key, Number(n));
  }
  for (const [key, n] of newest) {
    const cell = await registers.read(key);
    const [found = '-1', filling = ''] = Buffer.from(cell?.value ?? [])
      .toString()
      .split(' ');
    // The one after may have been written and not acknowledged.
    assert.ok(Number(found) === n || Number(found) === n + 1, `${key}: ${found} after ${n}`);
    assert.equal(filling.length, (Number(found) * 7919) % 5000);
  }
}

async function checkRows({ tables }: RowStore, lines: readonly string[]): Promise<void> {
  const rows = await thingsOf(tables).selectFrom('things').selectAll().execute();
  const ids = new Set(rows.map(({ id }) => id));
  for (const line of lines) {
    const [, kind, text] = /^(row|pair) (\d+)$/.exec(line) ?? [];
    if (kind === undefined) continue;
    assert.ok(ids.has(Number(text)), `${line} was acknowledged`);
  }
  for (const { id, name } of rows) {
    assert.equal(name, `thing ${id}`);
    // Every third write is a pair in a transaction: no half of one, acknowledged or not.
    if (((id % 1_000_000) / 2) % 3 === 0) assert.ok(ids.has(id + 1), `half of the pair ${id}`);
  }
}

for (const { name, target } of KINDS) {
  test(`${name}: kill -9 in the midst of writes loses nothing acknowledged, and halves nothing`, async (t) => {
    const found = await target(t);
    if (found === null) return;
    await using place = found;
    t.diagnostic(`seed ${SEED}`);
    const random = seeded(SEED);
    {
      await using store = await openNamed(name, place.where);
      await makeThings(store);
    }
    const all: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const delayMs = random() * 150;
      const args = [name, place.where, 'write', String(round)];
      all.push(...(await runUntilKilled(args, () => sleep(delayMs))));
      assert.deepEqual(place.check(), []);
      await using store = await openNamed(name, place.where);
      await checkCells(store, all);
      await checkRows(store, all);
    }
    assert.ok(all.length > ROUNDS * 2, `only ${all.length} lines`);
  });

  test(`${name}: kill -9 in the midst of a migration leaves the old schema or the new`, async (t) => {
    const random = seeded(SEED);
    t.diagnostic(`seed ${SEED}`);
    for (let round = 0; round < ROUNDS / 2; round++) {
      const found = await target(t);
      if (found === null) return;
      await using place = found;
      {
        await using store = await openNamed(name, place.where);
        await migrate(store, { clock, migrations: { '0001-test': TEST_TABLES } });
      }
      const step = Math.floor(random() * (STEPS + 1));
      const last = step === STEPS ? 'migrated' : `step ${step}`;
      await runUntilKilled([name, place.where, 'migrate'], async (lines) => {
        while (!lines.includes(last)) await sleep(1);
      });
      assert.deepEqual(place.check(), []);
      await using store = await openNamed(name, place.where);
      const made = (await store.tables.db.introspection.getTables()).filter((table) =>
        table.name.startsWith('step_'),
      );
      const rows = await thingsOf(store.tables).selectFrom('things').select('id').execute();
      assert.ok(made.length === 0 || made.length === STEPS, `${made.length} of ${STEPS} tables`);
      assert.equal(rows.length, made.length);
      if (last === 'migrated') assert.equal(made.length, STEPS);
      // The lease of the killed process runs out, and the next one finishes the work.
      await migrate(store, { clock, migrations: SLOW, leaseMs: 500 });
      const after = await thingsOf(store.tables).selectFrom('things').select('id').execute();
      assert.equal(after.length, STEPS);
    }
  });
}
