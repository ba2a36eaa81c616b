import { liftLines } from '@bulla/trust/policy/exceptions/clause-digest';
import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import type { Clerk } from './exception.ts';
import { askerOf, type ExceptionAct } from './ground.ts';

/** What the record keeps of an exception with each thing that is done to it. */
export function actOf(
  act: ExceptionAct['act'],
  document: ExceptionDocument,
  by: Clerk,
  says: string,
  more: ExceptionAct['detail'] = {},
): ExceptionAct {
  const { id, exception, approval } = document;
  const { name, kind, repository, digest, lifts, requester, reason } = exception;
  const detail = {
    name,
    kind,
    repository,
    digest,
    lifts: liftLines(lifts),
    requester: requester.identity,
    requesterKey: requester.key.id,
    approver: approval?.approver.identity ?? null,
    approverKey: approval?.approver.key.id ?? null,
    reason,
    compensatingControl: exception.compensatingControl,
    issuedAt: exception.issuedAt.toISOString(),
    expires: exception.expires.toISOString(),
    ...more,
  };
  return { actor: askerOf(by), act, subject: id, says, detail };
}

/** The scope for people: `registry.example/app`, or with the digest. */
export function scopeText({ exception: { repository, digest } }: ExceptionDocument): string {
  return digest === null ? `all of ${repository}` : `${repository}@${digest}`;
}
