import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { GivenException } from '@bulla/trust/policy/exceptions/document';
import type { Kysely } from 'kysely';
import type { Database } from '../storage/schema.ts';
import type { StoredException } from './exception.ts';
import type { ExceptionCounts } from './metrics.ts';
import type { RevokedMarks } from './revoked.ts';
import { exceptionOf } from './rows.ts';

/** Which exceptions are wanted. */
export interface ExceptionFilter {
  /** `in-force`: approved, not revoked and not expired. */
  readonly state?: 'requested' | 'in-force' | 'expired' | 'revoked';
  readonly kind?: 'exception' | 'break-glass';
  readonly repository?: string;
  /** Only those whose review is open. */
  readonly openReview?: boolean;
  /** Only those that were requested before: `next` of the page before. */
  readonly before?: string;
  /** 100 unless told otherwise, 500 at most. */
  readonly limit?: number;
}

/** A page of exceptions, the newest request first. */
export interface ExceptionPage {
  readonly exceptions: readonly StoredException[];
  /** `before` of the next page; null: there is none. */
  readonly next: string | null;
}

const PAGE = 100;
const PAGE_MOST = 500;

/** The exceptions of a filter. */
export async function listExceptions(
  db: Kysely<Database>,
  filter: ExceptionFilter,
  at: Date,
): Promise<ExceptionPage> {
  const limit = Math.min(Math.max(1, filter.limit ?? PAGE), PAGE_MOST);
  const now = at.toISOString();
  let query = db.selectFrom('exceptions').selectAll();
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.repository !== undefined) {
    query = query.where('repository', '=', filter.repository);
  }
  if (filter.openReview === true) query = query.where('review', '=', 'open');
  if (filter.before !== undefined) {
    const [time = '', id = ''] = filter.before.split(' ', 2);
    query = query.where(({ or, and, eb }) =>
      or([eb('requested_at', '<', time), and([eb('requested_at', '=', time), eb('id', '<', id)])]),
    );
  }
  switch (filter.state) {
    case undefined:
      break;
    case 'requested':
    case 'revoked':
      query = query.where('state', '=', filter.state);
      break;
    case 'in-force':
      query = query.where('state', '=', 'approved').where('expires', '>', now);
      break;
    case 'expired':
      query = query.where('state', '!=', 'revoked').where('expires', '<=', now);
      break;
    default:
      filter.state satisfies never;
  }
  const rows = await query
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  const last = rows.at(-1);
  const next =
    rows.length === limit && last !== undefined ? `${last.requested_at} ${last.id}` : null;
  return { exceptions: rows.map(exceptionOf), next };
}

/** One exception; null when none of this id was handed in. */
export async function findException(
  db: Kysely<Database>,
  id: string,
): Promise<StoredException | null> {
  const row = await db.selectFrom('exceptions').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : exceptionOf(row);
}

/** One exception. Throws `exception.unknown`. */
export async function getException(db: Kysely<Database>, id: string): Promise<StoredException> {
  const found = await findException(db, id);
  if (found !== null) return found;
  throw new TrustFault('exception.unknown', `no exception ${quote(id)} was handed in`);
}

/** More for one repository are handed to no policy; which looks at fewer, and says so. */
const GIVEN_MOST = 1000;

/**
 * What doors are handed with a question about one of these digests of the repository: everything for
 * one of them or for all of it that is approved, not revoked and not expired at `at`, the one that
 * lasts longest first. Policies judge the rest.
 */
export async function givenExceptions(
  db: Kysely<Database>,
  marks: RevokedMarks,
  repository: string,
  digests: readonly string[],
  at: Date,
): Promise<readonly GivenException[]> {
  const rows = await db
    .selectFrom('exceptions')
    .selectAll()
    .where('repository', '=', repository)
    .where(({ or, eb }) =>
      or([
        eb('digest', 'is', null),
        ...(digests.length === 0 ? [] : [eb('digest', 'in', digests)]),
      ]),
    )
    .where('state', '=', 'approved')
    .where('expires', '>', at.toISOString())
    .orderBy('expires', 'desc')
    .limit(GIVEN_MOST)
    .execute();
  const given: GivenException[] = [];
  for (const row of rows) {
    if (await marks.has(row.id)) continue;
    // A row is made when the record of it is durable, and never before (semantics 17).
    given.push({ document: exceptionOf(row).document, recorded: true });
  }
  return given;
}

/** How many there are, for metrics and for the console's overview. */
export async function countExceptions(db: Kysely<Database>, at: Date): Promise<ExceptionCounts> {
  const rows = await db
    .selectFrom('exceptions')
    .select(['kind', ({ fn }) => fn.countAll<number>().as('count')])
    .where('state', '=', 'approved')
    .where('expires', '>', at.toISOString())
    .groupBy('kind')
    .execute();
  const open = await db
    .selectFrom('exceptions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('review', '=', 'open')
    .executeTakeFirst();
  const of = (kind: string) => Number(rows.find((row) => row.kind === kind)?.count ?? 0);
  return {
    inForce: of('exception') + of('break-glass'),
    breakGlassInForce: of('break-glass'),
    openReviews: Number(open?.count ?? 0),
  };
}
