import { TrustFault } from '@bulla/trust/fault/fault';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import type { Rollback } from '@bulla/trust/policy/evaluate/rollback';
import { openRecent } from '../bounds/recent.ts';
import { singleFlight } from '../bounds/single-flight.ts';
import type { TagHistoryRow } from '../storage/schema/gateway.ts';
import type { Tables } from '../storage/tables.ts';
import type { TagHistory } from './ports.ts';

const MEMORY_MS = 5_000;
const MEMORY_MOST = 20_000;
const COARSE_MS = 3600_000;
const ATTEMPTS = 5;
/** Most digests of one tag that are told of: one that moves each minute has led to any number. */
const HISTORY_MOST = 200;

interface Sighting {
  readonly at: number;
  readonly digest: Digest;
  readonly rollback: Rollback | null;
}

/**
 * Rollback memory in tables, shared by all replicas. A digest has come back when the tag led to
 * another one first after it; it stays so until the tag leads to a digest that it never led to. What
 * was seen in the last five seconds is answered from memory.
 */
export function tableHistory({ db }: Tables): TagHistory {
  const recent = openRecent<Sighting>(MEMORY_MOST);
  const flight = singleFlight<Rollback | null>();
  return {
    async seen(repository, tag, digest, at) {
      const key = `${repository}:${tag}`;
      const known = recent.get(key);
      const age = known === undefined ? -1 : at.getTime() - known.at;
      if (known?.digest === digest && age >= 0 && age < MEMORY_MS) return known.rollback;
      return flight(`${key}@${digest}`, async () => {
        const rollback = await note({ db }, { repository, tag, digest, at });
        recent.set(key, { at: at.getTime(), digest, rollback });
        return rollback;
      });
    },
    async history(repository, tag) {
      const rows = await rowsOf({ db }, repository, tag, HISTORY_MOST);
      return rows.flatMap(({ digest, first_seen, last_seen }) =>
        isDigest(digest)
          ? [{ digest, firstSeen: new Date(first_seen), lastSeen: new Date(last_seen) }]
          : [],
      );
    },
  };
}

/** Newest first. */
function rowsOf(
  { db }: Tables,
  repository: string,
  tag: string,
  most: number,
): Promise<readonly TagHistoryRow[]> {
  return db
    .selectFrom('tag_history')
    .selectAll()
    .where('repository', '=', repository)
    .where('tag', '=', tag)
    .orderBy('first_seen', 'desc')
    .limit(most)
    .execute();
}

interface Seen {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  readonly at: Date;
}

async function note(tables: Tables, seen: Seen): Promise<Rollback | null> {
  const { repository, tag, digest, at } = seen;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [newest] = await rowsOf(tables, repository, tag, 1);
    const own = newest?.digest === digest ? newest : await rowOf(tables, seen);
    if (own !== undefined) {
      await refresh(tables, own, at, newest);
      return rollbackOf(newest, digest);
    }
    // A clock that goes back, or two sights within a millisecond, must not turn old into new.
    const after = newest === undefined ? 0 : Date.parse(newest.first_seen) + 1;
    const first = new Date(Math.max(at.getTime(), after)).toISOString();
    const row = { repository, tag, digest, first_seen: first, last_seen: at.toISOString() };
    const written = await tables.db
      .insertInto('tag_history')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (Number(written.numInsertedOrUpdatedRows ?? 0) === 1) return null;
    // Another replica was first: look again.
  }
  throw new TrustFault('storage.failed', `the memory of ${tag} is written to without a pause`);
}

function rowOf(
  { db }: Tables,
  { repository, tag, digest }: Seen,
): Promise<TagHistoryRow | undefined> {
  return db
    .selectFrom('tag_history')
    .selectAll()
    .where('repository', '=', repository)
    .where('tag', '=', tag)
    .where('digest', '=', digest)
    .executeTakeFirst();
}

async function refresh(
  { db }: Tables,
  row: TagHistoryRow,
  at: Date,
  newest: TagHistoryRow | undefined,
): Promise<void> {
  // A digest that came back is seen after the newer one at once, whatever the hour.
  const isBack = newest !== undefined && row.last_seen < newest.first_seen;
  if (!isBack && at.getTime() - Date.parse(row.last_seen) < COARSE_MS) return;
  await db
    .updateTable('tag_history')
    .set({ last_seen: later(at.toISOString(), newest?.first_seen) })
    .where('repository', '=', row.repository)
    .where('tag', '=', row.tag)
    .where('digest', '=', row.digest)
    .execute();
}

function later(one: string, other: string | undefined): string {
  return other !== undefined && other > one ? other : one;
}

function rollbackOf(newest: TagHistoryRow | undefined, digest: Digest): Rollback | null {
  if (newest === undefined || newest.digest === digest || !isDigest(newest.digest)) return null;
  return { newer: newest.digest, newerSince: new Date(newest.first_seen) };
}
