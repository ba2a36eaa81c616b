import { utf8 } from '../../bytes/byte-string.ts';
import { canonicalizeJcs } from '../../bytes/jcs.ts';
import { computeDigest, type Digest } from '../../oci/digest.ts';
import type { TrustPolicy } from '../document.ts';
import { CLAUSES_BESIDE, placedRequirements } from './clause-path.ts';
import type { BoundClause, LiftedPolicy, TrustException } from './document.ts';

/** What of a policy exceptions can lift. */
export type LiftablePolicy = Pick<TrustPolicy, 'require' | 'tags' | 'rollback'>;

/**
 * `sha256:…` over what the clause of that name says now: the canonical JSON (RFC 8785) of the
 * requirement with its defaults filled in, or of the value of `tags` or `rollback`. Comments, order of
 * members and layout change nothing; the smallest other word does. Null when there is no such clause.
 */
export function clauseDigest(policy: LiftablePolicy, path: string): Digest | null {
  if (path === 'tags' || path === 'rollback') return digestOfContent(policy[path]);
  const found = placedRequirements(policy.require).find((one) => one.path === path);
  return found === undefined ? null : digestOfContent(found.requirement);
}

/** Every clause of a policy that an exception can name, in the order of the text. */
export function boundClauses(policy: LiftablePolicy): readonly BoundClause[] {
  const beside = [...CLAUSES_BESIDE.values()];
  return [
    ...placedRequirements(policy.require).map(({ path, requirement }) => ({
      path,
      digest: digestOfContent(requirement),
    })),
    ...beside.map((path) => ({ path, digest: digestOfContent(policy[path]) })),
  ];
}

/** What an exception lifts of the policy of that name; empty when it is not for it. */
export function liftedClauses(
  { lifts }: Pick<TrustException, 'lifts'>,
  policy: string,
): readonly BoundClause[] {
  return lifts.find((one) => one.policy === policy)?.clauses ?? [];
}

/** Each clause with its policy, as one line each: what the record and the CLI show of an exception. */
export function liftLines(lifts: readonly LiftedPolicy[]): readonly string[] {
  return lifts.flatMap(({ policy, clauses }) =>
    clauses.map(({ path, digest }) => `${policy} ${path} ${digest}`),
  );
}

const SHOWN = 'sha256:'.length + 12;

/** The beginning of a digest, enough to tell clauses apart; never to compare by. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, SHOWN);
}

function digestOfContent(content: unknown): Digest {
  return computeDigest(utf8(canonicalizeJcs(content)));
}
