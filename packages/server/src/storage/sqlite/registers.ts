import { DatabaseSync } from 'node:sqlite';
import { TrustFault } from '@bulla/trust/fault/fault';
import { type CellStatements, type KeyPage, registersOf } from '../cells.ts';
import type { Cell, Registers } from '../registers.ts';
import type { Queues } from './dialect.ts';
import { openingFault, faultOf as sqliteFault } from './faults.ts';
import { failureOf, type Result, type SqlValue, type Statement } from './message.ts';

const READ = 'SELECT value, version FROM registers WHERE key = ?';
const INSERT = `INSERT INTO registers (key, value, version) VALUES (?, ?, ?)
  ON CONFLICT (key) DO NOTHING`;
const UPDATE = 'UPDATE registers SET value = ?, version = ? WHERE key = ? AND version = ?';
const REMOVE = 'DELETE FROM registers WHERE key = ? AND version = ?';
/** Reads single cells. */
export interface CellReader {
  read(key: Uint8Array): Promise<Cell | null>;
  close(): void;
}

/** Registers as rows: writes join the groups of the writer, listings go to the reader. */
export function sqliteRegisters({ writer, reader }: Queues, cells: CellReader): Registers {
  const change = async (sql: string, ...parameters: readonly SqlValue[]): Promise<boolean> =>
    (await writer.run({ sql, parameters })).changes === 1;
  const statements: CellStatements = {
    read: (key) => cells.read(key),
    // Copied: the group that takes the value along may leave later.
    insert: (key, value, version) => change(INSERT, key, value.slice(), version),
    update: (key, expected, value, version) =>
      change(UPDATE, value.slice(), version, key, expected),
    remove: (key, expected) => change(REMOVE, key, expected),
    async keys(page) {
      const { rows } = await reader.run(keysQuery(page));
      return rows.map(({ key }) => bytesOf(key));
    },
  };
  return registersOf(statements);
}

/**
 * A page of keys. The end stands alone in its condition: beside `OR` the database does not stop there,
 * and looks at every row behind the page.
 */
export function keysQuery({ from, inclusive, to, limit }: KeyPage): Statement {
  const end = to === null ? '' : ' AND key < ?';
  const sql = `SELECT key FROM registers WHERE key ${inclusive ? '>=' : '>'} ?${end} ORDER BY key LIMIT ?`;
  return { sql, parameters: to === null ? [from, limit] : [from, to, limit] };
}

/**
 * Reads cells by a connection of its own in this thread: a point read takes microseconds, less than
 * a message to another thread. In WAL mode it waits for no writer, and sees what was made durable.
 */
export function openCellReader(path: string): CellReader {
  const database = opened(path);
  const statement = database.prepare(READ);
  return {
    async read(key) {
      if (!database.isOpen) throw new TrustFault('storage.closed', 'the store was closed');
      try {
        return cellOf({ rows: [statement.get(key) ?? {}], changes: 0 });
      } catch (error) {
        throw sqliteFault(failureOf(error), path);
      }
    },
    close() {
      if (database.isOpen) database.close();
    },
  };
}

/** Reads cells through the queue, for a database that only one connection can see. */
export function queuedCellReader({ reader }: Queues): CellReader {
  return {
    read: async (key) => cellOf(await reader.run({ sql: READ, parameters: [key] })),
    close: () => undefined,
  };
}

function opened(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: 1000 });
  } catch (error) {
    throw openingFault(failureOf(error), path);
  }
}

function cellOf({ rows }: Result): Cell | null {
  const { value, version } = rows[0] ?? {};
  return typeof version === 'string' ? { value: bytesOf(value), version } : null;
}

function bytesOf(value: SqlValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TrustFault('storage.corrupt', 'a cell is not in bytes');
}
