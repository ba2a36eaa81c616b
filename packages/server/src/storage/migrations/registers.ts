import type { Migration } from 'kysely/migration';

/** The tables of registers. */
export const REGISTERS: Migration = {
  async up() {},
};
