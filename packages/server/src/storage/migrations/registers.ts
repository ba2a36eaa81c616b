import type { Migration } from 'kysely/migration';
import { makeRegistersTable } from '../registers-table.ts';

/** The table of the registers, which the room made already when it was opened. */
export const REGISTERS: Migration = { up: makeRegistersTable };
