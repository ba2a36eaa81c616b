import { TrustFault } from '@bulla/trust/fault/fault';
import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import { signatureProblem } from '@bulla/trust/policy/exceptions/signatures';
import { actOf, scopeText } from './acts.ts';
import { requireRoom } from './bounds.ts';
import { changed, wrongState } from './changed.ts';
import { type Clerk, type Done, isSame, type StoredException } from './exception.ts';
import { findException, getException } from './find.ts';
import type { ExceptionParts } from './ground.ts';
import { requesterOf, rowOf } from './rows.ts';

/**
 * Takes a request, or an exception that was approved elsewhere. The latter must be one that the
 * policies in force take; a request must be signed by its requester. Handing in the same twice is as
 * once. Throws `exception.*` (`too-many`: see `bounds.ts`), `record.unavailable`.
 */
export async function handIn(
  parts: ExceptionParts,
  document: ExceptionDocument,
  by: Clerk,
): Promise<StoredException> {
  const { id, exception, approval } = document;
  const { db } = parts.tables;
  if (exception.kind === 'break-glass') {
    const says = 'expected an exception, found a break-glass document';
    throw new TrustFault('exception.state', says, 'Use `bulla break-glass` for it.');
  }
  const known = await findException(db, id);
  if (known !== null) {
    if (approval === null || known.state !== 'requested') return known;
    return approve(parts, document, by);
  }
  const at = parts.clock();
  await requireFresh(parts, document, at);
  // What is approved has a second person's signature under it; a request has one's own alone.
  if (approval === null) await requireRoom(db, requesterOf(by), exception.repository, at);
  const done: Done = { by, at, says: '' };
  const says = `${by.name} asked for the exception ${exception.name} for ${scopeText(document)} until ${exception.expires.toISOString()}`;
  await parts.note(actOf('exception.requested', document, by, says));
  parts.metrics.done('requested');
  const requested: StoredException = {
    id,
    document: { ...document, approval: null },
    state: 'requested',
    requested: done,
    approved: null,
    revoked: null,
    review: 'none',
    reviewed: null,
  };
  await insert(parts, requested);
  return approval === null ? getException(parts.tables.db, id) : approve(parts, document, by, true);
}

/** A request needs its requester's signature; what is approved needs a policy that takes it. */
async function requireFresh(
  { refusalOf }: ExceptionParts,
  document: ExceptionDocument,
  at: Date,
): Promise<void> {
  const { exception, approval } = document;
  if (exception.expires <= at) {
    const says = `${exception.name} has expired at ${exception.expires.toISOString()}`;
    throw new TrustFault('exception.expired', says);
  }
  const problem = await signatureProblem(document);
  if (problem !== null) throw new TrustFault('exception.signature', problem);
  if (approval === null) return;
  const refusal = await refusalOf(document, at);
  if (refusal !== null) throw refusal;
}

/**
 * Takes the approval of a request. Who requested it here cannot hand in its approval, whatever the
 * keys (semantics 17); `whole` says that both came in one piece. Throws `exception.*`,
 * `record.unavailable`.
 */
export async function approve(
  parts: ExceptionParts,
  document: ExceptionDocument,
  by: Clerk,
  whole = false,
): Promise<StoredException> {
  const { id, exception, approval } = document;
  const known = await getException(parts.tables.db, id);
  if (approval === null) {
    throw new TrustFault('exception.approval-missing', `${exception.name} has no approval`);
  }
  if (known.state !== 'requested') throw wrongState(known, 'a request');
  if (!whole && isSame(known.requested.by, by)) {
    const says = `${by.name} handed in the request, and cannot hand in its approval`;
    throw new TrustFault('exception.self-approved', says);
  }
  const at = parts.clock();
  await requireFresh(parts, document, at);
  const until = exception.expires.toISOString();
  const says = `${approval.approver.identity} approved the exception ${exception.name} of ${exception.requester.identity} for ${scopeText(document)} until ${until}`;
  await parts.note(actOf('exception.approved', document, by, says));
  const stored = { ...known, document, state: 'approved', approved: { by, at, says: '' } } as const;
  const { envelope, approved_by, approved_at } = rowOf(stored);
  const result = await parts.tables.db
    .updateTable('exceptions')
    .set({ state: 'approved', envelope, approved_by, approved_at })
    .where('id', '=', id)
    .where('state', '=', 'requested')
    .executeTakeFirst();
  await parts.raiseEpoch();
  return changed(parts, id, result, { expected: 'a request', done: 'approved' });
}

/**
 * Takes a break-glass document: it holds when the record of it is durable and not before (semantics
 * 17), is said loudly, and opens a review that somebody else has to close. Throws `exception.*`,
 * `record.unavailable`; then it does not hold.
 */
export async function breakGlass(
  parts: ExceptionParts,
  document: ExceptionDocument,
  by: Clerk,
): Promise<StoredException> {
  const { id, exception } = document;
  if (exception.kind !== 'break-glass') {
    const says = 'expected a break-glass document, found an exception';
    throw new TrustFault('exception.state', says, 'Use `bulla exception` for it.');
  }
  const known = await findException(parts.tables.db, id);
  if (known !== null) return known;
  const at = parts.clock();
  await requireFresh(parts, document, at);
  const refusal = await parts.refusalOf(document, at);
  if (refusal !== null) throw refusal;
  const until = exception.expires.toISOString();
  const says = `${exception.requester.identity} broke the glass for ${scopeText(document)} until ${until}: ${exception.reason}`;
  await parts.note(actOf('break-glass.used', document, by, says));
  parts.alarm(says, { exception: id, by: by.name });
  parts.metrics.done('broken');
  await insert(parts, {
    id,
    document,
    state: 'approved',
    requested: { by, at, says: '' },
    approved: null,
    revoked: null,
    review: 'open',
    reviewed: null,
  });
  await parts.raiseEpoch();
  return getException(parts.tables.db, id);
}

/** Of two who hand in the same at once one makes the row, and both have it. */
async function insert({ tables }: ExceptionParts, stored: StoredException): Promise<void> {
  await tables.db
    .insertInto('exceptions')
    .values(rowOf(stored))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}
