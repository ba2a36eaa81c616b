import { quote, TrustFault } from '@bulla/trust/fault/fault';

const SQLITE_BUSY = 5;

/**
 * Holds `path` for this process and answers how to let go. Throws `storage.locked` when another
 * process, or another store of this one, holds it.
 *
 * Node has no flock. SQLite has, with the care that POSIX locks need, so an empty database is held
 * in an exclusive transaction: the operating system itself lets go when the process dies, however
 * it dies, and the lock is seen across containers that share the volume. A file with a process id
 * would give neither.
 */
export async function lockFile(path: string): Promise<() => void> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) {
      throw new TrustFault(
        'storage.locked',
        `${quote(path)} is held by another process`,
        undefined,
        {
          cause,
        },
      );
    }
    throw cause;
  }
  return () => database.close();
}
