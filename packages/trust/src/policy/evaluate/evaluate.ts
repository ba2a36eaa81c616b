import { allOf } from '../../finding/combine.ts';
import { type Finding, failed } from '../../finding/finding.ts';
import type { Digest } from '../../oci/digest.ts';
import type { PolicyOutcome } from '../decision.ts';
import type { ReadyPolicy } from '../policy-set.ts';
import { effectOf, settleOutage } from './outage.ts';
import type { ProvenTree } from './proven-tree.ts';
import { judgeRequirement } from './requirement.ts';
import type { RequirementContext } from './requirement-context.ts';
import { type Rollback, rollbackFindings } from './rollback.ts';

/** What a policy is evaluated by, beside the evidence. */
export interface EvaluationContext extends RequirementContext {
  /** The tag by which the image was asked for; null when it was asked for by its digest. */
  readonly tag: string | null;
  readonly rollback: Rollback | null;
  /** The last pass of this image under this policy (semantics 3); asked for in an outage alone. */
  readonly lastPass: () => Promise<Date | null>;
}

/** What one policy came to, and what its pass stands on. */
export interface EvaluatedPolicy extends PolicyOutcome {
  /** Leaves beside the root that a pass covers. */
  readonly covers: readonly Digest[];
  /** When the first accepted piece of evidence stops to hold; null when none does. */
  readonly validUntil: Date | null;
  /** When an earlier pass stood in; null when none did. */
  readonly lastKnownGood: Date | null;
  /** What is to be said although nothing refuses; null for nothing. */
  readonly notes: readonly string[];
}

/**
 * Evaluates one policy over proven evidence: no signature is checked here and nothing is fetched but
 * through the tree's own callbacks. What an image holds never makes it throw.
 */
export async function evaluatePolicy(
  policy: ReadyPolicy,
  tree: ProvenTree,
  context: EvaluationContext,
): Promise<EvaluatedPolicy> {
  const { document, hash } = policy;
  const { name, mode } = document;
  const required = await judgeRequirement(document.require, policy, tree, context);
  const around = [
    ...tagFindings(policy, context),
    ...rollbackFindings(document, context.tag, context.rollback),
  ];
  const finding = policyFinding(policy, [required.finding, ...around]);
  const settled = await settleOutage(finding, document, context.at, context.lastPass);
  const passes = settled.finding.outcome === 'pass';
  const proved = passes && settled.lastKnownGood === null;
  return {
    policy: name,
    hash,
    mode,
    finding: settled.finding,
    effect: effectOf(settled.finding, mode, settled.warns),
    covers: proved ? required.covers : [],
    // What stands in for an outage holds for this one answer.
    validUntil: proved ? required.until : passes ? context.at : null,
    lastKnownGood: settled.lastKnownGood,
    notes: around.flatMap(({ outcome, says }) => (outcome === 'skipped' ? [says] : [])),
  };
}

const WORDS = {
  pass: 'is satisfied',
  fail: 'is not satisfied',
  inconclusive: 'cannot be decided',
  skipped: 'is not satisfied',
} as const;

function policyFinding({ document }: ReadyPolicy, because: readonly Finding[]): Finding {
  const finding = allOf(`policy.${document.name}`, because, '');
  const then =
    finding.outcome === 'inconclusive'
      ? `; the policy says onInconclusive: ${onOutage(document)}`
      : '';
  const says = `policy ${document.name} (${document.mode}) ${WORDS[finding.outcome]}${then}`;
  return { ...finding, says };
}

function onOutage({ onInconclusive }: ReadyPolicy['document']): string {
  return typeof onInconclusive === 'string'
    ? onInconclusive
    : `lastKnownGood of ${onInconclusive.lastKnownGood.maxAgeMs / 1000} s`;
}

function tagFindings({ document }: ReadyPolicy, { tag }: EvaluationContext): readonly Finding[] {
  if (document.tags !== 'refuse' || tag === null) return [];
  const says = `the image was asked for by the tag ${tag}, and the policy wants its digest`;
  return [failed('policy.tags', 'policy.tag-refused', says)];
}
