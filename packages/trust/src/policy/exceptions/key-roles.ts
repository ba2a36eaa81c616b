import type { PublicKey } from '../../crypto/public-key.ts';
import type { Code } from '../../fault/codes.ts';
import { quote } from '../../fault/fault.ts';
import type { Requirement, TrustPolicy } from '../document.ts';

/** What is wrong with a key that a policy's `exceptions` name, and where. */
export interface KeyRoleProblem {
  readonly severity: 'error' | 'warning';
  readonly code: Code;
  readonly message: string;
  /** Where it stands in the document. */
  readonly path: readonly string[];
}

/**
 * Keys with two roles, whatever their names: a break-glass key that approves or signs is an error, for
 * it is kept for that alone (semantics 17); an approver that signs images is a remark, for the policy
 * then rests on one person where it seems to rest on two. So it is where two approvers have one key.
 */
export function keyRoleProblems(
  { exceptions, require, authorities }: Pick<TrustPolicy, 'exceptions' | 'require' | 'authorities'>,
  keys: ReadonlyMap<string, PublicKey>,
): readonly KeyRoleProblem[] {
  if (exceptions === null) return [];
  const { approvers, breakGlass } = exceptions;
  const isIn = (names: readonly string[]) => {
    const ids = new Set(names.flatMap((name) => keys.get(name)?.id ?? []));
    return (name: string): boolean => ids.has(keys.get(name)?.id ?? '');
  };
  const glass = breakGlass?.keys ?? [];
  // Also one that no requirement names: it is there to sign, in another policy or soon.
  const others = Object.keys(authorities).filter((name) => !glass.includes(name));
  const signing = namesIn(require);
  const isShared = isIn(others);
  const shared = glass.filter((name) => isShared(name) || signing.includes(name));
  return [
    ...shared.map(
      (name): KeyRoleProblem => ({
        severity: 'error',
        code: 'policy.break-glass-shared',
        message: `the key of ${quote(name)} approves or signs too, and a break-glass key is kept for that alone`,
        path: ['spec', 'exceptions', 'breakGlass', 'keys'],
      }),
    ),
    ...approvers
      .filter((name, at) => isIn(approvers.slice(0, at))(name))
      .map(
        (name): KeyRoleProblem => ({
          severity: 'warning',
          code: 'policy.approver-repeated',
          message: `the key of ${quote(name)} is that of another approver too: nobody but its holder approves`,
          path: ['spec', 'exceptions', 'approvers'],
        }),
      ),
    ...approvers.filter(isIn(signing)).map(
      (name): KeyRoleProblem => ({
        severity: 'warning',
        code: 'policy.approver-signs',
        message: `the key of ${quote(name)} approves exceptions and counts as a signer of images`,
        path: ['spec', 'exceptions', 'approvers'],
      }),
    ),
  ];
}

function namesIn(requirement: Requirement): readonly string[] {
  switch (requirement.kind) {
    case 'signed':
      return requirement.of;
    case 'attested':
      return [...requirement.by, ...requirement.vexBy];
    default:
      return requirement.parts.flatMap(namesIn);
  }
}
