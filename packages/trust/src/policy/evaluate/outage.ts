import { allOf, anyOf } from '../../finding/combine.ts';
import { type Finding, failedBy, passed, skipped } from '../../finding/finding.ts';
import type { PolicyMode, TrustPolicy } from '../document.ts';

/** What `onInconclusive` made of a policy's finding. */
export interface Settled {
  readonly finding: Finding;
  /** Whether an inconclusive finding of an enforcing policy only warns. */
  readonly warns: boolean;
  /** When an earlier pass stood in; null when none did. */
  readonly lastKnownGood: Date | null;
}

/** Services beside the registry: only their outages can be let go with a warning (semantics 3). */
const OTHER_SERVICES: ReadonlySet<string> = new Set(['service', 'tlog', 'timestamp', 'x509']);
/** Clocks of replicas differ by so much. */
const SKEW_MS = 60_000;

/**
 * Applies `onInconclusive` to a finding; only `inconclusive` is touched. `warn` is for outages of
 * services beside the image: evidence of this very image that could not be fetched refuses
 * (semantics 3). `lastKnownGood` needs an earlier pass within its age, and shows its date.
 */
export async function settleOutage(
  finding: Finding,
  policy: TrustPolicy,
  at: Date,
  lastPass: () => Promise<Date | null>,
): Promise<Settled> {
  const unsettled: Settled = { finding, warns: false, lastKnownGood: null };
  const { onInconclusive } = policy;
  if (finding.outcome !== 'inconclusive' || onInconclusive === 'deny') return unsettled;
  if (onInconclusive === 'warn') return { ...unsettled, warns: isElsewhere(finding) };
  const { maxAgeMs } = onInconclusive.lastKnownGood;
  let last: Date | null;
  try {
    last = await lastPass();
  } catch (error) {
    const problem = failedBy(CHECK, error, SOURCE);
    return {
      ...unsettled,
      finding: allOf(finding.check, [finding, skippedBy(problem)], finding.says),
    };
  }
  const age = last === null ? null : at.getTime() - last.getTime();
  if (last === null || age === null || age > maxAgeMs || age < -SKEW_MS) {
    const found = last === null ? 'there is none' : `the last was at ${last.toISOString()}`;
    const says = `no earlier pass of the last ${maxAgeMs / 1000} s stands in: ${found}`;
    const because = [finding, skipped(CHECK, says, SOURCE)];
    return { ...unsettled, finding: allOf(finding.check, because, finding.says) };
  }
  const says = `it passed at ${last.toISOString()}, at most ${maxAgeMs / 1000} s ago, and the policy lets that stand in for an outage`;
  const because = [passed(CHECK, says, SOURCE), finding];
  return {
    finding: anyOf(finding.check, because, `${finding.says}; its last known good stands in`),
    warns: false,
    lastKnownGood: last,
  };
}

const CHECK = 'policy.last-known-good';
const SOURCE = 'semantics 3';

/** A problem that is shown and not counted. */
function skippedBy({ says, ...finding }: Finding): Finding {
  return { ...finding, outcome: 'skipped', says: `the earlier passes cannot be read: ${says}` };
}

/** Whether every outage in a finding is one of a service beside the registry. */
function isElsewhere(finding: Finding): boolean {
  if (finding.outcome !== 'inconclusive') return true;
  const away = (finding.because ?? []).filter(({ outcome }) => outcome === 'inconclusive');
  if (away.length > 0) return away.every(isElsewhere);
  return OTHER_SERVICES.has(finding.code?.split('.')[0] ?? '');
}

/** What a policy that is not satisfied does, by its own word. */
export function effectOf(
  finding: Finding,
  mode: PolicyMode,
  warns: boolean,
): 'pass' | 'warn' | 'audit' | 'deny' {
  if (finding.outcome === 'pass') return 'pass';
  switch (mode) {
    case 'warn':
    case 'audit':
      return mode;
    case 'enforce':
      return warns && finding.outcome === 'inconclusive' ? 'warn' : 'deny';
    default:
      return mode satisfies never;
  }
}
