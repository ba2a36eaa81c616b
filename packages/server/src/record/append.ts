import type { Transaction } from 'kysely';
import type { RecordEntryRow, RecordRepeatRow, RecordTermRow } from '../storage/schema/record.ts';
import type { Database } from '../storage/schema.ts';
import type { Body } from './body.ts';
import { type ChainEnd, entryHash } from './chain.ts';
import { canonicalBody } from './entry.ts';
import { noEnd } from './read.ts';
import { type Indexed, indexOf } from './rows.ts';

/** An entry that has no place in the chain yet. */
export interface Draft {
  readonly body: string;
  readonly index: Indexed;
}

/** An entry's draft: its canonical text, and what it is searched by. */
export function draftOf(body: Body): Draft {
  return { body: canonicalBody(body), index: indexOf(body) };
}

/** Databases bound the parameters of one statement; the narrowest allows 32,766. */
const PARAMETERS_MOST = 30_000;

/**
 * Adds the drafts to the chain in their order, within the caller's transaction, and answers their
 * places. The row of the chain's end is taken first, so writers of all replicas add one after
 * another and there is one chain.
 */
export async function append(
  tx: Transaction<Database>,
  drafts: readonly Draft[],
): Promise<readonly ChainEnd[]> {
  let end = await takeEnd(tx);
  const places: ChainEnd[] = [];
  const entries: RecordEntryRow[] = [];
  const terms: RecordTermRow[] = [];
  const repeats: RecordRepeatRow[] = [];
  for (const { body, index } of drafts) {
    const seq = end.seq + 1;
    const hash = entryHash(end.hash, seq, body);
    entries.push({ seq, previous: end.hash, hash, body, ...index.columns });
    for (const term of index.terms) terms.push({ ...term, seq });
    for (const repeat of index.repeats) repeats.push({ ...repeat, seq });
    end = { seq, hash };
    places.push(end);
  }
  for (const rows of parts(entries, 11))
    await tx.insertInto('record_entries').values(rows).execute();
  for (const rows of parts(terms, 3)) await tx.insertInto('record_terms').values(rows).execute();
  for (const rows of parts(repeats, 5))
    await tx.insertInto('record_repeats').values(rows).execute();
  await tx.updateTable('record_head').set(end).where('id', '=', 1).execute();
  return places;
}

/**
 * Where the chain ends, and until the transaction is over nobody else can add to it. A transaction
 * that depends on what the record holds takes this first.
 */
export async function takeEnd(tx: Transaction<Database>): Promise<ChainEnd> {
  const end = await tx
    .updateTable('record_head')
    .set((row) => ({ turn: row('turn', '+', 1) }))
    .where('id', '=', 1)
    .returning(['seq', 'hash'])
    .executeTakeFirst();
  return end ?? noEnd();
}

function* parts<T>(rows: readonly T[], columns: number): Generator<readonly T[]> {
  const most = Math.floor(PARAMETERS_MOST / columns);
  for (let from = 0; from < rows.length; from += most) yield rows.slice(from, from + most);
}
