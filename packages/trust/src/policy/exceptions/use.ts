import type { Finding } from '../../finding/finding.ts';
import { remarkOn } from './consider.ts';
import type { ExceptionDocument, UsedException } from './document.ts';

/** The exceptions that a policy's pass stands on. */
export function usedExceptions(
  used: ReadonlyMap<ExceptionDocument, readonly string[]>,
  policy: string,
): readonly UsedException[] {
  return [...used].map(([{ id, exception, approval }, clauses]) => ({
    id,
    name: exception.name,
    kind: exception.kind,
    requester: exception.requester.identity,
    approver: approval?.approver.identity ?? null,
    reason: exception.reason,
    expires: exception.expires,
    policy,
    clauses,
  }));
}

/** The warning that an image passes by an exception alone. */
export function useNote({
  id,
  name,
  kind,
  requester,
  approver,
  reason,
  expires,
  clauses,
}: UsedException): string {
  const what = kind === 'break-glass' ? 'BREAK-GLASS' : 'EXCEPTION';
  const who =
    approver === null ? `by ${requester}` : `requested by ${requester}, approved by ${approver}`;
  return `${what} ${name} (${id}) lifts ${clauses.join(', ')} until ${expires.toISOString()}, ${who}: ${reason}`;
}

/** Remarks on exceptions that are valid, while the rest of the policy is not satisfied. */
export function insufficientRemarks(
  used: ReadonlyMap<ExceptionDocument, readonly string[]>,
): readonly Finding[] {
  return [...used].map(([document, clauses]) => {
    const says = `it would lift ${clauses.join(', ')}, and the rest of the policy is not satisfied`;
    return remarkOn(document, 'exception.insufficient', says);
  });
}
