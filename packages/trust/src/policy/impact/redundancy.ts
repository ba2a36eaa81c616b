import type { Finding } from '../../finding/finding.ts';
import type { Decision } from '../decision.ts';
import type { Requirement } from '../document.ts';
import type { PolicySet, ReadyAuthority, ReadyPolicy } from '../policy-set.ts';
import { withAuthorities } from './changed-policies.ts';

/** Takes a decision about the image in question by other policies. */
export type DecideBy = (set: PolicySet) => Promise<Decision>;

/** Names of the authorities of a policy by which an image passes, sorted. */
export function passedBy(decision: Decision, policy: string): readonly string[] {
  const tree = decision.policies.find((one) => one.policy === policy)?.finding;
  return tree === undefined ? [] : [...new Set(passingIn(tree))].toSorted();
}

/** A threshold's children of the check `authority` are called as the policy calls them. */
function passingIn({ check, outcome, says, because = [] }: Finding): readonly string[] {
  if (check === 'authority') return outcome === 'pass' ? [says] : [];
  return because.flatMap(passingIn);
}

/**
 * Whether the loss of any one signer would refuse an image that the policy admits by `decision`: a key
 * under all its names is one signer, and so is an authority with patterns.
 */
export async function hangsByOne(
  policy: ReadyPolicy,
  decision: Decision,
  set: PolicySet,
  decide: DecideBy,
): Promise<boolean> {
  const names = passedBy(decision, policy.document.name);
  const signers = new Map<string, Set<string>>();
  for (const name of names) {
    const id = signerOf(name, policy.authorities.get(name));
    const alike = [...policy.authorities].filter(([other, one]) => signerOf(other, one) === id);
    signers.set(id, new Set(alike.map(([other]) => other)));
  }
  for (const gone of signers.values()) {
    const left = new Map([...policy.authorities].filter(([name]) => !gone.has(name)));
    const less = withAuthorities(policy, left, gone, 'one signer less');
    const { policies } = await decide({ ...set, policies: [less] });
    if (policies[0]?.finding.outcome !== 'pass') return true;
  }
  return false;
}

function signerOf(name: string, ready: ReadyAuthority | undefined): string {
  const authority = ready?.authority ?? null;
  return authority?.kind === 'key' ? `key ${authority.key.id}` : `authority ${name}`;
}

/** Clauses that nothing can satisfy: they ask for more authorities than they name. */
export function impossibleClauses(requirement: Requirement, path = 'require'): readonly string[] {
  switch (requirement.kind) {
    case 'signed':
      return tooFew(path, requirement.atLeast, requirement.of);
    case 'attested':
      return tooFew(path, requirement.atLeast, requirement.by);
    case 'all':
      return requirement.parts.flatMap((part, at) => impossibleClauses(part, `${path}.all[${at}]`));
    case 'any':
    case 'atLeast': {
      const wanted = requirement.kind === 'any' ? 1 : requirement.atLeast;
      const found = requirement.parts.map((part, at) =>
        impossibleClauses(part, `${path}.${requirement.kind}[${at}]`),
      );
      const possible = found.filter(({ length }) => length === 0).length;
      return possible >= wanted ? [] : found.flat();
    }
    default:
      return requirement satisfies never;
  }
}

function tooFew(path: string, atLeast: number, names: readonly string[]): readonly string[] {
  const distinct = new Set(names);
  if (distinct.size >= atLeast) return [];
  const left = distinct.size === 0 ? 'nobody is left' : `${[...distinct].join(', ')} is left`;
  return [`${path} needs ${atLeast}, and ${left}`];
}
