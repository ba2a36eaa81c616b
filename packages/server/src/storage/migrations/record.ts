import type { Migration } from 'kysely/migration';

/** The tables of record. */
export const RECORD: Migration = {
  async up() {},
};
