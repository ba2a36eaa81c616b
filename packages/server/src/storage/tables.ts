import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '@bulla/trust/fault/fault';
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './schema.ts';

/**
 * Rows in SQL: users, decisions, tag memory, jobs. The same schema and the same queries run on every
 * room; shared code keeps to the portable subset: columns of `text`, `bigint` and `blob` (bytes),
 * JSON as text, times as ISO 8601 text in UTC with milliseconds. Text is ordered by its bytes.
 *
 * - **Durable.** A statement outside a transaction, and a transaction, that was acknowledged
 *   outlives a crash of the process and of the machine (`:memory:`: of neither). One that rejects
 *   may have happened whole or not at all.
 * - **Serializable.** `db.transaction()` sees and leaves the rows as if it ran alone; when it throws
 *   `storage.busy` nothing of it was kept, and it may be run again, as `transact` does.
 * - **A statement that fails ends its transaction**: later ones throw `storage.failed`, and it is
 *   rolled back, also when the caller caught the first failure.
 * - **A transaction must not wait for others.** One in which no statement came for ten seconds is
 *   rolled back and ends with `storage.failed`. Within it, only its own `trx` is to be used:
 *   SQLite runs one transaction at a time, so another query waits for it to end.
 * - **Numbers.** Integers come back as `number`; nothing stored here passes 2^53. Bytes come back as
 *   `Uint8Array`, and are copied when the query is made.
 *
 * Queries throw `storage.failed`, `storage.full`, `storage.busy`, `storage.corrupt`,
 * `storage.closed`, `storage.conflict` (a unique key is taken), `storage.constraint` (another rule of
 * the table), `storage.value-invalid` (a NUL in a text, a number that is not exact). `stream()` is
 * not offered: page by key.
 */
export interface Tables {
  readonly db: Kysely<Database>;
}

const TRIES = 8;
const FIRST_WAIT_MS = 4;

/**
 * Runs `work` in a transaction, and again, up to 8 times in all, when it throws `storage.busy`; so
 * `work` must do nothing but read and write rows by `trx`. Throws what the last try threw.
 */
export async function transact<T>(
  { db }: Tables,
  work: (trx: Transaction<Database>) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (!hasCode(error, 'storage.busy') || tries >= TRIES) throw error;
      // Drawn, so that two that met do not meet again.
      await sleep(Math.random() * FIRST_WAIT_MS * 2 ** tries);
    }
  }
}
