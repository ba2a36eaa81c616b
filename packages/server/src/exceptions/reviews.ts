import type { Log } from '../http/log.ts';
import type { StoredException } from './exception.ts';
import type { ExceptionService } from './service.ts';

/** So long after its end a use of break-glass may wait for its review before it is asked for. */
const PATIENCE_MS = 24 * 3600_000;
/** So many are told each by itself. */
const TOLD_MOST = 20;

/**
 * Asks on the log for each review that is open longer than a day after the break-glass ended, by its
 * expiry or by a revocation: a line of `warn` each, and one for those beyond twenty.
 */
export async function tellOpenReviews(
  exceptions: Pick<ExceptionService, 'list'>,
  log: Pick<Log, 'warn'>,
  at: Date,
): Promise<void> {
  const late: StoredException[] = [];
  let before: string | null = '';
  while (before !== null) {
    const page = await exceptions.list({
      openReview: true,
      limit: 500,
      ...(before === '' ? {} : { before }),
    });
    late.push(...page.exceptions.filter((one) => at.getTime() - endOf(one) > PATIENCE_MS));
    before = page.next;
  }
  const told = late.toSorted((a, b) => endOf(a) - endOf(b)).slice(0, TOLD_MOST);
  for (const one of told) {
    const { name, repository, requester } = one.document.exception;
    log.warn('a use of break-glass waits for its review for more than a day', {
      exception: one.id,
      name,
      repository,
      by: requester.identity,
      ended: new Date(endOf(one)).toISOString(),
    });
  }
  if (late.length <= told.length) return;
  const more = late.length - told.length;
  log.warn('more uses of break-glass wait for their review', { more });
}

function endOf({ document, revoked }: StoredException): number {
  const expires = document.exception.expires.getTime();
  return revoked === null ? expires : Math.min(expires, revoked.at.getTime());
}
