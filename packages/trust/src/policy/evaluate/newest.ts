import { claimedTime } from '../../claims/claimed-time.ts';
import type { AuthorityAnswer } from '../../proof/evidence.ts';

/** An answer that may be its authority's newest, and the time by which it is that. */
export interface NewestAnswer {
  readonly answer: AuthorityAnswer;
  /** The earliest trusted time of this statement; null when none was proved. */
  readonly trusted: Date | null;
}

/**
 * The newest of the statements that one authority passed, by trusted time, with those that have
 * none: one of them may be newest (semantics 13). With `claimed`, what a statement says of its own
 * time stands in for a trusted one that is missing.
 */
export function newestOf(
  passing: readonly AuthorityAnswer[],
  time: 'trusted' | 'claimed',
): readonly NewestAnswer[] {
  const trusted = firstTimes(passing);
  const times = passing.map(({ statement }, at) => {
    const known = trusted[at] ?? null;
    if (known !== null || time === 'trusted' || statement === null) return known;
    return claimedTime(statement)?.getTime() ?? null;
  });
  const last = Math.max(...times.map((at) => at ?? Number.NEGATIVE_INFINITY));
  return passing.flatMap((answer, index) => {
    if (times[index] !== null && times[index] !== last) return [];
    const first = trusted[index] ?? null;
    return [{ answer, trusted: first === null ? null : new Date(first) }];
  });
}

/**
 * Since when each statement is there. Anybody can have an old signature of a key stamped and logged
 * anew, and ECDSA's be written in another form; so of a key's statements that say the very same the
 * earliest time counts for all. A short-lived certificate dates its signature by itself.
 */
function firstTimes(passing: readonly AuthorityAnswer[]): readonly (number | null)[] {
  const times = passing.map((answer) => answer.time?.getTime() ?? null);
  if (passing.length < 2 || passing[0]?.authority.kind !== 'key') return times;
  const texts = passing.map((answer) => JSON.stringify(answer.statement?.document));
  const first = new Map<string, number>();
  for (const [at, text] of texts.entries()) {
    const time = times[at] ?? Number.POSITIVE_INFINITY;
    first.set(text, Math.min(time, first.get(text) ?? Number.POSITIVE_INFINITY));
  }
  return texts.map((text, at) => (times[at] === null ? null : (first.get(text) ?? null)));
}
