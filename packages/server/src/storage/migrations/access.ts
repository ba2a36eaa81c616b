import type { Migration } from 'kysely';

/** The tables of access. */
export const ACCESS: Migration = {
  async up() {},
};
