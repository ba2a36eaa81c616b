import type { Code } from '../../fault/codes.ts';
import type { Finding } from '../../finding/finding.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Decision } from '../decision.ts';
import type { Requirement } from '../document.ts';
import { clauseDigest } from '../exceptions/clause-digest.ts';
import { CLAUSES_BESIDE, isClausePath, partPath } from '../exceptions/clause-path.ts';
import type { PolicySet } from '../policy-set.ts';

/** A clause of a policy that an image does not satisfy. */
export interface FailingClause {
  /** Null where no policy covers the image. */
  readonly policy: string | null;
  /** Where it stands in the policy, as exceptions name it, and what it asks for, such as `require.all[1]: attested vuln by scanner`. */
  readonly clause: string;
  /** Where it stands alone; null for what is no clause of a policy. */
  readonly path: string | null;
  /** Of what it says now (`clauseDigest`): an exception for it carries the same. */
  readonly digest: Digest | null;
  readonly code: Code;
  readonly says: string;
}

/**
 * The clauses for which policies refuse an image, or would if they were not in mode warn or audit:
 * the parts of `all` by themselves, an `any` or `atLeast` as a whole. None for what every policy
 * passes.
 */
export function failingClauses(
  { policies, finding }: Decision,
  set: PolicySet,
): readonly FailingClause[] {
  if (policies.length === 0) {
    const { code = 'policy.no-match', says } = finding;
    const clause = 'no policy covers the image';
    return [{ policy: null, clause, path: null, digest: null, code, says }];
  }
  return policies.flatMap(({ policy, hash, effect, finding: tree }) => {
    if (effect === 'pass') return [];
    const document = set.policies.find((one) => one.hash === hash)?.document;
    const parts = childrenOf(tree);
    const [required, ...around] = parts;
    const found = around
      .filter(isFailing)
      .map((one) => clauseOf(CLAUSES_BESIDE.get(one.check) ?? one.check, one));
    const clauses =
      document === undefined || required === undefined
        ? [clauseOf('require', tree)]
        : clausesIn(document.require, required, 'require');
    return [...clauses, ...found].map((clause) => ({
      policy,
      ...clause,
      digest:
        document === undefined || clause.path === null ? null : clauseDigest(document, clause.path),
    }));
  });
}

/** What `onInconclusive` looked up stands beside the finding that it was about. */
function childrenOf(policy: Finding): readonly Finding[] {
  const [first, ...others] = policy.because ?? [];
  if (first === undefined) return [];
  return first.check === policy.check ? childrenOf(first) : [first, ...others];
}

function isFailing({ outcome }: Finding): boolean {
  return outcome === 'fail' || outcome === 'inconclusive';
}

type Clause = Omit<FailingClause, 'policy' | 'digest'>;

function clauseOf(
  place: string,
  { code = 'policy.nothing-checked', says }: Finding,
  requirement?: Requirement,
): Clause {
  const clause = requirement === undefined ? place : `${place}: ${requirementText(requirement)}`;
  return { clause, path: isClausePath(place) ? place : null, code, says };
}

function clausesIn(requirement: Requirement, finding: Finding, path: string): readonly Clause[] {
  if (!isFailing(finding)) return [];
  if (requirement.kind !== 'all') {
    return [clauseOf(path, finding, requirement)];
  }
  return requirement.parts.flatMap((part, at) => {
    const child = finding.because?.[at];
    return child === undefined ? [] : clausesIn(part, child, partPath(path, 'all', at));
  });
}

/** A requirement in a few words. */
function requirementText(requirement: Requirement): string {
  switch (requirement.kind) {
    case 'signed':
      return `signed by ${counted(requirement.atLeast, requirement.of)}`;
    case 'attested':
      return `attested ${requirement.type} by ${counted(requirement.atLeast, requirement.by)}`;
    case 'any':
      return `any of ${requirement.parts.length}`;
    case 'all':
      return `all of ${requirement.parts.length}`;
    case 'atLeast':
      return `${requirement.atLeast} of ${requirement.parts.length}`;
    default:
      return requirement satisfies never;
  }
}

function counted(atLeast: number, names: readonly string[]): string {
  const listed = names.join(', ');
  return names.length === 1 ? listed : `${atLeast} of ${listed}`;
}
