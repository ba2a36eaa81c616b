import type { Migration } from 'kysely/migration';

/** The tables of the gateway. */
export const GATEWAY: Migration = {
  async up(db) {
    await db.schema
      .createTable('tag_history')
      .addColumn('repository', 'text', (column) => column.notNull())
      .addColumn('tag', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('first_seen', 'text', (column) => column.notNull())
      .addColumn('last_seen', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('tag_history_key', ['repository', 'tag', 'digest'])
      // Of two replicas that see two new digests at once, one must be the older.
      .addUniqueConstraint('tag_history_order', ['repository', 'tag', 'first_seen'])
      .execute();
  },
};
