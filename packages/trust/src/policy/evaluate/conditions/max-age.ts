import { claimedTime } from '../../../claims/claimed-time.ts';
import { durationText } from '../../../finding/duration.ts';
import { failed, passed } from '../../../finding/finding.ts';
import type { Condition } from '../condition.ts';

/** How old a statement may be, and which time counts. */
export interface MaxAge {
  readonly maxAgeMs: number;
  /** `claimed`: where no trusted time is proved, the statement's own counts. */
  readonly time: 'trusted' | 'claimed';
  readonly at: Date;
}

const CHECK = 'statement.age';
const SOURCE = 'semantics 13';
/** Clocks of honest machines differ by so much. */
const SKEW_MS = 5 * 60_000;

/**
 * The statement is at most `maxAgeMs` old, from its trusted time or from its own if that is earlier
 * (semantics 13). Without a trusted time it fails (`statement.no-time`), unless the policy says
 * `time: claimed`; a time of its own in the future then fails as well (`statement.future`).
 */
export function maxAgeCondition({ maxAgeMs, time, at }: MaxAge): Condition {
  return async ({ statement, trusted }) => {
    const claimed = claimedTime(statement);
    const since =
      trusted === null ? (time === 'claimed' ? claimed : null) : earlier(trusted, claimed);
    if (since === null) {
      const what = time === 'claimed' ? 'no time, trusted or of its own,' : 'no trusted time';
      const says = `${what} says when the statement was made, and the policy asks for its age`;
      return { finding: failed(CHECK, 'statement.no-time', says, SOURCE), until: null };
    }
    const instant = since.toISOString();
    // The trusted time bounds a claimed one; alone, one that lies ahead would never grow old.
    if (since.getTime() > at.getTime() + SKEW_MS) {
      const says = `the statement was made at ${instant}, which is after ${at.toISOString()}`;
      return { finding: failed(CHECK, 'statement.future', says, SOURCE), until: null };
    }
    const says = `the statement was made at ${instant}, ${durationText(at.getTime() - since.getTime())} ago; at most ${durationText(maxAgeMs)} is allowed`;
    const until = new Date(since.getTime() + maxAgeMs);
    return at.getTime() <= until.getTime()
      ? { finding: passed(CHECK, says, SOURCE), until }
      : { finding: failed(CHECK, 'statement.too-old', says, SOURCE), until: null };
  };
}

function earlier(trusted: Date, claimed: Date | null): Date {
  return claimed !== null && claimed < trusted ? claimed : trusted;
}
