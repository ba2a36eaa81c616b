import type { Migration } from 'kysely/migration';

const TEXTS = [
  ...['name', 'kind', 'state', 'repository', 'expires', 'envelope', 'requested_by'],
  ...['requested_at', 'review'],
] as const;
const NULLABLE = [
  ...['digest', 'approved_by', 'approved_at', 'revoked_by', 'revoked_at', 'revoked_reason'],
  ...['reviewed_by', 'reviewed_at', 'review_says'],
] as const;

/** The tables of exceptions. */
export const EXCEPTIONS: Migration = {
  async up(db) {
    let table = db.schema
      .createTable('exceptions')
      .addColumn('id', 'text', (column) => column.primaryKey());
    for (const name of TEXTS) table = table.addColumn(name, 'text', (column) => column.notNull());
    for (const name of NULLABLE) table = table.addColumn(name, 'text');
    await table.execute();
    await db.schema
      .createIndex('exceptions_in_force')
      .on('exceptions')
      .columns(['repository', 'state', 'expires'])
      .execute();
  },
};
