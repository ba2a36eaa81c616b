import { randomBytes } from 'node:crypto';
import { decideFromDossier } from '@bulla/trust/decide';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import type { Dossier } from '@bulla/trust/decide/dossier';
import type { Decision } from '@bulla/trust/policy/decision';
import type { Rollback } from '@bulla/trust/policy/evaluate/rollback';
import type { GivenException } from '@bulla/trust/policy/exceptions/document';
import type { ExpressionRunner } from '@bulla/trust/policy/expression';
import {
  type Before,
  type Compared,
  compareDecisions,
  compareSets,
} from '@bulla/trust/policy/impact/compare';
import type { PolicyScope, PolicySet } from '@bulla/trust/policy/policy-set';
import type { CliContext } from '../context.ts';

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

/** What stored questions are answered with. */
export interface Answering {
  readonly expressions: () => ExpressionRunner;
  /** Exceptions that are laid beside each question; default: none. */
  readonly exceptions?: readonly GivenException[];
  readonly context: CliContext;
}

/** What answers are compared by. */
export interface Comparing extends Answering {
  readonly policies: PolicySet;
  /** Policies that answer for `before`; null where that is told. */
  readonly against: PolicySet | null;
}

/** Puts the question to the new policies, and to the old ones where there are some. Nothing is fetched. */
export async function compare(
  question: StoredQuestion,
  told: Before,
  comparing: Comparing,
): Promise<Compared> {
  const { policies, against } = comparing;
  const after = await answerFrom(question, policies, comparing);
  if (against === null) return compareDecisions(told, after, policies);
  const before = await answerFrom(question, against, comparing);
  return compareSets([before, against], [after, policies], told.excepted);
}

/** The answer of policies to a stored question. Nothing is fetched. */
export function answerFrom(
  { reference, scope, tag, rollback, dossier, at }: StoredQuestion,
  policies: PolicySet,
  { expressions, exceptions = [], context }: Answering,
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
    exceptions: async () => exceptions,
    at,
    now: context.now,
    dossier,
  });
}
