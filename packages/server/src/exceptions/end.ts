import { TrustFault } from '@bulla/trust/fault/fault';
import { actOf, scopeText } from './acts.ts';
import { changed, wrongState } from './changed.ts';
import { type Clerk, isSame, type StoredException } from './exception.ts';
import { getException } from './find.ts';
import type { ExceptionParts } from './ground.ts';
import { clerkText } from './rows.ts';

/**
 * Revokes an exception or withdraws a request, at once and on every replica: what it let in is decided
 * anew. Done once more it ends what a first time that was cut off may have left. It is done before it is recorded, for it only takes away; when the record cannot be written,
 * `record.unavailable` is thrown and the exception is revoked all the same. Throws
 * `exception.unknown`, `exception.state`.
 */
export async function revoke(
  parts: ExceptionParts,
  id: string,
  by: Clerk,
  reason: string,
): Promise<StoredException> {
  const known = await getException(parts.tables.db, id);
  requireText(reason, 'why it is revoked');
  const result = await parts.tables.db
    .updateTable('exceptions')
    .set({
      state: 'revoked',
      revoked_by: clerkText(by),
      revoked_at: parts.clock().toISOString(),
      revoked_reason: reason,
    })
    .where('id', '=', id)
    .where('state', '!=', 'revoked')
    .executeTakeFirst();
  await parts.raiseEpoch();
  await parts.revokedMarks.put(id);
  if (result.numUpdatedRows === 0n) throw wrongState(known, 'one that is not revoked');
  const { document } = known;
  const { kind, name } = document.exception;
  const says = `${by.name} revoked ${name} for ${scopeText(document)}: ${reason}`;
  const act = kind === 'break-glass' ? 'break-glass.revoked' : 'exception.revoked';
  await parts.note(actOf(act, document, by, says, { revokedFor: reason }));
  parts.metrics.done('revoked');
  return getException(parts.tables.db, id);
}

/**
 * Closes the review of a use of break-glass with what was found. Neither who handed it in nor, once
 * it holds, before it has ended. Throws `exception.unknown`, `exception.state`,
 * `exception.self-reviewed`, `record.unavailable`.
 */
export async function closeReview(
  parts: ExceptionParts,
  id: string,
  by: Clerk,
  found: string,
): Promise<StoredException> {
  const known = await getException(parts.tables.db, id);
  const { document, review, state } = known;
  requireText(found, 'what the review found');
  if (review !== 'open') throw wrongState(known, 'an open review');
  if (isSame(known.requested.by, by)) {
    const says = `${by.name} broke the glass, and somebody else has to review it`;
    throw new TrustFault('exception.self-reviewed', says);
  }
  const at = parts.clock();
  if (state === 'approved' && document.exception.expires > at) {
    const says = `${document.exception.name} holds until ${document.exception.expires.toISOString()}`;
    throw new TrustFault('exception.state', `expected one that has ended, found that ${says}`);
  }
  const says = `${by.name} reviewed the break-glass ${document.exception.name} for ${scopeText(document)}: ${found}`;
  await parts.note(actOf('break-glass.reviewed', document, by, says, { found }));
  const result = await parts.tables.db
    .updateTable('exceptions')
    .set({
      review: 'closed',
      reviewed_by: clerkText(by),
      reviewed_at: at.toISOString(),
      review_says: found,
    })
    .where('id', '=', id)
    .where('review', '=', 'open')
    .executeTakeFirst();
  return changed(parts, id, result, { expected: 'an open review', done: 'reviewed' });
}

function requireText(text: string, what: string): void {
  if (text.trim() !== '') return;
  throw new TrustFault('usage.invalid', `expected a sentence that says ${what}`);
}
