import type { Kysely } from 'kysely';
import type { Database } from '../storage/schema.ts';
import { column } from './rows.ts';

/** How often a decision was given, the first time included, and when last. */
export interface Uses {
  readonly count: number;
  /** ISO 8601, UTC; null when it was given once. */
  readonly last: string | null;
}

/** The uses of decisions by their ids; absent: given once. At most some hundred ids. */
export async function usesOf(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Uses>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('record_repeats')
    .select(['decision_id', (row) => row.fn.sum<number | string>('count').as('count')])
    .select((row) => row.fn.max('last_at').as('last'))
    .where('decision_id', 'in', ids.map(column))
    .groupBy('decision_id')
    .execute();
  // PostgreSQL sums bigints to a numeric, which comes as text.
  return new Map(
    rows.map(({ decision_id, count, last }) => [decision_id, { count: 1 + Number(count), last }]),
  );
}

/**
 * How many decisions stood on each of these exceptions, by its id; absent: none. Each use is an entry
 * of its own (semantics 18), so entries are counted. At most some hundred ids.
 */
export async function exceptionUses(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('record_terms')
    .select(['value', (row) => row.fn.countAll<number | string>().as('count')])
    .where('kind', '=', 'exception')
    .where('value', 'in', ids.map(column))
    .groupBy('value')
    .execute();
  return new Map(rows.map(({ value, count }) => [value, Number(count)]));
}
