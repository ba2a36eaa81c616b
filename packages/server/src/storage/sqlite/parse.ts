import type { QueryResult } from 'kysely';
import type { Result } from './message.ts';

/** What SQLite answered, as Kysely wants it; the type of a row is what the query's own types say. */
export function queryResultOf<R>({ rows, changes }: Result): QueryResult<R> {
  return { rows: [...rows] as R[], numAffectedRows: BigInt(changes) };
}
