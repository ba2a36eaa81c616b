import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../schema.ts';

/** The tables of record. */
export const RECORD: Migration = {
  async up(db: Kysely<Database>) {
    await chain(db);
    await searched(db);
    await signed(db);
  },
};

async function chain(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('record_head')
    .addColumn('id', 'bigint', (column) => column.primaryKey())
    .addColumn('turn', 'bigint', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .execute();
  const hash = '0'.repeat(64);
  await db.insertInto('record_head').values({ id: 1, turn: 0, seq: 0, hash }).execute();
  await db.schema
    .createTable('record_entries')
    .addColumn('seq', 'bigint', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text')
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('previous', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('effect', 'text')
    .addColumn('surface', 'text')
    .addColumn('tag', 'text')
    .addColumn('dossier', 'text')
    .execute();
}

async function searched(db: Kysely<Database>): Promise<void> {
  const indexes = [
    ['record_entries_id', ['id']],
    ['record_entries_at', ['at', 'seq']],
    ['record_entries_effect', ['effect', 'seq']],
    ['record_entries_tag', ['tag', 'seq']],
    ['record_entries_dossier', ['dossier']],
  ] as const;
  for (const [name, columns] of indexes) {
    await db.schema
      .createIndex(name)
      .on('record_entries')
      .columns([...columns])
      .execute();
  }
  await db.schema
    .createTable('record_terms')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('record_terms_key', ['kind', 'value', 'seq'])
    .execute();
  await db.schema.createIndex('record_terms_seq').on('record_terms').column('seq').execute();
  await db.schema
    .createTable('record_repeats')
    .addColumn('decision_id', 'text', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('count', 'bigint', (column) => column.notNull())
    .addColumn('first_at', 'text', (column) => column.notNull())
    .addColumn('last_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('record_repeats_key', ['decision_id', 'seq'])
    .execute();
  await db.schema.createIndex('record_repeats_seq').on('record_repeats').column('seq').execute();
}

async function signed(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('record_signed_heads')
    .addColumn('seq', 'bigint', (column) => column.primaryKey())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('record_anchors')
    .addColumn('seq', 'bigint', (column) => column.primaryKey())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .execute();
}
