import type { Migration } from 'kysely';

/** The tables of record. */
export const RECORD: Migration = {
  async up() {},
};
