import type { Migration } from 'kysely/migration';

/** The tables of access. */
export const ACCESS: Migration = {
  async up() {},
};
