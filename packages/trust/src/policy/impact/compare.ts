import type { Finding } from '../../finding/finding.ts';
import { strictestEffect } from '../cases/expect.ts';
import type { Decision, PolicyOutcome } from '../decision.ts';
import { failingClauses } from '../explain/clause.ts';
import type { PolicySet } from '../policy-set.ts';

/**
 * What other policies would change. `excepted`: an exception let it in, without which they refuse it;
 * exceptions are no part of a comparison. `unknown`: it cannot be said without fetching.
 */
export type Change = 'refused' | 'excepted' | 'admitted' | 'warned' | 'unknown';

/** A clause for which an image is refused, was refused, or cannot be told about. */
export interface ChangeReason {
  /** Null where no one policy stands behind it. */
  readonly policy: string | null;
  readonly clause: string;
  readonly code: string;
  readonly says: string;
}

/** What came out before. */
export interface Before {
  readonly outcome: Decision['outcome'];
  readonly effect: PolicyOutcome['effect'];
  /** What refused. */
  readonly because: readonly ChangeReason[];
  /** Whether an exception stood behind it. Absent: none did. */
  readonly excepted?: boolean;
}

/** How two answers to one question differ. */
export interface Compared {
  readonly before: Decision['outcome'];
  /** Null where it cannot be said. */
  readonly after: Decision['outcome'] | null;
  /** Null where nothing changes. */
  readonly change: Change | null;
  readonly because: readonly ChangeReason[];
  /** Leaves that the new answer covers beside the digest. */
  readonly covers: readonly string[];
}

/** What a decision came to, as another is compared with it. */
export function beforeOf(decision: Decision, set: PolicySet): Before {
  return {
    outcome: decision.outcome,
    effect: strictestEffect(decision),
    because: clausesOf(decision, set, 'deny'),
  };
}

/**
 * How a decision by the policies of `set`, taken from stored evidence, differs from what came out
 * before. Evidence that was never stored makes it `unknown`, whatever the policies' modes.
 */
export function compareDecisions(before: Before, decision: Decision, set: PolicySet): Compared {
  const after = decision.outcome;
  const { covers } = decision;
  const unsure = isIncomplete(decision) || (before.outcome === 'admit' && isOutage(decision));
  if (unsure) return unknown(before.outcome, clausesOf(decision, set, 'unsure'));
  if (after === 'deny') {
    const newly = before.excepted === true ? 'excepted' : 'refused';
    const change = before.outcome === 'admit' ? newly : null;
    const because = clausesOf(decision, set, 'deny');
    return { before: before.outcome, after, change, because, covers };
  }
  if (before.outcome === 'deny') {
    return { before: 'deny', after, change: 'admitted', because: before.because, covers };
  }
  const because = clausesOf(decision, set, 'fail');
  const isNew = before.effect === 'pass' && because.length > 0;
  return { before: 'admit', after, change: isNew ? 'warned' : null, because, covers };
}

/**
 * How a decision compares whose former answer is itself taken from stored evidence; `excepted` says
 * that an exception let the image in when it was decided about.
 */
export function compareSets(
  [before, old]: readonly [Decision, PolicySet],
  [after, set]: readonly [Decision, PolicySet],
  excepted = false,
): Compared {
  if (isIncomplete(before)) return unknown(before.outcome, clausesOf(before, old, 'unsure'));
  const was = beforeOf(before, old);
  const then = excepted && was.outcome === 'deny';
  return compareDecisions(then ? { ...was, outcome: 'admit', excepted } : was, after, set);
}

/** An answer that stored evidence does not give. */
export function unknown(before: Decision['outcome'], because: readonly ChangeReason[]): Compared {
  return { before, after: null, change: 'unknown', because, covers: [] };
}

/** The reason of what nothing is stored about. */
export function notStored(says: string): ChangeReason {
  return { policy: null, clause: 'no evidence is stored', code: 'dossier.incomplete', says };
}

/**
 * The clauses that refuse (`deny`), that are failed by policies that only warn or record (`fail`), or
 * that one of the two or no evidence stands behind (`unsure`).
 */
function clausesOf(
  decision: Decision,
  set: PolicySet,
  which: 'deny' | 'fail' | 'unsure',
): readonly ChangeReason[] {
  const policies = decision.policies.filter(({ effect, finding }) =>
    which === 'deny'
      ? effect === 'deny'
      : which === 'fail'
        ? finding.outcome === 'fail'
        : effect === 'deny' || finding.outcome === 'inconclusive',
  );
  const all = failingClauses(decision, set);
  return all
    .filter(({ policy }) => policy === null || policies.some((one) => one.policy === policy))
    .map(({ policy, clause, code, says }) => ({ policy, clause, code, says }));
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
  if (isOutage(decision)) return lacksEvidence(decision.finding);
  // A policy that refuses nothing has not passed what it could not look at.
  return (
    decision.outcome === 'admit' &&
    decision.policies.some(
      ({ effect, finding }) =>
        effect !== 'pass' && finding.outcome === 'inconclusive' && lacksEvidence(finding),
    )
  );
}

function lacksEvidence({ outcome, code, because = [] }: Finding): boolean {
  if (outcome !== 'inconclusive') return outcome === 'fail' && because.some(lacksEvidence);
  return code === 'dossier.incomplete' || because.some(lacksEvidence);
}
