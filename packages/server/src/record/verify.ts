import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import { asFault } from '@bulla/trust/fault/fault';
import { allOf } from '@bulla/trust/finding/combine';
import { type Finding, failed, failedBy, passed, skipped } from '@bulla/trust/finding/finding';
import type { RecordEntryRow } from '../storage/schema/record.ts';
import type { Tables } from '../storage/tables.ts';
import { type ChainEnd, GENESIS } from './chain.ts';
import {
  anyAge,
  compareHead,
  freshness,
  keptFinding,
  RECORD_SOURCE,
  reportOf,
  type Start,
  startAt,
} from './judge.ts';
import { parseBody } from './parse.ts';
import { chainRows, highestEntry, readAnchor, readEnd } from './read.ts';
import { type Indexed, indexOf } from './rows.ts';
import { openHeadNote, type RecordKeys } from './signed-head.ts';
import { createProblems, createWalk, type Problems } from './walk.ts';

/** What is verified, and against what. */
export interface VerifyAsk {
  /** First and last entry; the whole record when absent. */
  readonly from?: number;
  readonly to?: number;
  /** A signed head that an auditor kept. */
  readonly head?: string;
  readonly record: RecordKeys;
  /** The present, and the oldest that the newest signed head may be then; null: any age. */
  readonly at: Date;
  readonly headAgeMs: number | null;
}

/** What a verification came to. */
export interface VerifyReport {
  /** One child a check: `record.start`, `.chain`, `.index`, `.heads`, `.end`, `.fresh`, `.kept`. */
  readonly finding: Finding;
  /** How many entries were checked, and the last of them. */
  readonly entries: number;
  readonly end: ChainEnd | null;
}

const BATCH = 500;

/**
 * Whether the record in the tables is whole and as it was written: every entry's hash and number
 * from the beginning (or the signed anchor of what retention removed), what is searched by against
 * the entries, every signed head against the entry that it names, the newest head's age, and a head
 * that an auditor kept. What the tables hold is a failed finding, and throws only when the row of the
 * chain's end is gone: `record.entry-malformed`. A store that fails throws `storage.*`.
 */
export async function verifyRecord(tables: Tables, ask: VerifyAsk): Promise<VerifyReport> {
  // The end comes last: what is added meanwhile must not look like entries beyond it.
  const newest = await newestHead(tables);
  const highest = await highestEntry(tables.db);
  const last = await readEnd(tables.db);
  const start = await startAt(await readAnchor(tables.db), ask.record);
  const from = Math.max(ask.from ?? 1, start.end.seq + 1);
  const to = Math.min(ask.to ?? last.seq, last.seq);
  const chain = createProblems();
  const index = createProblems();
  const walk = createWalk(from === start.end.seq + 1 ? start.end : null, chain);
  for await (const rows of chainRows(tables.db, from, to)) {
    for (const row of rows) walk.step(row);
    await checkIndex(tables, rows, index);
  }
  checkReached(ask, { from, to, walked: walk.count === 0 ? null : walk.end }, chain);
  const finding = allOf(
    'record',
    [
      start.finding,
      reportOf('record.chain', chain, `${walk.count} entries follow one another`),
      reportOf('record.index', index, 'what is searched by is what the entries say'),
      await checkHeads(tables, ask, start, newest?.seq ?? -1),
      checkEnd(ask, {
        isWhole: to === last.seq && from <= to + 1,
        walked: walk.end,
        last,
        highest,
      }),
      await checkFresh(ask, newest?.note),
      await checkKept(tables, ask, start, last),
    ],
    `entries ${from} to ${to} of ${ask.record.origin}`,
    { source: RECORD_SOURCE },
  );
  return { finding, entries: walk.count, end: walk.end };
}

/** Nothing is never enough: a range must hold entries, and they must lead to its end. */
function checkReached(
  ask: VerifyAsk,
  {
    from,
    to,
    walked,
  }: { readonly from: number; readonly to: number; readonly walked: ChainEnd | null },
  problems: Problems,
): void {
  const isRange = ask.from !== undefined || ask.to !== undefined;
  if (walked === null && (to >= from || isRange)) {
    const says = `expected entries from ${from}, found none`;
    problems.add({ code: to >= from ? 'record.truncated' : 'record.gap', says, seq: from });
  } else if (walked !== null && walked.seq !== to) {
    const says = `expected entry ${to}, found ${walked.seq} to be the last`;
    problems.add({ code: 'record.truncated', says, seq: to });
  }
}

/** Whether columns, terms and counts of repeats are those that the bodies lead to. */
async function checkIndex(
  tables: Tables,
  rows: readonly RecordEntryRow[],
  problems: Problems,
): Promise<void> {
  const stored = await storedIndex(tables, rows);
  for (const row of rows) {
    const { seq, hash: _hash, previous: _previous, body, ...columns } = row;
    try {
      const { terms, repeats, ...derived } = indexOf(parseBody(body, `entry ${seq}`));
      const found = stored.get(seq) ?? { terms: [], repeats: [] };
      const expected = { columns: derived.columns, terms: sorted(terms), repeats: sorted(repeats) };
      const actual = { columns, terms: sorted(found.terms), repeats: sorted(found.repeats) };
      if (canonicalizeJcs(expected) === canonicalizeJcs(actual)) continue;
      const says = `entry ${seq} is found by other values than it has`;
      problems.add({ code: 'record.index-altered', says, seq });
    } catch (error) {
      const { code, message } = asFault(error);
      problems.add({ code, says: message, seq });
    }
  }
}

type Searched = { terms: Indexed['terms'][number][]; repeats: Indexed['repeats'][number][] };

async function storedIndex(
  { db }: Tables,
  rows: readonly RecordEntryRow[],
): Promise<ReadonlyMap<number, Searched>> {
  const from = rows[0]?.seq ?? 0;
  const to = rows.at(-1)?.seq ?? 0;
  const bySeq = new Map<number, Searched>();
  const at = (seq: number) => {
    const found = bySeq.get(seq) ?? { terms: [], repeats: [] };
    bySeq.set(seq, found);
    return found;
  };
  const between = db.selectFrom('record_terms').selectAll().where('seq', '>=', from);
  for (const { seq, kind, value } of await between.where('seq', '<=', to).execute()) {
    at(seq).terms.push({ kind, value });
  }
  const counted = db.selectFrom('record_repeats').selectAll().where('seq', '>=', from);
  for (const { seq, ...repeat } of await counted.where('seq', '<=', to).execute()) {
    at(seq).repeats.push(repeat);
  }
  return bySeq;
}

function sorted(rows: readonly object[]): readonly string[] {
  return rows.map((row) => canonicalizeJcs({ ...row })).sort();
}

interface HeadRow {
  readonly seq: number;
  readonly note: string;
}

async function newestHead({ db }: Tables): Promise<HeadRow | undefined> {
  return db
    .selectFrom('record_signed_heads')
    .select(['seq', 'note'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Every signed head up to `newest` against the entry at its place. */
async function checkHeads(
  { db }: Tables,
  ask: VerifyAsk,
  start: Start,
  newest: number,
): Promise<Finding> {
  const problems = createProblems();
  let count = 0;
  let after = Math.max(start.end.seq, (ask.from ?? 0) - 1) - 1;
  for (;;) {
    const rows = await db
      .selectFrom('record_signed_heads as head')
      .leftJoin('record_entries as entry', 'entry.seq', 'head.seq')
      .select(['head.seq', 'head.note', 'entry.hash'])
      .where('head.seq', '>', after)
      .where('head.seq', '<=', Math.min(newest, ask.to ?? newest))
      .orderBy('head.seq')
      .limit(BATCH)
      .execute();
    for (const { seq, note, hash } of rows) {
      count += 1;
      const there = seq === start.end.seq ? start.end.hash : hash;
      await checkHead({ seq, note }, there, ask.record, problems);
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.seq;
  }
  return reportOf(
    'record.heads',
    problems,
    `${count} signed heads name the entries that are there`,
  );
}

async function checkHead(
  { seq, note }: HeadRow,
  there: string | null,
  record: RecordKeys,
  problems: Problems,
): Promise<void> {
  try {
    const head = await openHeadNote(note, record);
    const problem = compareHead(head, there);
    if (problem !== null) problems.add({ ...problem, seq });
    if (head.seq !== seq) {
      const says = `the head stored for entry ${seq} is about entry ${head.seq}`;
      problems.add({ code: 'record.head-mismatch', says, seq });
    }
  } catch (error) {
    const { code, message } = asFault(error);
    problems.add({ code, says: `the head of entry ${seq}: ${message}`, seq });
  }
}

interface Ends {
  readonly isWhole: boolean;
  readonly walked: ChainEnd | null;
  readonly last: ChainEnd;
  readonly highest: number;
}

function checkEnd(ask: VerifyAsk, { isWhole, walked, last, highest }: Ends): Finding {
  if (!isWhole) return skipped('record.end', `only entries up to ${ask.to} were asked for`);
  const end = walked ?? { seq: 0, hash: GENESIS };
  if (highest > last.seq) {
    const says = `expected the end at entry ${last.seq}, found an entry ${highest}`;
    return failed('record.end', 'record.order', says);
  }
  if (end.seq === last.seq && end.hash === last.hash) {
    return passed('record.end', `the record ends with entry ${last.seq}, ${last.hash}`);
  }
  const says = `expected the end at entry ${last.seq}, ${last.hash}, found entry ${end.seq}, ${end.hash}`;
  const code = end.seq < last.seq ? 'record.truncated' : 'record.chain-broken';
  return failed('record.end', code, says);
}

async function checkFresh(ask: VerifyAsk, note: string | undefined): Promise<Finding> {
  if (note === undefined)
    return failed('record.fresh', 'record.head-missing', 'no head was signed');
  try {
    const head = await openHeadNote(note, ask.record);
    return ask.headAgeMs === null ? anyAge(head) : freshness(head, ask.at, ask.headAgeMs);
  } catch (error) {
    return failedBy('record.fresh', error);
  }
}

async function checkKept(
  { db }: Tables,
  { head: note, record }: VerifyAsk,
  start: Start,
  last: ChainEnd,
): Promise<Finding> {
  if (note === undefined) return skipped('record.kept', 'no kept head was given to compare');
  try {
    const head = await openHeadNote(note, record);
    const row = await db
      .selectFrom('record_entries')
      .select('hash')
      .where('seq', '=', head.seq)
      .executeTakeFirst();
    return keptFinding(head, start.end, head.seq > last.seq ? null : (row?.hash ?? null));
  } catch (error) {
    return failedBy('record.kept', error);
  }
}
