import { utf8 } from '@bulla/trust/bytes/byte-string';
import { parseJson } from '@bulla/trust/bytes/json';
import { asInstant, asOneOf, asString, cursor, member, optional } from '@bulla/trust/bytes/shape';
import { parseException } from '@bulla/trust/policy/exceptions/parse';
import { writeException } from '@bulla/trust/policy/exceptions/sign';
import type { ExceptionRow } from '../storage/schema/exceptions.ts';
import type { Clerk, Done, StoredException } from './exception.ts';

const CODE = 'storage.corrupt';

/** The exception of a row. Throws `storage.corrupt` and `exception.malformed` for one that was altered. */
export function exceptionOf(row: ExceptionRow): StoredException {
  const where = `the exception ${row.id}`;
  const at = cursor(row, where, CODE);
  const done = (by: string, instant: string, says: string | null): Done => ({
    by: clerkOf(by, where),
    at: asInstant(cursor(instant, where, CODE)),
    says: says ?? '',
  });
  const perhaps = (by: string | null, instant: string | null, says: string | null) =>
    by === null || instant === null ? null : done(by, instant, says);
  return {
    id: row.id,
    document: parseException(utf8(row.envelope), where),
    state: asOneOf(member(at, 'state'), ['requested', 'approved', 'revoked']),
    requested: done(row.requested_by, row.requested_at, null),
    approved: perhaps(row.approved_by, row.approved_at, null),
    revoked: perhaps(row.revoked_by, row.revoked_at, row.revoked_reason),
    review: asOneOf(member(at, 'review'), ['none', 'open', 'closed']),
    reviewed: perhaps(row.reviewed_by, row.reviewed_at, row.review_says),
  };
}

function clerkOf(text: string, where: string): Clerk {
  const at = cursor(parseJson(utf8(text), where), where, CODE);
  return {
    kind: asOneOf(member(at, 'kind'), ['user', 'token', 'operator']),
    id: asString(member(at, 'id')),
    name: asString(member(at, 'name')),
    user: optional(member(at, 'user'), asString) ?? null,
  };
}

/** Who handed something in, as a column has it. */
export function clerkText({ kind, id, name, user }: Clerk): string {
  return JSON.stringify({ kind, id, name, user });
}

/** By which a person's requests are counted, be they handed in by a session or by any token of theirs. */
export function requesterOf({ kind, id, user }: Clerk): string {
  return user === null ? `${kind} ${id}` : `user ${user}`;
}

/** The row of an exception that was handed in just now. */
export function rowOf({
  id,
  document,
  state,
  requested,
  approved,
  review,
}: StoredException): ExceptionRow {
  const { name, kind, repository, digest, expires } = document.exception;
  return {
    id,
    name,
    kind,
    state,
    repository,
    digest,
    expires: expires.toISOString(),
    envelope: Buffer.from(writeException(document)).toString('utf8'),
    requester: requesterOf(requested.by),
    requested_by: clerkText(requested.by),
    requested_at: requested.at.toISOString(),
    approved_by: approved === null ? null : clerkText(approved.by),
    approved_at: approved === null ? null : approved.at.toISOString(),
    revoked_by: null,
    revoked_at: null,
    revoked_reason: null,
    review,
    reviewed_by: null,
    reviewed_at: null,
    review_says: null,
  };
}
