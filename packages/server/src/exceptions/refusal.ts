import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest } from '@bulla/trust/oci/digest';
import { exceptionRefusal } from '@bulla/trust/policy/exceptions/acceptance';
import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import { signatureProblem } from '@bulla/trust/policy/exceptions/signatures';
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
  const problem = await signatureProblem(document);
  if (problem !== null) return new TrustFault('exception.signature', problem);
  const { repository, digest, lifts, surfaces, namespaces } = document.exception;
  const place = {
    repository,
    // Of a whole repository any image will do.
    digests: new Set([digest ?? computeDigest(new Uint8Array())]),
    surface: surfaces?.[0] ?? ('admission' as const),
    namespace: namespaces?.[0] ?? null,
  };
  for (const { policy: name } of lifts) {
    const policy = set.policies.find((one) => one.document.name === name);
    if (policy === undefined) {
      const says = `it is for the policy ${quote(name)}, and none of that name is in force`;
      return new TrustFault('exception.scope', says);
    }
    const refusal = exceptionRefusal({ document, recorded: true }, policy, place, at);
    if (refusal !== null) return new TrustFault(refusal.code, refusal.says);
  }
  return null;
}
