import type { Migration } from 'kysely/migration';

/** By whom exceptions were requested, so that one person's can be counted. */
export const EXCEPTION_REQUESTERS: Migration = {
  async up(db) {
    await db.schema
      .alterTable('exceptions')
      .addColumn('requester', 'text', (column) => column.notNull().defaultTo(''))
      .execute();
    await db.schema
      .createIndex('exceptions_requested')
      .on('exceptions')
      .columns(['requester', 'requested_at'])
      .execute();
  },
};
