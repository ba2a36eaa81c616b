import { randomBytes } from 'node:crypto';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Kysely } from 'kysely';
import type { Database } from '../storage/schema.ts';
import type { ActBody } from './body.ts';
import { parseBody } from './parse.ts';
import { column } from './rows.ts';
import { wellFormed } from './tree.ts';

/** Something to be kept of what somebody did. */
export type Act = Pick<ActBody, 'actor' | 'act' | 'subject' | 'says' | 'detail'>;

const NAME_LONGEST = 512;
const TEXT_LONGEST = 4096;
const DETAILS_MOST = 64;
const LIST_MOST = 256;

/** The body of an act's entry; what is too long for one is cut. */
export function actBody(given: Act, at: Date): ActBody {
  const { actor, act, subject, says, detail } = given;
  const name = (text: string) => wellFormed(text, NAME_LONGEST);
  const bounded = Object.entries(detail)
    .slice(0, DETAILS_MOST)
    .map(([key, value]) => [name(key), boundedValue(value)] as const);
  return {
    kind: 'act',
    id: newDecisionId(at, randomBytes(10)),
    at: at.toISOString(),
    actor: { kind: actor.kind, id: name(actor.id), name: name(actor.name) },
    act: name(act),
    subject: name(subject),
    says: wellFormed(says, TEXT_LONGEST),
    detail: Object.fromEntries(bounded),
  };
}

function boundedValue(value: ActBody['detail'][string]): ActBody['detail'][string] {
  if (typeof value === 'string') return wellFormed(value, TEXT_LONGEST);
  if (typeof value !== 'object' || value === null) return value;
  return value.slice(0, LIST_MOST).map((item) => wellFormed(item, NAME_LONGEST));
}

/** Which acts are wanted. */
export interface ActsFilter {
  /** A room (`exception`) or one act of it (`exception.approved`). */
  readonly act?: string;
  readonly subject?: string;
  /** Only entries before this one: `next` of the page before. */
  readonly before?: number;
  /** At most so many; 100 unless told otherwise, 1000 at most. */
  readonly limit?: number;
}

/** An act of the record, with its place in the chain. */
export interface RecordedAct {
  readonly seq: number;
  readonly hash: string;
  readonly act: ActBody;
}

/** A page of acts, newest first. */
export interface ActsPage {
  readonly acts: readonly RecordedAct[];
  /** `before` of the next page; null: there is none. */
  readonly next: number | null;
}

const PAGE = 100;
const PAGE_MOST = 1000;

/** The acts of the filter. Throws `record.entry-malformed` for an entry that was altered. */
export async function searchActs(db: Kysely<Database>, filter: ActsFilter): Promise<ActsPage> {
  const limit = Math.min(Math.max(1, filter.limit ?? PAGE), PAGE_MOST);
  let query = db.selectFrom('record_entries').selectAll().where('kind', '=', 'act');
  if (filter.before !== undefined) query = query.where('seq', '<', filter.before);
  for (const [kind, value] of [
    ['act', filter.act] as const,
    ['subject', filter.subject] as const,
  ]) {
    if (value === undefined) continue;
    query = query.where('seq', 'in', (inner) =>
      inner
        .selectFrom('record_terms')
        .select('seq')
        .where('kind', '=', kind)
        .where('value', '=', column(value)),
    );
  }
  const rows = await query.orderBy('seq', 'desc').limit(limit).execute();
  const acts = rows.map(({ seq, hash, body }) => {
    const act = parseBody(body, `entry ${seq}`);
    if (act.kind === 'act') return { seq, hash, act };
    throw new TrustFault(
      'record.entry-malformed',
      `expected an act at entry ${seq}, found ${quote(act.kind)}`,
    );
  });
  return { acts, next: rows.length === limit ? (rows.at(-1)?.seq ?? null) : null };
}
