import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

/**
 * Makes the table of the registers if it is not there. A room does so when it is opened, before any
 * migration runs: the lease under which they run is one of its cells.
 */
export async function makeRegistersTable(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('registers')
    .ifNotExists()
    .addColumn('key', 'blob', (column) => column.primaryKey())
    .addColumn('value', 'blob', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .execute();
}
