import { printable } from '../../fault/fault.ts';
import type { RenderOptions } from '../../finding/render-text.ts';
import { type CoveragePart, coverageParts } from '../coverage.ts';
import type { Decision } from '../decision.ts';
import type { PolicyMode } from '../document.ts';
import { shortDigest } from '../exceptions/clause-digest.ts';
import type { PolicyScope, PolicySet } from '../policy-set.ts';
import { type DecisionJson, decisionJson, renderDecision } from '../render.ts';
import { type FailingClause, failingClauses } from './clause.ts';
import { type Mend, mendsOf } from './mend.ts';

/** Why one policy covers an image or does not. */
export interface PolicyCoverage {
  readonly policy: string;
  readonly mode: PolicyMode;
  readonly covers: boolean;
  /** Each limit of the policy; a policy that does not cover the image has one that does not hold. */
  readonly parts: readonly CoveragePart[];
}

/** A decision with what a reader needs to act on it. */
export interface Explanation {
  readonly decision: Decision;
  /** All policies of the door, in the order of their names. */
  readonly coverage: readonly PolicyCoverage[];
  /** The clauses that are not satisfied, by the names by which exceptions lift them. */
  readonly failing: readonly FailingClause[];
  /** The fewest acts after which a refused image would be admitted; none for an admitted one. */
  readonly mends: readonly Mend[];
}

/** Explains a decision by the policies that took it. */
export function explain(decision: Decision, policies: PolicySet): Explanation {
  const { repository, surface, namespace, environment } = decision;
  const scope: PolicyScope = { repository, surface, namespace, environment };
  const coverage = policies.policies.map((policy) => {
    const { document } = policy;
    const { name, mode } = document;
    const parts = coverageParts(document, scope);
    return { policy: name, mode, covers: policy.covers(scope), parts };
  });
  return {
    decision,
    coverage: coverage.toSorted((a, b) => (a.policy < b.policy ? -1 : a.policy > b.policy ? 1 : 0)),
    failing: failingClauses(decision, policies),
    mends: mendsOf(decision, policies),
  };
}

/** An explanation as lines for people: the decision with its whole tree, the policies, the acts. */
export function renderExplanation(
  { decision, coverage, failing, mends }: Explanation,
  options: RenderOptions = {},
): readonly string[] {
  const lines = [
    ...renderDecision(decision, { maxChildren: Number.POSITIVE_INFINITY, ...options }),
  ];
  lines.push('', coverage.length === 0 ? 'policies: none' : 'policies:');
  for (const { policy, mode, covers, parts } of coverage) {
    lines.push(`  ${printable(policy)} (${mode}) ${covers ? 'covers it' : 'does not cover it'}`);
    const telling = parts.filter(({ holds }) => holds === covers);
    lines.push(...telling.map(({ says }) => `    ${printable(says)}`));
  }
  // That none covers the image is told above, and is no clause.
  const clauses = failing.filter(({ policy }) => policy !== null);
  if (clauses.length > 0) lines.push('', 'not satisfied:');
  for (const { policy, clause, digest } of clauses) {
    const bound = digest === null ? '' : `  ${shortDigest(digest)}`;
    lines.push(printable(`  ${policy}  ${clause}${bound}`));
  }
  if (mends.length === 0) return lines;
  lines.push('', mends.length === 1 ? 'to be admitted:' : 'to be admitted, all of:');
  for (const { says, command } of mends) {
    lines.push(`  - ${printable(says)}`);
    if (command !== null) lines.push(`      ${printable(command)}`);
  }
  return lines;
}

/** The schema that an explanation names. */
export const EXPLANATION_SCHEMA = 'https://bulla.dev/schemas/policy-explain/v1';

/** The JSON form of an explanation; its schema is docs/schemas/policy-explain.schema.json. */
export interface ExplanationJson {
  readonly schema: string;
  readonly decision: DecisionJson;
  readonly coverage: readonly PolicyCoverage[];
  readonly notSatisfied: readonly FailingClause[];
  readonly toAdmit: readonly Mend[];
}

/** An explanation as stable JSON. */
export function explanationJson({
  decision,
  coverage,
  failing,
  mends,
}: Explanation): ExplanationJson {
  return {
    schema: EXPLANATION_SCHEMA,
    decision: decisionJson(decision),
    coverage,
    notSatisfied: failing,
    toAdmit: mends,
  };
}
