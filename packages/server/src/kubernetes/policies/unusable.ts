import { asObject, cursor, type JsonObject, member } from '@bulla/trust/bytes/shape';
import { hasErrors } from '@bulla/trust/bytes/yaml/problem';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { TrustPolicy } from '@bulla/trust/policy/document';
import { POLICY_API_VERSION, POLICY_KIND, parsePolicies } from '@bulla/trust/policy/parse';
import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { readyPolicy } from '@bulla/trust/policy/ready';
import type { PolicyKind } from './kind.ts';

const AUTHORITY = 'unusable-policy';
const EVERYTHING = { images: [{ glob: '**' }] };

/**
 * What stands for a document that cannot be used and that no earlier one of its name stands in for:
 * a policy of the same scope that refuses. Without it another policy of the same images would admit
 * what this one was to refuse (PC-25). A scope that cannot be read is everything. Null for a document
 * whose mode is `warn` or `audit`: it would have refused nothing, and without it nothing is admitted
 * that others do not admit.
 */
export function refusingPolicy(
  { scopeOf }: Pick<PolicyKind, 'scopeOf'>,
  value: JsonObject,
  name: string,
  why: string,
): ReadyPolicy | null {
  const spec = specOf(value);
  if (spec['mode'] === 'warn' || spec['mode'] === 'audit') return null;
  const document = refusing(scopeOf(value), name, why) ?? refusing(EVERYTHING, name, why);
  if (document === null) {
    throw new TrustFault('internal.defect', 'a policy that refuses everything cannot be read');
  }
  return readyPolicy(document, { keys: new Map(), trustRoots: new Map() });
}

function specOf(value: JsonObject): JsonObject {
  try {
    return asObject(member(cursor(value, '', 'policy.malformed'), 'spec'));
  } catch {
    return {};
  }
}

/** Null when `scope` has mistakes of its own. */
function refusing(scope: object, name: string, why: string): TrustPolicy | null {
  const document = {
    apiVersion: POLICY_API_VERSION,
    kind: POLICY_KIND,
    metadata: { name },
    spec: {
      ...scope,
      authorities: { [AUTHORITY]: { static: { action: 'fail', message: why } } },
      require: { signed: { of: [AUTHORITY] } },
    },
  };
  const { policies, problems } = parsePolicies(Buffer.from(JSON.stringify(document)), name);
  return hasErrors(problems) ? null : (policies[0] ?? null);
}
