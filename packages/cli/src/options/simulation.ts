import { randomBytes } from 'node:crypto';
import { decideFromDossier } from '@bulla/trust/decide';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import type { Dossier } from '@bulla/trust/decide/dossier';
import type { Finding } from '@bulla/trust/finding/finding';
import { strictestEffect } from '@bulla/trust/policy/cases/expect';
import type { Decision, PolicyOutcome } from '@bulla/trust/policy/decision';
import type { Rollback } from '@bulla/trust/policy/evaluate/rollback';
import { failingClauses } from '@bulla/trust/policy/explain/clause';
import type { ExpressionRunner } from '@bulla/trust/policy/expression';
import type { PolicyScope, PolicySet } from '@bulla/trust/policy/policy-set';
import type { CliContext } from '../context.ts';
import type { Change, ChangeReason } from '../output/simulation.ts';

/** A question that was put once, and all that was looked at for its answer. */
export interface StoredQuestion {
  readonly reference: string;
  readonly scope: PolicyScope;
  readonly tag: string | null;
  readonly rollback: Rollback | null;
  readonly dossier: Dossier;
  /** The present of the decision. */
  readonly at: Date;
}

/** What came out before. */
export interface Before {
  readonly outcome: Decision['outcome'];
  readonly effect: PolicyOutcome['effect'];
  /** What refused. */
  readonly because: readonly ChangeReason[];
}

/** How two answers to one question differ. */
export interface Compared {
  readonly before: Decision['outcome'];
  readonly after: Decision['outcome'] | null;
  readonly change: Change | null;
  readonly because: readonly ChangeReason[];
  /** Leaves that the new answer covers beside the digest. */
  readonly covers: readonly string[];
}

/** What answers are compared by. */
export interface Comparing {
  readonly policies: PolicySet;
  /** Policies that answer for `before`; null where that is told. */
  readonly against: PolicySet | null;
  readonly expressions: () => ExpressionRunner;
  readonly context: CliContext;
}

/** Puts the question to the new policies, and to the old ones where there are some. Nothing is fetched. */
export async function compare(
  question: StoredQuestion,
  told: Before,
  comparing: Comparing,
): Promise<Compared> {
  const { policies, against } = comparing;
  const after = await answer(question, policies, comparing);
  if (against === null) return compared(told, after, policies);
  const before = await answer(question, against, comparing);
  if (isIncomplete(before)) return unknown(before.outcome, clausesOf(before, against, 'deny'));
  return compared(beforeOf(before, against), after, policies);
}

function answer(
  { reference, scope, tag, rollback, dossier, at }: StoredQuestion,
  policies: PolicySet,
  { expressions, context }: Comparing,
): Promise<Decision> {
  return decideFromDossier({
    id: newDecisionId(at, randomBytes(10)),
    reference,
    scope,
    tag,
    policies,
    expressions,
    // Policies that have decided nothing yet have let nothing pass.
    lastPass: async () => null,
    rollback,
    at,
    now: context.now,
    dossier,
  });
}

/** What a decision came to, as another is compared with it. */
function beforeOf(decision: Decision, set: PolicySet): Before {
  return {
    outcome: decision.outcome,
    effect: strictestEffect(decision),
    because: clausesOf(decision, set, 'deny'),
  };
}

function compared(before: Before, decision: Decision, set: PolicySet): Compared {
  const after = decision.outcome;
  const { covers } = decision;
  const unsure = isIncomplete(decision) || (before.outcome === 'admit' && isOutage(decision));
  if (unsure) return unknown(before.outcome, clausesOf(decision, set, 'deny'));
  if (after === 'deny') {
    const change = before.outcome === 'admit' ? 'refused' : null;
    return {
      before: before.outcome,
      after,
      change,
      because: clausesOf(decision, set, 'deny'),
      covers,
    };
  }
  if (before.outcome === 'deny') {
    return { before: 'deny', after, change: 'admitted', because: before.because, covers };
  }
  const because = clausesOf(decision, set, 'fail');
  const isNew = before.effect === 'pass' && because.length > 0;
  return { before: 'admit', after, change: isNew ? 'warned' : null, because, covers };
}

/** An answer that stored evidence does not give. */
export function unknown(before: Decision['outcome'], because: readonly ChangeReason[]): Compared {
  return { before, after: null, change: 'unknown', because, covers: [] };
}

/** The clauses that refuse (`deny`), or that are failed by policies that only warn or record. */
function clausesOf(
  decision: Decision,
  set: PolicySet,
  which: 'deny' | 'fail',
): readonly ChangeReason[] {
  const policies = decision.policies.filter(({ effect, finding }) =>
    which === 'deny' ? effect === 'deny' : finding.outcome === 'fail',
  );
  const all = failingClauses(decision, set);
  return all.filter(
    ({ policy }) => policy === null || policies.some((one) => one.policy === policy),
  );
}

/** Whether nothing but outages refuses. */
function isOutage({ outcome, policies }: Decision): boolean {
  const refusing = policies.filter(({ effect }) => effect === 'deny');
  return (
    outcome === 'deny' &&
    refusing.length > 0 &&
    refusing.every(({ finding }) => finding.outcome === 'inconclusive')
  );
}

/** Whether the stored evidence lacks what would have decided. */
function isIncomplete(decision: Decision): boolean {
  return isOutage(decision) && lacksEvidence(decision.finding);
}

function lacksEvidence({ outcome, code, because = [] }: Finding): boolean {
  if (outcome !== 'inconclusive') return outcome === 'fail' && because.some(lacksEvidence);
  return code === 'dossier.incomplete' || because.some(lacksEvidence);
}
