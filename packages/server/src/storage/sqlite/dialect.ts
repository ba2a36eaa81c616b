import { TrustFault } from '@bulla/trust/fault/fault';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type DialectAdapter,
  type Driver,
  SelectQueryNode,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { parameterOf } from '../parameter.ts';
import type { Statement } from './message.ts';
import { queryResultOf } from './parse.ts';
import type { Queue, Turn } from './queue.ts';

/** Where queries go: what only reads need not wait for what writes. */
export interface Queues {
  readonly writer: Queue;
  readonly reader: Queue;
}

/** Kysely over the queues of a SQLite database. */
export function sqliteDialect(queues: Queues): Dialect {
  return {
    createDriver: () => sqliteDriver(queues),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => ADAPTER,
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

const ADAPTER: DialectAdapter = {
  supportsCreateIfNotExists: true,
  // The queues see to the order; connections of Kysely's are only names for places in them.
  supportsMultipleConnections: true,
  supportsTransactionalDdl: true,
  supportsReturning: true,
  supportsOutput: false,
  // Migrations run in one transaction, which has the database to itself.
  acquireMigrationLock: async () => undefined,
  releaseMigrationLock: async () => undefined,
};

function sqliteDriver(queues: Queues): Driver {
  const turns = new WeakMap<DatabaseConnection, Turn>();
  const end = async (connection: DatabaseConnection): Promise<void> => {
    const turn = turns.get(connection);
    turns.delete(connection);
    await turn?.end();
  };
  return {
    init: async () => undefined,
    async acquireConnection() {
      const connection: DatabaseConnection = {
        async executeQuery(query) {
          const target = turns.get(connection) ?? queueOf(queues, query);
          return queryResultOf(await target.run(statementOf(query)));
        },
        streamQuery() {
          throw new TrustFault('internal.defect', 'rows are paged by key, not streamed');
        },
      };
      return connection;
    },
    async beginTransaction(connection) {
      turns.set(connection, await queues.writer.begin());
    },
    async commitTransaction(connection) {
      await turns.get(connection)?.commit();
      await end(connection);
    },
    rollbackTransaction: end,
    releaseConnection: end,
    destroy: async () => undefined,
  };
}

function queueOf({ writer, reader }: Queues, { query }: CompiledQuery): Queue {
  return SelectQueryNode.is(query) ? reader : writer;
}

function statementOf({ sql, parameters }: CompiledQuery): Statement {
  return { sql, parameters: parameters.map(parameterOf) };
}
