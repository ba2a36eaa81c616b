import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { BoundClause, LiftedPolicy } from '@bulla/trust/policy/exceptions/document';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { loadedPolicies, namedTrustRoots, type PolicyFlags } from './policy.ts';
import { repeatableOptions } from './repeatable.ts';

/** The clauses of policies as they are now, by the policies' names. */
export interface KnownClauses {
  readonly of: ReadonlyMap<string, readonly BoundClause[]>;
  /** Where they stand, for messages: `in policy.yaml`. */
  readonly where: string;
}

/** The options by which clauses are named, as commander gives them. */
export interface ClauseFlags {
  readonly forPolicy: readonly string[];
  readonly clause: readonly string[];
}

/** Declares `--for-policy`, and `--clause` with what is said of it. */
export function clauseOptions(command: Command, clauseSays: string): Command {
  const repeatable = repeatableOptions(command);
  return command
    .addOption(repeatable('--for-policy <name>', 'a policy that it is for (repeatable)'))
    .addOption(repeatable('--clause <path>', clauseSays));
}

/** The clauses of the policies in files and folders. Throws `policy.*`, `usage.*`. */
export async function clausesInFiles(
  flags: Pick<PolicyFlags, 'policy' | 'trustRoot'>,
  context: CliContext,
): Promise<KnownClauses> {
  const [{ boundClauses }, { set }] = await Promise.all([
    import('@bulla/trust/policy/exceptions/clause-digest'),
    namedTrustRoots(flags, context).then((roots) => loadedPolicies(flags.policy, roots, context)),
  ]);
  const of = new Map(
    set.policies.map(({ document }) => [document.name, boundClauses(document)] as const),
  );
  return { of, where: `in ${flags.policy.join(', ')}` };
}

/**
 * What is to be lifted: each clause of each policy that the flags name, with the digest of what it says
 * now. Throws `usage.invalid` for a policy that is not there or when none is named, and
 * `exception.clause-unknown`.
 */
export function askedClauses(
  { forPolicy, clause }: ClauseFlags,
  { of, where }: KnownClauses,
): readonly LiftedPolicy[] {
  if (forPolicy.length === 0 || clause.length === 0) {
    const missing = forPolicy.length === 0 ? '--for-policy NAME' : '--clause PATH';
    throw new TrustFault('usage.invalid', `expected ${missing}, found none`);
  }
  return forPolicy.map((policy) => {
    const known = of.get(policy);
    if (known === undefined) {
      const names = [...of.keys()].join(', ') || 'none';
      throw new TrustFault(
        'usage.invalid',
        `expected a policy that is ${where} at --for-policy (${names}), found ${quote(policy)}`,
      );
    }
    return { policy, clauses: clause.map((path) => clauseOf(policy, path, known)) };
  });
}

function clauseOf(policy: string, path: string, known: readonly BoundClause[]): BoundClause {
  const found = known.find((one) => one.path === path);
  if (found !== undefined) return found;
  const paths = known.map((one) => one.path).join(', ');
  throw new TrustFault(
    'exception.clause-unknown',
    `expected a clause of policy ${policy} (${paths}), found ${quote(path)}`,
  );
}
