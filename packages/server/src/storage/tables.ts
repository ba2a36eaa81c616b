import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

/**
 * Rows in SQL: users, decisions, tag memory, jobs. The same schema and the same queries run on every
 * room; shared code keeps to the portable subset (text, bigint, JSON as text, times as ISO 8601 text
 * in UTC with milliseconds).
 *
 * - **Durable.** A transaction that was acknowledged outlives a crash of the process and of the
 *   machine (`:memory:`: of neither). One that rejects may have happened or not.
 * - **Serializable.** `transaction` sees and leaves the rows as if it ran alone; it may be retried by
 *   its caller when it throws `storage.busy`.
 * - **Numbers.** Integers come back as `number`; nothing stored here passes 2^53.
 *
 * Queries throw `storage.failed`, `storage.full`, `storage.busy`, `storage.closed`,
 * `storage.conflict` (a unique key is taken).
 */
export interface Tables {
  readonly db: Kysely<Database>;
}
