import type { QueryResult } from 'kysely';
import type { Answer } from './connections.ts';

const CHANGES: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** What the server answered, as Kysely wants it; the type of a row is what the query's types say. */
export function queryResultOf<R>({ rows, count, command }: Answer): QueryResult<R> {
  const affected = CHANGES.has(command) ? { numAffectedRows: BigInt(count) } : {};
  return { rows: [...rows] as R[], ...affected };
}
