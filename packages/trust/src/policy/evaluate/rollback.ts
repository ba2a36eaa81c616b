import { type Finding, failed, skipped } from '../../finding/finding.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import type { TrustPolicy } from '../document.ts';

/** An older digest that came back under a tag: it led to D, then to `newer`, and to D again. */
export interface Rollback {
  /** What the tag led to in between. */
  readonly newer: Digest;
  /** When the door saw that first. */
  readonly newerSince: Date;
}

const CHECK = 'policy.rollback';

/** What a policy finds of a rollback: a failure where it refuses those, else a remark. */
export function rollbackFindings(
  document: TrustPolicy,
  tag: string | null,
  rollback: Rollback | null,
): readonly Finding[] {
  if (rollback === null) return [];
  const { newer, newerSince } = rollback;
  const says = `the tag ${tag ?? ''} went back to an older digest; since ${newerSince.toISOString()} it had led to ${newer}`;
  return document.rollback === 'refuse'
    ? [failed(CHECK, 'tag.rollback', says)]
    : [{ ...skipped(CHECK, says), code: 'tag.rollback' }];
}

/** A finding as the record keeps it. */
interface RecordedFinding {
  readonly check: string;
  readonly says: string;
  readonly because?: readonly RecordedFinding[];
}

/** The rollback that a recorded tree of findings tells of; null where it tells of none. */
export function recordedRollback(finding: RecordedFinding): Rollback | null {
  const { check, says, because = [] } = finding;
  if (check === CHECK) {
    const [, since = '', newer = ''] = / since (\S+) it had led to (\S+)$/.exec(says) ?? [];
    const newerSince = new Date(since);
    const isRead = isDigest(newer) && !Number.isNaN(newerSince.getTime());
    return isRead ? { newer, newerSince } : null;
  }
  for (const child of because) {
    const found = recordedRollback(child);
    if (found !== null) return found;
  }
  return null;
}
