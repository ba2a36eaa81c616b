import type { Finding } from '@bulla/trust/finding/finding';

/**
 * A finding as the cache keeps it: of its tree only the way to the first leaf that failed, else to the
 * first without an answer, so that each use of a refusal names the clause as the first did. A pass
 * keeps nothing of its tree. `says` is added to the finding's own sentence.
 */
export function brief(finding: Finding, says: string): Finding {
  return { ...wayToReason(finding), says: `${finding.says}, ${says}` };
}

function wayToReason({ because = [], ...finding }: Finding): Finding {
  if (finding.outcome === 'pass') return finding;
  const next =
    because.find(({ outcome }) => outcome === 'fail') ??
    because.find(({ outcome }) => outcome === 'inconclusive');
  return next === undefined ? finding : { ...finding, because: [wayToReason(next)] };
}
