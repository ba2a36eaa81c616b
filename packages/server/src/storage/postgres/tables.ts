import { Kysely } from 'kysely';
import type { Database } from '../schema.ts';
import type { Tables } from '../tables.ts';
import { PORTABLE_COLUMNS } from './columns.ts';
import type { Connections } from './connections.ts';
import { postgresDialect } from './dialect.ts';

/** Tables of a PostgreSQL database; transactions are serializable. */
export function postgresTables(connections: Connections): Tables {
  const dialect = postgresDialect(connections);
  return { db: new Kysely<Database>({ dialect, plugins: [PORTABLE_COLUMNS] }) };
}
