import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { isDigest } from '@bulla/trust/oci/digest';
import { compilePattern } from '@bulla/trust/policy/pattern';
import type { Kysely } from 'kysely';
import type { RecordEntryRow } from '../storage/schema/record.ts';
import type { Database } from '../storage/schema.ts';
import type { DecisionBody, Effect } from './body.ts';
import { parseBody } from './parse.ts';
import { readEnd } from './read.ts';
import { column, type TermKind } from './rows.ts';

/** What is looked for; every member that is given must hold. */
export interface RecordFilter {
  readonly outcome?: 'admit' | 'deny';
  readonly effect?: Effect;
  readonly surface?: string;
  /** A glob when it has a `*`; else a repository, or a path above some. */
  readonly repository?: string;
  readonly tag?: string;
  /** The decision's digest, or one that it covers. */
  readonly digest?: string;
  /** A policy's name. */
  readonly policy?: string;
  /** Id or name. */
  readonly actor?: string;
  /** A code of a check that did not pass. */
  readonly code?: string;
  /** The id of an exception that the decision stood on. */
  readonly exception?: string;
  /** A part of the decision's id. */
  readonly id?: string;
  /** At or after, and before. */
  readonly from?: Date;
  readonly to?: Date;
}

/** Which part of the answer is wanted. */
export interface RecordPage {
  /** Entries before this one, as `next` of the former page says; from the newest when absent. */
  readonly before?: number;
  readonly limit?: number;
}

/** A row of the record with its parsed body. */
export interface FoundDecision {
  readonly row: RecordEntryRow;
  readonly body: DecisionBody;
}

/** Decisions found, and where to go on. */
export interface FoundPage {
  readonly found: readonly FoundDecision[];
  /** `before` of the next page; null when there is none. A page may be short and have a next one. */
  readonly next: number | null;
}

/**
 * Entries that one page looks through at most, in steps: however rare what is looked for, a search
 * ends soon, with a place to go on from.
 */
const STEP = 50_000;
const STEPS_MOST = 10;
/** Rows that a glob judges one by one, of each step. */
const JUDGED_MOST = 2_000;
/** The clocks of replicas agree within this; times then bound the numbers of entries. */
const SKEW_MS = 3600_000;

/** The newest decisions that pass the filter. Throws `record.filter-invalid`. */
export async function searchDecisions(
  db: Kysely<Database>,
  filter: RecordFilter,
  page: Required<Pick<RecordPage, 'limit'>> & RecordPage,
): Promise<FoundPage> {
  const matches = checkFilter(filter);
  const { low, high } = await bounds(db, filter);
  const found: FoundDecision[] = [];
  let before = Math.min(page.before ?? high + 1, high + 1);
  for (let step = 0; step < STEPS_MOST && before > low; step++) {
    const floor = Math.max(low, before - STEP);
    const wanted = page.limit - found.length + 1;
    const most = matches === null ? wanted : JUDGED_MOST;
    const rows = await selectRows(db, filter, { from: floor, to: before - 1 })
      .orderBy('entry.seq', 'desc')
      .limit(most)
      .execute();
    for (const row of rows) {
      const decision = decisionOf(row);
      if (matches !== null && !matches(decision.body.repository)) continue;
      // One more than asked for tells that there is a next page, which begins with it.
      if (found.length === page.limit) return { found, next: found.at(-1)?.row.seq ?? 1 };
      found.push(decision);
    }
    before = rows.length === most ? (rows.at(-1)?.seq ?? floor) : floor;
  }
  return { found, next: before > low ? before : null };
}

/** The decisions that pass the filter, oldest first, up to entry `through`; read in parts. */
export async function* filteredRows(
  db: Kysely<Database>,
  filter: RecordFilter,
  through: number,
): AsyncGenerator<readonly RecordEntryRow[]> {
  const matches = checkFilter(filter);
  const { low, high } = await bounds(db, filter);
  const last = Math.min(high, through);
  let after = low - 1;
  while (after < last) {
    const ceiling = Math.min(last, after + STEP);
    const rows = await selectRows(db, filter, { from: after + 1, to: ceiling })
      .orderBy('entry.seq')
      .limit(ROWS)
      .execute();
    yield matches === null ? rows : rows.filter((row) => matches(decisionOf(row).body.repository));
    after = rows.length === ROWS ? (rows.at(-1)?.seq ?? ceiling) : ceiling;
  }
}

const ROWS = 500;

/** The row's body, which a search for decisions found. Throws `record.entry-malformed`. */
export function decisionOf(row: RecordEntryRow): FoundDecision {
  const body = parseBody(row.body, `entry ${row.seq}`);
  if (body.kind === 'decision') return { row, body };
  throw new TrustFault(
    'record.entry-malformed',
    `expected a decision at entry ${row.seq}, found ${quote(body.kind)}`,
  );
}

/** Whether the filter asks for everything. */
export function isOpen(filter: RecordFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

const TEXT_LONGEST = 512;

/**
 * Checks what a query must not be made of; answers a test on repositories when the filter has a
 * glob, else null. Throws `record.filter-invalid`.
 */
export function checkFilter(filter: RecordFilter): ((repository: string) => boolean) | null {
  for (const [name, value] of Object.entries(filter)) {
    if (typeof value !== 'string') continue;
    if (value === '' || value.length > TEXT_LONGEST) {
      throw invalid(`expected ${name} of 1 to ${TEXT_LONGEST} characters, found ${quote(value)}`);
    }
  }
  if (filter.digest !== undefined && !isDigest(filter.digest)) {
    throw invalid(`expected a digest, found ${quote(filter.digest)}`);
  }
  if (filter.id !== undefined && !/^[0-9A-Za-z]{1,26}$/.test(filter.id)) {
    throw invalid(`expected a part of a decision's id, found ${quote(filter.id)}`);
  }
  const glob = filter.repository;
  return glob?.includes('*') === true ? compilePattern({ glob }) : null;
}

function invalid(message: string): TrustFault {
  return new TrustFault('record.filter-invalid', message);
}

/** Numbers of entries between which every entry of the filter's times lies. */
async function bounds(
  db: Kysely<Database>,
  { from, to }: RecordFilter,
): Promise<{ readonly low: number; readonly high: number }> {
  const end = await readEnd(db);
  const times = db.selectFrom('record_entries').select('seq').limit(1);
  const below = from === undefined ? undefined : shifted(from, -SKEW_MS);
  const above = to === undefined ? undefined : shifted(to, SKEW_MS);
  const low =
    below === undefined
      ? undefined
      : await times
          .where('at', '<', below)
          .orderBy('at', 'desc')
          .orderBy('seq', 'desc')
          .executeTakeFirst();
  const high =
    above === undefined
      ? undefined
      : await times.where('at', '>=', above).orderBy('at').orderBy('seq').executeTakeFirst();
  const first = low ?? (await times.orderBy('seq').executeTakeFirst());
  return { low: first?.seq ?? 1, high: high?.seq ?? end.seq };
}

function shifted(at: Date, ms: number): string {
  return new Date(at.getTime() + ms).toISOString();
}

interface SeqRange {
  readonly from: number;
  readonly to: number;
}

function selectRows(db: Kysely<Database>, filter: RecordFilter, { from, to }: SeqRange) {
  let query = db
    .selectFrom('record_entries as entry')
    .selectAll('entry')
    .where('entry.kind', '=', 'decision')
    .where('entry.seq', '>=', from)
    .where('entry.seq', '<=', to);
  const effects = effectsOf(filter);
  if (effects !== null) query = query.where('entry.effect', 'in', effects);
  if (filter.surface !== undefined) query = query.where('entry.surface', '=', filter.surface);
  if (filter.tag !== undefined) query = query.where('entry.tag', '=', column(filter.tag));
  if (filter.from !== undefined) query = query.where('entry.at', '>=', filter.from.toISOString());
  if (filter.to !== undefined) query = query.where('entry.at', '<', filter.to.toISOString());
  // Ids are in capitals, and have no character that means something to LIKE.
  const id = filter.id?.toUpperCase();
  if (id?.length === ID_LENGTH) query = query.where('entry.id', '=', id);
  else if (id !== undefined) query = query.where('entry.id', 'like', `%${id}%`);
  for (const [kind, value] of termsOf(filter)) {
    query = query.where('entry.seq', 'in', (inner) =>
      inner
        .selectFrom('record_terms as term')
        .select('term.seq')
        .where('term.kind', '=', kind)
        .where('term.value', '=', column(value))
        .where('term.seq', '>=', from)
        .where('term.seq', '<=', to),
    );
  }
  return query;
}

const ID_LENGTH = 26;

/** The effects that outcome and effect leave; null for all. A door refuses exactly by `deny`. */
function effectsOf({ outcome, effect }: RecordFilter): readonly Effect[] | null {
  if (outcome === undefined && effect === undefined) return null;
  const all: readonly Effect[] = ['pass', 'warn', 'audit', 'deny'];
  return all.filter(
    (one) =>
      (effect === undefined || one === effect) &&
      (outcome === undefined || (outcome === 'deny') === (one === 'deny')),
  );
}

function termsOf(filter: RecordFilter): readonly (readonly [TermKind, string])[] {
  const { repository, digest, policy, actor, code, exception } = filter;
  const path = repository === undefined ? '' : literalPath(repository);
  const terms: readonly (readonly [TermKind, string | undefined])[] = [
    ['repository', path === '' ? undefined : path],
    ['digest', digest],
    ['policy', policy],
    ['actor', actor],
    ['code', code],
    ['exception', exception],
  ];
  return terms.flatMap(([kind, value]) => (value === undefined ? [] : [[kind, value] as const]));
}

/** The segments before the first that has a `*`: every repository that the glob matches is below. */
function literalPath(repository: string): string {
  const segments = repository.split('/');
  const star = segments.findIndex((segment) => segment.includes('*'));
  return segments.slice(0, star === -1 ? segments.length : star).join('/');
}
