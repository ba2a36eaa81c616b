import type { Kysely, Transaction } from 'kysely';
import type { Migration } from 'kysely/migration';
import { migrate } from '../../src/storage/migrate.ts';
import type { Database } from '../../src/storage/schema.ts';
import type { RowStore } from '../../src/storage/store.ts';
import type { Tables } from '../../src/storage/tables.ts';

/** The rows that the tests of tables write. */
export type TestTables = {
  owners: { id: string };
  things: { id: number; name: string; owner: string | null; content: Uint8Array | null };
};

/** Makes them, in the portable types. */
export const TEST_TABLES: Migration = {
  async up(db: Kysely<Database>) {
    await db.schema
      .createTable('owners')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .execute();
    await db.schema
      .createTable('things')
      .addColumn('id', 'bigint', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull().unique())
      .addColumn('owner', 'text', (column) => column.references('owners.id'))
      .execute();
    await db.schema.alterTable('things').addColumn('content', 'blob').execute();
  },
};

export const clock = (): Date => new Date();

/** Makes the tables of the tests, and answers them with their types. */
export async function makeThings(store: RowStore): Promise<Kysely<TestTables>> {
  await migrate(store, { clock, migrations: { '0001-test': TEST_TABLES } });
  return thingsOf(store.tables);
}

/** The tables of the tests in a store that has them. */
export function thingsOf({ db }: Tables): Kysely<TestTables> {
  return db.withTables<TestTables>();
}

/** The same within a transaction. */
export function thingsIn(trx: Transaction<Database>): Transaction<TestTables> {
  return trx.withTables<TestTables>();
}

/** A thing with what a test does not care about. */
export function thing(id: number, name = `thing ${id}`): TestTables['things'] {
  return { id, name, owner: null, content: null };
}

/** The ids of all things, in order. */
export async function idsOf(db: Kysely<TestTables>): Promise<readonly number[]> {
  const rows = await db.selectFrom('things').select('id').orderBy('id').execute();
  return rows.map(({ id }) => id);
}
