import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { PoolClient, PoolConfig } from 'pg';
import { Pool, types } from 'pg';
import type { Parameter } from '../parameter.ts';
import type { PostgresAddress } from './address.ts';
import { faultOf, isLost } from './faults.ts';

/** What a statement answered. */
export interface Answer {
  readonly rows: readonly unknown[];
  /** Rows that it changed or answered. */
  readonly count: number;
  /** The command's tag: `COMMIT`, `UPDATE`, … */
  readonly command: string;
}

/** A statement; one with a name is prepared once on each connection. */
export interface PostgresStatement {
  readonly text: string;
  readonly values: readonly (Parameter | boolean)[];
  readonly name?: string;
}

/** One connection of the pool, until it is given back. */
export interface Connection {
  run(statement: PostgresStatement): Promise<Answer>;
  /** Gives it back; `broken` ends it, with whatever transaction is open on it. */
  release(broken: boolean): void;
}

/** The pool of connections. Faults are those of `faultOf`; after the end, `storage.closed`. */
export interface Connections {
  acquire(): Promise<Connection>;
  /** Runs one statement on any connection. */
  run(statement: PostgresStatement): Promise<Answer>;
  /** Resolves when all connections were given back and have ended. */
  close(): Promise<void>;
}

/** How a pool is made. */
export interface ConnectionsOptions {
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  readonly idleTransactionMs: number;
}

const CONNECT_TIMEOUT_MS = 5000;
const INT8 = types.builtins.INT8;
const NUMERIC = types.builtins.NUMERIC;
const BYTEA = types.builtins.BYTEA;

/**
 * A pool on the address. Connections are made when they are needed; one that broke is replaced, so
 * a server that went away is used again when it is back.
 */
export function openConnections(
  address: PostgresAddress,
  options: ConnectionsOptions,
): Connections {
  const { shown, ...where } = address;
  const pool = new Pool(settings(where, options));
  // A connection that breaks while nobody uses it is dropped by the pool.
  pool.on('error', () => undefined);
  const inUse = new Set<Promise<void>>();
  let closing: Promise<void> | undefined;

  async function acquire(): Promise<Connection> {
    if (closing !== undefined) throw new TrustFault('storage.closed', `${quote(shown)} was closed`);
    const { promise, resolve } = Promise.withResolvers<void>();
    inUse.add(promise);
    const done = () => {
      inUse.delete(promise);
      resolve();
    };
    try {
      return connectionOf(await pool.connect(), shown, done);
    } catch (error) {
      done();
      throw faultOf(error, shown);
    }
  }

  async function close(): Promise<void> {
    // The pool itself, once it ends, lets whoever waits for a connection wait for ever.
    while (inUse.size > 0) await Promise.all(inUse);
    await pool.end();
  }

  return {
    acquire,
    async run(statement) {
      const connection = await acquire();
      let broken = true;
      try {
        const answer = await connection.run(statement);
        broken = false;
        return answer;
      } finally {
        connection.release(broken);
      }
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function settings(
  where: Omit<PostgresAddress, 'shown'>,
  { poolSize, statementTimeoutMs, idleTransactionMs }: ConnectionsOptions,
): PoolConfig {
  return {
    ...where,
    ssl: where.ssl === false ? false : { ...where.ssl },
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleTransactionMs,
    keepAlive: true,
    application_name: 'bulla',
    types: { getTypeParser: parserOf },
  };
}

function connectionOf(client: PoolClient, shown: string, done: () => void): Connection {
  let broken = false;
  const onError = () => {
    broken = true;
  };
  // Between two statements nobody else would hear that the connection broke.
  client.on('error', onError);
  return {
    async run({ text, values, name }) {
      try {
        const query = { text, values: [...values], ...(name === undefined ? {} : { name }) };
        const { rows, rowCount, command } = await client.query(query);
        return { rows, count: rowCount ?? 0, command };
      } catch (error) {
        if (isLost(error)) broken = true;
        throw faultOf(error, shown);
      }
    },
    release(asBroken) {
      client.off('error', onError);
      client.release(broken || asBroken);
      done();
    },
  };
}

/** Whole numbers as `number`, bytes as plain `Uint8Array`; the rest as the driver has it. */
function parserOf(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  const usual: (text: string) => unknown = types.getTypeParser(oid, format);
  switch (oid) {
    case INT8:
    case NUMERIC:
      return Number;
    case BYTEA:
      return (text) => {
        const bytes = usual(text);
        return bytes instanceof Uint8Array ? new Uint8Array(bytes) : bytes;
      };
    default:
      return usual;
  }
}
