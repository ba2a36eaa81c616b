import { TrustFault } from '@bulla/trust/fault/fault';
import {
  type DatabaseConnection,
  type Dialect,
  type DialectAdapter,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely';
import { type Parameter, parameterOf } from '../parameter.ts';
import type { Connection, Connections } from './connections.ts';
import { queryResultOf } from './parse.ts';

/** Kysely over a pool of connections to PostgreSQL. */
export function postgresDialect(connections: Connections): Dialect {
  return {
    createDriver: () => postgresDriver(connections, parameterOf),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => ADAPTER,
    createIntrospector: () => catalogOf(connections),
  };
}

/** Kysely's own queries on the catalogue compare booleans, which rows of Bulla do not have. */
function catalogOf(connections: Connections): PostgresIntrospector {
  const orBoolean = (value: unknown) => (typeof value === 'boolean' ? value : parameterOf(value));
  const dialect: Dialect = {
    ...postgresDialect(connections),
    createDriver: () => postgresDriver(connections, orBoolean),
  };
  return new PostgresIntrospector(new Kysely({ dialect }));
}

const USUAL = new PostgresAdapter();

const ADAPTER: DialectAdapter = {
  supportsCreateIfNotExists: true,
  supportsMultipleConnections: true,
  supportsTransactionalDdl: true,
  supportsReturning: true,
  supportsOutput: false,
  async acquireMigrationLock(db, options) {
    // An index on many rows takes its time; the transaction's own setting, gone at its end.
    await sql`set local statement_timeout = 0`.execute(db);
    await USUAL.acquireMigrationLock(db, options);
  },
  releaseMigrationLock: (db, options) => USUAL.releaseMigrationLock(db, options),
};

/** A connection and whether a transaction is open on it. */
interface Held {
  readonly connection: Connection;
  inTransaction: boolean;
}

function postgresDriver(
  connections: Connections,
  check: (value: unknown) => Parameter | boolean,
): Driver {
  const held = new WeakMap<DatabaseConnection, Held>();
  const holding = (connection: DatabaseConnection): Held => {
    const found = held.get(connection);
    if (found === undefined) throw new TrustFault('internal.defect', 'an unknown connection');
    return found;
  };
  return {
    init: async () => undefined,
    async acquireConnection() {
      const connection = await connections.acquire();
      const named: DatabaseConnection = {
        async executeQuery({ sql: text, parameters }) {
          return queryResultOf(await connection.run({ text, values: parameters.map(check) }));
        },
        streamQuery() {
          throw new TrustFault('internal.defect', 'rows are paged by key, not streamed');
        },
      };
      held.set(named, { connection, inTransaction: false });
      return named;
    },
    async beginTransaction(named) {
      const holder = holding(named);
      holder.inTransaction = true;
      await holder.connection.run({ text: 'begin isolation level serializable', values: [] });
    },
    async commitTransaction(named) {
      const holder = holding(named);
      const { command } = await holder.connection.run({ text: 'commit', values: [] });
      holder.inTransaction = false;
      // PostgreSQL's way to say that a statement before had failed.
      if (command === 'ROLLBACK') {
        throw new TrustFault(
          'storage.failed',
          'the transaction failed before, and was rolled back',
        );
      }
    },
    async rollbackTransaction(named) {
      const holder = holding(named);
      try {
        await holder.connection.run({ text: 'rollback', values: [] });
        holder.inTransaction = false;
      } catch {
        // The connection is ended when it is given back, and its transaction with it.
      }
    },
    async releaseConnection(named) {
      const { connection, inTransaction } = holding(named);
      held.delete(named);
      connection.release(inTransaction);
    },
    destroy: async () => undefined,
  };
}
