import { passed } from '@bulla/trust/finding/finding';
import type { Decision } from '@bulla/trust/policy/decision';
import { brief } from './brief.ts';

/** A decision as the cache keeps it: of its trees the reason alone; the record has them whole. */
export interface CachedDecision {
  readonly decision: Decision;
  /** The instant from which on it may not be used. */
  readonly until: Date;
  /** The same of a monotonic clock, in milliseconds: one that is set back keeps nothing longer. */
  readonly untilMs: number;
  /** What the counters stood at when the decision was asked for. */
  readonly epoch: string;
}

/** How long decisions are used again, in milliseconds (semantics 14). */
export interface Lifetimes {
  readonly passMs: number;
  readonly refusalMs: number;
}

/** One moment by both clocks: what evidence goes by, and what no operator sets. */
export interface Moment {
  readonly at: Date;
  readonly ms: number;
}

/**
 * A decision that was taken at `now`, as the cache keeps it. A pass lasts until its evidence expires or
 * `passMs`, and ends with `epoch`; all else lasts `refusalMs`, and ends with a push as well.
 */
export function cacheable(
  decision: Decision,
  { epoch, pushes }: { readonly epoch: string; readonly pushes: number },
  { passMs, refusalMs }: Lifetimes,
  now: Moment,
): CachedDecision {
  // What warns or is only recorded is a pass for nobody: a signature is to end it soon.
  const satisfied = isSatisfied(decision);
  const longestMs = satisfied ? passMs : refusalMs;
  const most = now.at.getTime() + longestMs;
  const until = Math.min(most, endOf(decision, satisfied));
  const says = `as decided in ${decision.id} at ${decision.at.toISOString()}`;
  const { because: reason = [], ...finding } = brief(decision.finding);
  const cached = passed('decision.cached', says, 'semantics 14');
  return {
    decision: {
      ...decision,
      // The record has the trees; a hundred thousand of them would fill the memory.
      finding: { ...finding, because: [...reason, cached] },
      policies: decision.policies.map((policy) => ({
        ...policy,
        finding: brief(policy.finding),
      })),
    },
    until: new Date(until),
    untilMs: now.ms + until - now.at.getTime(),
    epoch: satisfied ? epoch : `${epoch}/${pushes}`,
  };
}

/**
 * The instant at which what it stands on ends. What was let in by an exception ends with that at the
 * second, also where another policy warns and it is no pass for anybody.
 */
function endOf({ validUntil, exceptions }: Decision, satisfied: boolean): number {
  const ends = exceptions.map(({ expires }) => expires.getTime());
  if (satisfied && validUntil !== null) ends.push(validUntil.getTime());
  return Math.min(Number.POSITIVE_INFINITY, ...ends);
}

/** Whether every policy passed; an image that is let through all the same is none. */
export function isSatisfied({ outcome, policies }: Decision): boolean {
  return outcome === 'admit' && policies.every(({ effect }) => effect === 'pass');
}
