import type { Migration } from 'kysely/migration';

/** The table of the streams. */
export const STREAM: Migration = {
  async up(db) {
    await db.schema
      .createTable('stream_dead_letters')
      .addColumn('stream', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('seq', 'bigint', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('failed_at', 'text', (column) => column.notNull())
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('attempts', 'bigint', (column) => column.notNull())
      .addColumn('retry_at', 'text')
      .addColumn('event', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('stream_dead_letters_key', ['stream', 'id'])
      .execute();
    await db.schema
      .createIndex('stream_dead_letters_order')
      .on('stream_dead_letters')
      .columns(['stream', 'seq'])
      .execute();
  },
};
