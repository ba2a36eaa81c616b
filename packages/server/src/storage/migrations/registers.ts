import type { Migration } from 'kysely';

/** The tables of registers. */
export const REGISTERS: Migration = {
  async up() {},
};
