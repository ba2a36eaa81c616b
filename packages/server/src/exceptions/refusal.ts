import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { checkException } from '@bulla/trust/policy/exceptions/check';
import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import type { PolicySet } from '@bulla/trust/policy/policy-set';

/**
 * Why the policies in force would not take an approved exception, or a break-glass document once its
 * record is durable; null when each that it names would. So whoever hands it in learns it at once,
 * and not from the refusal that it was to prevent. Doors judge anew, each time.
 */
export async function refusalOf(
  document: ExceptionDocument,
  set: PolicySet | null,
  at: Date,
): Promise<TrustFault | null> {
  if (set === null) return new TrustFault('policy.unreadable', 'no policy is in force');
  for (const { policy: name } of document.exception.lifts) {
    const policy = set.policies.find((one) => one.document.name === name);
    if (policy === undefined) {
      const says = `it is for the policy ${quote(name)}, and none of that name is in force`;
      return new TrustFault('exception.scope', says);
    }
    const refusal = await checkException({ document, recorded: true }, policy, at);
    if (refusal !== null) return new TrustFault(refusal.code, refusal.says);
  }
  return null;
}
