import { TrustFault } from '@bulla/trust/fault/fault';
import type { Kysely } from 'kysely';
import type { Database } from '../storage/schema.ts';

const DAY_MS = 24 * 3600_000;

/** How many requests there may be that nobody but their requester has a hand in. */
export const REQUEST_BOUNDS = {
  /** Of one person, handed in within a day, whatever became of them. */
  ofPersonInDay: 200,
  /** Of one person, waiting for an approval. */
  ofPersonWaiting: 50,
  /** For one repository, waiting for an approval: several people's, for one alone cannot fill it. */
  forRepositoryWaiting: 500,
} as const;

/**
 * Throws `exception.too-many` when one more request of this person for this repository would be more
 * than anybody reads: each is a row, an entry of the record and a line of a list.
 */
export async function requireRoom(
  db: Kysely<Database>,
  requester: string,
  repository: string,
  at: Date,
): Promise<void> {
  const { ofPersonInDay, ofPersonWaiting, forRepositoryWaiting } = REQUEST_BOUNDS;
  const since = new Date(at.getTime() - DAY_MS).toISOString();
  const count = db.selectFrom('exceptions').select(({ fn }) => fn.countAll<number>().as('count'));
  const waiting = count.where('state', '=', 'requested').where('expires', '>', at.toISOString());
  const own = count.where('requester', '=', requester);
  const bounds = [
    [ofPersonInDay, 'that you handed in within a day', own.where('requested_at', '>', since)],
    [
      ofPersonWaiting,
      'of yours that wait for an approval',
      waiting.where('requester', '=', requester),
    ],
    [
      forRepositoryWaiting,
      `for ${repository} that wait for an approval`,
      waiting.where('repository', '=', repository),
    ],
  ] as const;
  for (const [most, what, query] of bounds) {
    const found = Number((await query.executeTakeFirst())?.count ?? 0);
    if (found < most) continue;
    const says = `expected fewer than ${most} requests ${what}, found ${found}`;
    throw new TrustFault('exception.too-many', says);
  }
}
