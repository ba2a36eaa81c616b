/**
 * A process that is to be killed. Its arguments: `sqlite PATH` or `postgres URL`, `write` or `migrate`,
 * and the number of the round. Each line that it prints is an acknowledgement.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { migrate } from '../../src/storage/migrate.ts';
import { openPostgres } from '../../src/storage/postgres/open.ts';
import type { Database } from '../../src/storage/schema.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import type { RowStore } from '../../src/storage/store.ts';
import { clock, TEST_TABLES, thing, thingsOf } from './rows.ts';

/** Tables that one migration makes, slowly enough to be killed in between. */
export const STEPS = 12;

/** Migrations of which the second takes its time. */
export const SLOW: Readonly<Record<string, Migration>> = {
  '0001-test': TEST_TABLES,
  '0002-slow': {
    async up(db: Kysely<Database>) {
      for (let step = 0; step < STEPS; step++) {
        await db.schema.createTable(`step_${step}`).addColumn('id', 'bigint').execute();
        await db
          .withTables<{ things: { id: number; name: string } }>()
          .insertInto('things')
          .values({ id: -1 - step, name: `step ${step}` })
          .execute();
        console.log(`step ${step}`);
        await sleep(3);
      }
    },
  },
};

/** Opens what the arguments name. */
export async function openNamed(kind: string, where: string): Promise<RowStore> {
  return kind === 'sqlite' ? openSqlite(where) : openPostgres({ url: where });
}

async function swaps({ registers }: RowStore, round: string, writer: number): Promise<never> {
  const key = `r${round}/w${writer}`;
  let version: string | null = null;
  for (let n = 0; ; n++) {
    const value = Buffer.from(`${n} ${'x'.repeat((n * 7919) % 5000)}`);
    version = await registers.swap(key, version, value);
    console.log(`cell ${key} ${n}`);
  }
}

async function rows({ tables }: RowStore, round: string, writer: number): Promise<never> {
  const db = thingsOf(tables);
  for (let n = 0; ; n++) {
    const id = (Number(round) * 10 + writer) * 1_000_000 + n * 2;
    if (n % 3 === 0) {
      await db.transaction().execute(async (trx) => {
        await trx.insertInto('things').values(thing(id)).execute();
        await trx
          .insertInto('things')
          .values(thing(id + 1))
          .execute();
      });
      console.log(`pair ${id}`);
    } else {
      await db.insertInto('things').values(thing(id)).execute();
      console.log(`row ${id}`);
    }
  }
}

if (import.meta.main) {
  const [kind = '', where = '', work = '', round = '0'] = process.argv.slice(2);
  const store = await openNamed(kind, where);
  console.log('open');
  if (work === 'migrate') {
    await migrate(store, { clock, migrations: SLOW, leaseMs: 500 });
    console.log('migrated');
    await sleep(600_000);
  }
  const writers = [0, 1, 2].flatMap((writer) => [
    swaps(store, round, writer),
    rows(store, round, writer),
  ]);
  await Promise.all(writers);
}
