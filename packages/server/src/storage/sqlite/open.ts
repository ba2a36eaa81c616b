import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { LEASES } from '../lease.ts';
import { lockFile } from '../lock.ts';
import { makeRegistersTable } from '../registers-table.ts';
import type { RowStore } from '../store.ts';
import type { Queues } from './dialect.ts';
import { fileMark } from './file-mark.ts';
import { openQueue } from './queue.ts';
import { type CellReader, openCellReader, queuedCellReader, sqliteRegisters } from './registers.ts';
import { sqliteTables } from './tables.ts';
import { type StartThread, startInline, startWorker } from './thread.ts';

/** How a database is opened. */
export interface SqliteOptions {
  /** Starts the threads; another in tests. */
  readonly start?: StartThread;
  /** A transaction without a statement for so long is rolled back. Default ten seconds. */
  readonly idleTransactionMs?: number;
}

const MEMORY = ':memory:';
const IDLE_TRANSACTION_MS = 10_000;

/**
 * Opens the SQLite database in the file `path`, which is made (mode 0600) with its folder when it is
 * not there, for one process at a time; or a new one in memory for `:memory:`. Its tables are there
 * after `migrate`; its registers at once. Throws `storage.locked`, `storage.folder-unsuitable`
 * (cannot be made or written), `storage.corrupt` (is no database, or one of another program),
 * `storage.full`.
 */
export async function openSqlite(path: string, options: SqliteOptions = {}): Promise<RowStore> {
  if (path === MEMORY) return openInMemory(options);
  const file = resolve(path);
  await makeFile(file);
  const unlock = await lockFile(`${file}.lock`).catch((error: unknown) => {
    throw unsuitable(file, error);
  });
  try {
    return await openLocked(file, options, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function openLocked(
  path: string,
  { start = startWorker, idleTransactionMs: idleMs = IDLE_TRANSACTION_MS }: SqliteOptions,
  unlock: () => void,
): Promise<RowStore> {
  // A thread that is started later must find the same file.
  const mark = fileMark(path);
  const startAs = (readOnly: boolean) => () => start({ path, readOnly, mark });
  const thread = await startAs(false)();
  const queues: Queues = {
    writer: openQueue({ path, start: startAs(false), idleMs }, thread),
    reader: openQueue({ path, start: startAs(true), idleMs }),
  };
  try {
    const tables = sqliteTables(queues);
    await makeRegistersTable(tables.db);
    const cells = openCellReader(path);
    const registers = sqliteRegisters(queues, cells);
    // Whoever held a lease held the lock as well, which is ours now.
    for (const key of await registers.list(LEASES)) {
      await registers.delete(key, (await registers.read(key))?.version ?? '');
    }
    return { tables, registers, [Symbol.asyncDispose]: closing(queues, cells, unlock) };
  } catch (error) {
    await Promise.all([queues.reader.close(), queues.writer.close()]);
    throw error;
  }
}

async function openInMemory(options: SqliteOptions): Promise<RowStore> {
  const idleMs = options.idleTransactionMs ?? IDLE_TRANSACTION_MS;
  // Another connection would see another database, so this one is never opened again.
  const thread = await startInline({ path: MEMORY, readOnly: false, mark: null });
  const writer = openQueue({ path: MEMORY, start: async () => thread, idleMs }, thread);
  const queues: Queues = { writer, reader: writer };
  const tables = sqliteTables(queues);
  await makeRegistersTable(tables.db);
  const cells = queuedCellReader(queues);
  const registers = sqliteRegisters(queues, cells);
  return { tables, registers, [Symbol.asyncDispose]: closing(queues, cells, () => undefined) };
}

function closing(queues: Queues, cells: CellReader, unlock: () => void): () => Promise<void> {
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    cells.close();
    await queues.reader.close();
    await queues.writer.close();
    unlock();
  };
  return () => {
    closed ??= close();
    return closed;
  };
}

/** Makes the file, so that nobody else may ever read it, and its name durable. */
async function makeFile(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const flags = constants.O_RDWR | constants.O_CREAT;
    await (await open(path, flags, 0o600)).close();
    const folder = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    throw unsuitable(path, error);
  }
}

function unsuitable(path: string, cause: unknown): TrustFault {
  if (cause instanceof TrustFault) return cause;
  const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `cannot use ${quote(path)}: ${quote(reason)}`;
  const code = full ? 'storage.full' : 'storage.folder-unsuitable';
  return new TrustFault(code, message, undefined, { cause });
}
