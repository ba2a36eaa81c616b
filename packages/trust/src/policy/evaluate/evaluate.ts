import { allOf } from '../../finding/combine.ts';
import { type Finding, failed } from '../../finding/finding.ts';
import type { Digest } from '../../oci/digest.ts';
import type { PolicyOutcome } from '../decision.ts';
import {
  childrenOfRoot,
  considerExceptions,
  type ExceptionSource,
} from '../exceptions/consider.ts';
import type { UsedException } from '../exceptions/document.ts';
import { type JudgedClauses, type LiftedClauses, liftClauses } from '../exceptions/lift.ts';
import { insufficientRemarks, usedExceptions, useNote } from '../exceptions/use.ts';
import type { ReadyPolicy } from '../policy-set.ts';
import { earliestOf } from './attested.ts';
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
  /** Absent: the door has none. */
  readonly exceptions?: ExceptionSource;
}

/** What one policy came to, and what its pass stands on. */
export interface EvaluatedPolicy extends PolicyOutcome {
  /** Leaves beside the root that a pass covers. */
  readonly covers: readonly Digest[];
  /** When the first accepted piece of evidence stops to hold; null when none does. */
  readonly validUntil: Date | null;
  /** When an earlier pass stood in; null when none did. */
  readonly lastKnownGood: Date | null;
  /** What is to be said although nothing refuses; none for nothing. */
  readonly notes: readonly string[];
  /** What let the policy pass, or refuse less, that would not have. */
  readonly exceptions: readonly UsedException[];
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
  const { document } = policy;
  const required = await judgeRequirement(document.require, policy, tree, context);
  const around = [
    ...tagFindings(policy, context),
    ...rollbackFindings(document, context.tag, context.rollback),
  ];
  const judged = { required, around };
  const plain = await settled(policy, judged, context);
  if (plain.effect === 'pass' || context.exceptions === undefined) return plain;
  const { accepted, remarks } = await considerExceptions(policy, tree, context.exceptions, context);
  const lifted = liftClauses(document, judged, accepted, childrenOfRoot(tree));
  const better = lifted.used.size === 0 ? plain : await settled(policy, lifted, context);
  const shown = [...remarks, ...lifted.remarks];
  return isBetter(better, plain)
    ? withRemarks(withExceptions(better, lifted), shown)
    : withRemarks(plain, [...insufficientRemarks(lifted.used), ...shown]);
}

/** What the clauses come to, with the policy's word on outages and its mode. */
async function settled(
  policy: ReadyPolicy,
  { required, around }: JudgedClauses,
  { at, lastPass }: EvaluationContext,
): Promise<EvaluatedPolicy> {
  const { document, hash } = policy;
  const { name, mode } = document;
  const finding = policyFinding(policy, [required.finding, ...around]);
  const settling = await settleOutage(finding, document, at, lastPass);
  const passes = settling.finding.outcome === 'pass';
  const proved = passes && settling.lastKnownGood === null;
  return {
    policy: name,
    hash,
    mode,
    finding: settling.finding,
    effect: effectOf(settling.finding, mode, settling.warns),
    covers: proved ? required.covers : [],
    // What stands in for an outage holds for this one answer.
    validUntil: proved ? required.until : passes ? at : null,
    lastKnownGood: settling.lastKnownGood,
    notes: around.flatMap(({ outcome, says }) => (outcome === 'skipped' ? [says] : [])),
    exceptions: [],
  };
}

const EFFECTS = ['pass', 'audit', 'warn', 'deny'] as const;

function isBetter(one: EvaluatedPolicy, other: EvaluatedPolicy): boolean {
  return EFFECTS.indexOf(one.effect) < EFFECTS.indexOf(other.effect);
}

/** The pass ends with the first exception that it stands on. */
function withExceptions(evaluated: EvaluatedPolicy, { used }: LiftedClauses): EvaluatedPolicy {
  const exceptions = usedExceptions(used, evaluated.policy);
  const until = earliestOf([evaluated.validUntil, ...exceptions.map(({ expires }) => expires)]);
  return {
    ...evaluated,
    validUntil: until,
    notes: [...evaluated.notes, ...exceptions.map(useNote)],
    exceptions,
  };
}

/** The remarks stand last: what reads the clauses goes by their places. */
function withRemarks(evaluated: EvaluatedPolicy, remarks: readonly Finding[]): EvaluatedPolicy {
  if (remarks.length === 0) return evaluated;
  const { finding } = evaluated;
  const because = [...(finding.because ?? []), ...remarks];
  return { ...evaluated, finding: { ...finding, because } };
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
