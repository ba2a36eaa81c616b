import { TrustFault } from '@bulla/trust/fault/fault';
import type { Kysely } from 'kysely';
import type { RecordEntryRow } from '../storage/schema/record.ts';
import type { Database } from '../storage/schema.ts';
import type { Tables } from '../storage/tables.ts';
import type { ChainEnd } from './chain.ts';

/** Where the chain ends now. Throws `record.entry-malformed` when the row of its end is gone. */
export async function readEnd(db: Kysely<Database>): Promise<ChainEnd> {
  const end = await db
    .selectFrom('record_head')
    .select(['seq', 'hash'])
    .where('id', '=', 1)
    .executeTakeFirst();
  return end ?? noEnd();
}

/** The fault of a record without the row of its end. */
export function noEnd(): never {
  throw new TrustFault('record.entry-malformed', 'the record has no row for its end');
}

/** Whether the chain has the entry of this hash at this place: a write that failed may have happened. */
export async function isWritten({ db }: Tables, place: ChainEnd): Promise<boolean> {
  const found = await db
    .selectFrom('record_entries')
    .select('hash')
    .where('seq', '=', place.seq)
    .executeTakeFirst();
  return found?.hash === place.hash;
}

/** Number of the entry that stands last; 0 when there is none. */
export async function highestEntry(db: Kysely<Database>): Promise<number> {
  const row = await db
    .selectFrom('record_entries')
    .select('seq')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.seq ?? 0;
}

/** The note of the anchor in force, or null when nothing was ever pruned. */
export async function readAnchor(db: Kysely<Database>): Promise<string | null> {
  const row = await db
    .selectFrom('record_anchors')
    .select('note')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.note ?? null;
}

/** So many entries are read at once. */
const BATCH = 500;

/** The entries from `from` to `to` in the order of their numbers, in parts. */
export async function* chainRows(
  db: Kysely<Database>,
  from: number,
  to: number,
): AsyncGenerator<readonly RecordEntryRow[]> {
  let after = from - 1;
  for (;;) {
    const rows = await db
      .selectFrom('record_entries')
      .selectAll()
      .where('seq', '>', after)
      .where('seq', '<=', to)
      .orderBy('seq')
      .limit(BATCH)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last.seq;
  }
}
