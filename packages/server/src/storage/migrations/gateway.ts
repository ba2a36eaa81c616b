import type { Migration } from 'kysely/migration';

/** The tables of gateway. */
export const GATEWAY: Migration = {
  async up() {},
};
