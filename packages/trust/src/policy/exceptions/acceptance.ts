import type { Code } from '../../fault/codes.ts';
import { durationText } from '../../finding/duration.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ExceptionRules, Surface } from '../document.ts';
import type { ReadyPolicy } from '../policy-set.ts';
import { clauseDigest, liftedClauses, shortDigest } from './clause-digest.ts';
import type { ExceptionDocument, GivenException, TrustException } from './document.ts';
import { sameParty } from './sign.ts';

/** What is asked about, as far as an exception may be limited by it. */
export interface ExceptionPlace {
  /** Canonical `registry/repository`. */
  readonly repository: string;
  /** The digest and the indexes whose bytes list it; none for a tag that led nowhere. */
  readonly digests: ReadonlySet<Digest>;
  readonly surface: Surface;
  readonly namespace: string | null;
}

/** Why an exception lifts nothing. */
export interface ExceptionRefusal {
  readonly code: Code;
  readonly says: string;
}

/**
 * Why a policy does not accept an exception for this place at this instant; null when nothing but its
 * signatures is left to check. Nothing of a document is believed here that its signatures do not bind.
 */
export function exceptionRefusal(
  { document, recorded }: GivenException,
  policy: ReadyPolicy,
  place: ExceptionPlace,
  at: Date,
): ExceptionRefusal | null {
  const { exceptions: rules, name } = policy.document;
  const { exception } = document;
  const isGlass = exception.kind === 'break-glass';
  if (rules === null || (isGlass && rules.breakGlass === null)) {
    const what = isGlass ? 'break-glass key' : 'approver of exceptions';
    return refusal('exception.none-accepted', `policy ${name} names no ${what}`);
  }
  return (
    scopeRefusal(exception, policy, rules, place) ??
    timeRefusal(document, rules, at) ??
    clauseRefusal(exception, policy) ??
    (isGlass
      ? breakGlassRefusal(exception, recorded, rules, policy)
      : approvalRefusal(document, rules, policy))
  );
}

function refusal(code: Code, says: string): ExceptionRefusal {
  return { code, says };
}

function scopeRefusal(
  { repository, digest, lifts, surfaces, namespaces }: TrustException,
  { document }: ReadyPolicy,
  { maxScope }: ExceptionRules,
  place: ExceptionPlace,
): ExceptionRefusal | null {
  const code = 'exception.scope';
  if (!lifts.some(({ policy }) => policy === document.name)) {
    const names = lifts.map(({ policy }) => policy).join(', ');
    return refusal(code, `it is for the policies ${names}, not for ${document.name}`);
  }
  if (repository !== place.repository) {
    return refusal(code, `it is for ${repository}, not for ${place.repository}`);
  }
  if (place.digests.size === 0) {
    return refusal(code, 'what it would be for has no digest: the tag led nowhere');
  }
  if (digest === null && maxScope === 'digest') {
    return refusal(
      code,
      `it is for a whole repository, and policy ${document.name} wants a digest`,
    );
  }
  if (digest !== null && !place.digests.has(digest)) {
    return refusal(code, `it is for ${digest}, not for ${[...place.digests].join(' or ')}`);
  }
  if (surfaces !== null && !surfaces.includes(place.surface)) {
    return refusal(code, `it is for ${surfaces.join(', ')}, not for ${place.surface}`);
  }
  // A door that knows no namespace is in none of them: not knowing never loosens.
  if (namespaces === null || namespaces.some((name) => name === place.namespace)) return null;
  const found = place.namespace === null ? 'none is known' : `this is ${place.namespace}`;
  return refusal(code, `it is for the namespaces ${namespaces.join(', ')}, and ${found}`);
}

function timeRefusal(
  { exception, approval }: ExceptionDocument,
  rules: ExceptionRules,
  at: Date,
): ExceptionRefusal | null {
  const { issuedAt, expires, kind } = exception;
  if (at >= expires) {
    return refusal('exception.expired', `it expired at ${expires.toISOString()}`);
  }
  const begun = [issuedAt, ...(approval === null ? [] : [approval.approvedAt])];
  const future = begun.find((instant) => instant > at);
  if (future !== undefined) {
    const now = at.toISOString();
    return refusal('exception.not-yet-valid', `it is of ${future.toISOString()}, and it is ${now}`);
  }
  const most =
    kind === 'break-glass' ? (rules.breakGlass?.maxDurationMs ?? 0) : rules.maxDurationMs;
  const length = expires.getTime() - issuedAt.getTime();
  if (length <= most) return null;
  const says = `it is to hold for ${durationText(length)}, and the policy allows ${durationText(most)}`;
  return refusal('exception.too-long', says);
}

/** What was approved is a clause's words; one that stands at its place now is another clause. */
function clauseRefusal(
  exception: TrustException,
  { document }: ReadyPolicy,
): ExceptionRefusal | null {
  for (const { path, digest } of liftedClauses(exception, document.name)) {
    const found = clauseDigest(document, path);
    if (found === null) {
      const says = `it lifts ${path}, and policy ${document.name} has no such clause`;
      return refusal('exception.clause-unknown', says);
    }
    if (found !== digest) {
      const says = `it lifts ${path} as it was when the digest of it was ${shortDigest(digest)}…, and policy ${document.name} has there now what has ${shortDigest(found)}…`;
      return refusal('exception.clause-changed', says);
    }
  }
  return null;
}

function approvalRefusal(
  { exception, approval }: ExceptionDocument,
  { approvers }: ExceptionRules,
  policy: ReadyPolicy,
): ExceptionRefusal | null {
  if (approval === null) return refusal('exception.approval-missing', 'nobody has approved it');
  const { approver } = approval;
  const same = sameParty(exception.requester, approver);
  if (same !== null) return refusal('exception.self-approved', same);
  if (isKeyOf(approvers, approver.key.id, policy)) return null;
  const says = `${approver.identity} approved it with the key ${approver.key.id}, which is of none of the approvers ${approvers.join(', ')}`;
  return refusal('exception.approver-unknown', says);
}

function breakGlassRefusal(
  { requester }: TrustException,
  recorded: boolean,
  { breakGlass }: ExceptionRules,
  policy: ReadyPolicy,
): ExceptionRefusal | null {
  const keys = breakGlass?.keys ?? [];
  if (!isKeyOf(keys, requester.key.id, policy)) {
    const says = `it is signed with the key ${requester.key.id}, which is none of the break-glass keys ${keys.join(', ')}`;
    return refusal('exception.approver-unknown', says);
  }
  if (recorded) return null;
  const says = 'it is a break-glass document, and no record of its beginning is at hand';
  return refusal('exception.not-recorded', says);
}

function isKeyOf(
  names: readonly string[],
  keyId: string,
  { authorities }: Pick<ReadyPolicy, 'authorities'>,
): boolean {
  return names.some((name) => {
    const authority = authorities.get(name)?.authority;
    return authority?.kind === 'key' && authority.key.id === keyId;
  });
}
