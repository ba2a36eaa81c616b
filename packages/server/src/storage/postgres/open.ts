import { sql } from 'kysely';
import { makeRegistersTable } from '../registers-table.ts';
import type { RowStore } from '../store.ts';
import type { Tables } from '../tables.ts';
import { readAddress } from './address.ts';
import { type Connections, openConnections } from './connections.ts';
import { postgresRegisters } from './registers.ts';
import { postgresTables } from './tables.ts';

/** How a database is opened. */
export interface PostgresOptions {
  /** As `readAddress` reads it. */
  readonly url: string;
  /** Connections at most, of this process. Default 10. */
  readonly poolSize?: number;
  /** A statement that takes longer is cancelled. Default 30 seconds. */
  readonly statementTimeoutMs?: number;
  /** A transaction without a statement for so long is rolled back. Default ten seconds. */
  readonly idleTransactionMs?: number;
  /** Wraps the pool, in tests. */
  readonly wrap?: (connections: Connections) => Connections;
}

const POOL_SIZE = 10;
/** The advisory lock of those who open a database: "Bula". */
const OPENING = 0x42756c61;
const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_TRANSACTION_MS = 10_000;

/**
 * Opens a PostgreSQL database that any number of processes may share. Its tables are there after
 * `migrate`; its registers at once. The user needs the right to create tables. Throws
 * `storage.address-invalid`, and `storage.failed` when the server cannot be reached or refuses.
 */
export async function openPostgres(options: PostgresOptions): Promise<RowStore> {
  const {
    poolSize = POOL_SIZE,
    statementTimeoutMs = STATEMENT_TIMEOUT_MS,
    idleTransactionMs = IDLE_TRANSACTION_MS,
    wrap = (connections) => connections,
  } = options;
  const address = await readAddress(options.url);
  const limits = { poolSize, statementTimeoutMs, idleTransactionMs };
  const connections = wrap(openConnections(address, limits));
  const tables = postgresTables(connections);
  try {
    await makeRegisters(tables);
  } catch (error) {
    await connections.close();
    throw error;
  }
  return {
    tables,
    registers: postgresRegisters(connections),
    [Symbol.asyncDispose]: () => connections.close(),
  };
}

/** `create table if not exists` fails when two run at once, so they run one after another. */
async function makeRegisters({ db }: Tables): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(OPENING)})`.execute(trx);
    await makeRegistersTable(trx);
  });
}
