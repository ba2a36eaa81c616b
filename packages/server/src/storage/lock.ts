import { quote, TrustFault } from '@bulla/trust/fault/fault';

/** A lock on a file of its own. The operating system lets go when the process ends, however it ends. */
export interface Lock {
  /** Takes it for this connection alone, or answers false at once: somebody has it. */
  tryExclusive(): boolean;
  /** Takes it beside others who share it, or answers false at once: somebody has it alone. */
  tryShared(): boolean;
  /** Lets go of what was taken. */
  release(): void;
  /** Lets go for good. */
  close(): void;
}

/** How a lock's file is opened. */
export interface LockOptions {
  /** Only to ask: a file that is not there is not made, and can be shared only. */
  readonly readOnly?: boolean;
}

const SQLITE_BUSY = 5;
const PRIMARY = 0xff;

/**
 * Opens the lock `path`, whose file nothing else in this process may ever open: closing it would let
 * go. Throws SQLite's own errors, as its methods do where the volume keeps no locks.
 *
 * Node has no flock. SQLite has, with the care that POSIX locks need, so an empty database is held
 * in a transaction that writes nothing. The lock is seen by other containers on the volume, and by
 * other machines where the volume carries fcntl locks between them. A file with a process id would
 * give none of it.
 */
export async function openLock(
  path: string,
  { readOnly = false }: LockOptions = {},
): Promise<Lock> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path, { readOnly });
  const begin = database.prepare('BEGIN EXCLUSIVE');
  const rollback = database.prepare('ROLLBACK');
  let hasMode = false;
  const release = (): void => {
    if (database.isTransaction) rollback.run();
  };
  const attempt = (take: () => void): boolean => {
    try {
      take();
      return true;
    } catch (error) {
      release();
      if (isBusy(error)) return false;
      throw error;
    }
  };
  return {
    tryExclusive: () =>
      attempt(() => {
        // Else an exclusive transaction makes a journal, a file more. Asking for it needs the lock.
        if (!hasMode) database.exec('PRAGMA journal_mode = MEMORY');
        hasMode = true;
        begin.run();
      }),
    tryShared: () => attempt(() => database.exec('BEGIN; SELECT count(*) FROM sqlite_master')),
    release,
    close: () => database.close(),
  };
}

/**
 * Holds `path` for this process and answers how to let go. Throws `storage.locked` when another
 * process, or another store of this one, holds it.
 */
export async function lockFile(path: string): Promise<() => void> {
  const lock = await openLock(path);
  try {
    if (lock.tryExclusive()) return () => lock.close();
  } catch (error) {
    lock.close();
    throw error;
  }
  lock.close();
  throw new TrustFault('storage.locked', `${quote(path)} is held by another process`);
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error && 'errcode' in error)) return false;
  return typeof error.errcode === 'number' && (error.errcode & PRIMARY) === SQLITE_BUSY;
}
