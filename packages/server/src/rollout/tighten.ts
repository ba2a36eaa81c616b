import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { PolicyMode } from '@bulla/trust/policy/document';
import type { PolicySet, ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { policySet } from '@bulla/trust/policy/ready';
import type { LoadedSet } from '../decision/policies.ts';
import type { Rollout } from './state.ts';

/** Policies with what cut-overs make of them. */
export interface Tightened extends LoadedSet {
  /** What the file of each policy says that a cut-over enforces all the same, by its name. */
  readonly fileModes: ReadonlyMap<string, PolicyMode>;
}

/**
 * The set with each policy that was cut over enforced. There is no other override: a policy that
 * enforces already stays as it is, and nothing makes one warn. It covers what its file makes it cover,
 * and no more: in a place where it said nothing until now it must not begin to admit.
 */
export function tighten(loaded: LoadedSet, rollouts: ReadonlyMap<string, Rollout>): Tightened {
  const fileModes = new Map<string, PolicyMode>();
  const warnings = [...loaded.warnings];
  const policies = loaded.set.policies.map((policy) => {
    const { name, mode } = policy.document;
    const cutOver = rollouts.get(name)?.cutOver ?? null;
    if (cutOver === null || mode === 'enforce') return policy;
    fileModes.set(name, mode);
    const file = loaded.files.get(name);
    const where = file === undefined ? 'in the file' : `in ${file}`;
    warnings.push(
      `policy ${name} is enforced since its cut-over at ${cutOver.at}; set mode: enforce ${where}, which says ${mode}`,
    );
    return enforced(policy);
  });
  for (const { policy, cutOver } of rollouts.values()) {
    if (loaded.set.policies.some(({ document }) => document.name === policy)) continue;
    const then = cutOver === null ? 'is being rolled out' : 'was cut over';
    warnings.push(`policy ${policy} ${then} and is not there any more: renamed or deleted`);
  }
  if (fileModes.size === 0) return { ...loaded, warnings, fileModes };
  return { ...loaded, set: policySet(policies), warnings, fileModes };
}

/** The hash is another: what was cached of the policy that only warned must not stand. */
function enforced(policy: ReadyPolicy): ReadyPolicy {
  const { document, hash } = policy;
  const bytes = Buffer.from(canonicalizeJcs({ hash, cutOver: 'enforce' }));
  return {
    ...policy,
    document: { ...document, mode: 'enforce' },
    hash: computeDigest(bytes),
  };
}

/**
 * A hash over what a policy asks for and of whom, without its mode and description: a policy that was
 * observed under one is not known under another.
 */
export function demandsOf({ document, authorities }: ReadyPolicy): string {
  const { mode: _, description: __, ...asked } = document;
  const keys = [...authorities].map(([name, { authority, requirements }]) => [
    name,
    authority?.kind === 'key' ? authority.key.id : null,
    requirements.trustRoot?.digest ?? null,
  ]);
  return computeDigest(Buffer.from(canonicalizeJcs({ asked, keys })));
}

/** The policy of a name, or undefined. */
export function policyNamed(set: PolicySet | null, name: string): ReadyPolicy | undefined {
  return set?.policies.find(({ document }) => document.name === name);
}
