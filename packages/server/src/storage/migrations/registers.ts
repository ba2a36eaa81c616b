import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The table of the registers. A room makes it when it is opened, before any migration runs: the
 * lease under which they run is one of its cells.
 */
export const REGISTERS: Migration = {
  async up(db: Kysely<object>) {
    await db.schema
      .createTable('registers')
      .ifNotExists()
      .addColumn('key', 'blob', (column) => column.primaryKey())
      .addColumn('value', 'blob', (column) => column.notNull())
      .addColumn('version', 'text', (column) => column.notNull())
      .execute();
  },
};
