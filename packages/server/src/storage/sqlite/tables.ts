import { Kysely } from 'kysely';
import type { Database } from '../schema.ts';
import type { Tables } from '../tables.ts';
import { type Queues, sqliteDialect } from './dialect.ts';

/** Tables of a SQLite database: statements in groups, transactions one after another. */
export function sqliteTables(queues: Queues): Tables {
  return { db: new Kysely<Database>({ dialect: sqliteDialect(queues) }) };
}
