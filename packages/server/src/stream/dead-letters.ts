import type { StreamDeadLetterRow } from '../storage/schema/stream.ts';
import type { Tables } from '../storage/tables.ts';
import { kindOf, lastSeq, readEvent, type StreamEvent, writeEvent } from './event.ts';

/** A dead letter as lists show it, without what was to be sent. */
export interface DeadLetter {
  readonly id: string;
  readonly seq: number;
  readonly kind: string;
  readonly failedAt: string;
  readonly reason: string;
  readonly attempts: number;
  /** Whether it waits for the attempt that somebody asked for. */
  readonly retrying: boolean;
}

/** Which dead letters of a stream are meant: those of these ids, or all. */
export type Letters = readonly string[] | 'all';

/**
 * Keeps what a receiver did not take; once, however often. False: the store of this stream has
 * `most`, and nothing was kept.
 */
export async function bury(
  { db }: Tables,
  letter: { readonly stream: string; readonly event: StreamEvent; readonly reason: string },
  { at, most }: { readonly at: Date; readonly most: number },
): Promise<boolean> {
  const { stream, event, reason } = letter;
  // One process at a time sends a stream, so nobody else adds in between.
  if ((await countLetters({ db }, stream)) >= most) return false;
  await db
    .insertInto('stream_dead_letters')
    .values({
      stream,
      id: event.id,
      seq: lastSeq(event),
      kind: kindOf(event),
      failed_at: at.toISOString(),
      reason,
      attempts: 1,
      retry_at: null,
      event: writeEvent(event),
    })
    .onConflict((conflict) => conflict.columns(['stream', 'id']).doNothing())
    .execute();
  return true;
}

/** How many dead letters a stream has, of those that are meant. */
export async function countLetters(
  { db }: Pick<Tables, 'db'>,
  stream: string,
  letters: Letters = 'all',
): Promise<number> {
  let query = db
    .selectFrom('stream_dead_letters')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('stream', '=', stream);
  if (letters !== 'all') query = query.where('id', 'in', [...letters]);
  const row = await query.executeTakeFirst();
  return Number(row?.count ?? 0);
}

/** The dead letters of a stream after a number of the record, the oldest first. */
export async function listLetters(
  { db }: Tables,
  stream: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly DeadLetter[]> {
  const rows = await db
    .selectFrom('stream_dead_letters')
    .select(['id', 'seq', 'kind', 'failed_at', 'reason', 'attempts', 'retry_at'])
    .where('stream', '=', stream)
    .where('seq', '>', after)
    .orderBy('seq')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ failed_at, retry_at, ...rest }) => {
    return { ...rest, failedAt: failed_at, retrying: retry_at !== null };
  });
}

/** Asks for one more attempt of each; answers how many were found. */
export async function markLetters(
  { db }: Tables,
  stream: string,
  letters: Letters,
  at: Date,
): Promise<number> {
  let query = db
    .updateTable('stream_dead_letters')
    .set({ retry_at: at.toISOString() })
    .where('stream', '=', stream);
  if (letters !== 'all') query = query.where('id', 'in', [...letters]);
  const { numUpdatedRows } = await query.executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Removes dead letters; answers how many there were. */
export async function dropLetters(
  { db }: Tables,
  stream: string,
  letters: Letters,
): Promise<number> {
  let query = db.deleteFrom('stream_dead_letters').where('stream', '=', stream);
  if (letters !== 'all') query = query.where('id', 'in', [...letters]);
  const { numDeletedRows } = await query.executeTakeFirst();
  return Number(numDeletedRows);
}

/** Some that wait for one more attempt, the oldest first. */
export function markedLetters(
  { db }: Tables,
  stream: string,
  limit: number,
): Promise<readonly StreamDeadLetterRow[]> {
  return db
    .selectFrom('stream_dead_letters')
    .selectAll()
    .where('stream', '=', stream)
    .where('retry_at', 'is not', null)
    .orderBy('seq')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Says that one more attempt of a letter failed too. */
export async function failedAgain(
  { db }: Tables,
  { stream, id, attempts }: StreamDeadLetterRow,
  reason: string,
  at: Date,
): Promise<void> {
  await db
    .updateTable('stream_dead_letters')
    .set({ reason, attempts: attempts + 1, failed_at: at.toISOString(), retry_at: null })
    .where('stream', '=', stream)
    .where('id', '=', id)
    .execute();
}

/** The event that a letter holds; null: it does not hold what Bulla writes there. */
export function eventOf({ event }: StreamDeadLetterRow): StreamEvent | null {
  try {
    return readEvent(event);
  } catch {
    return null;
  }
}
