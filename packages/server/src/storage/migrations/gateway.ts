import type { Migration } from 'kysely';

/** The tables of gateway. */
export const GATEWAY: Migration = {
  async up() {},
};
