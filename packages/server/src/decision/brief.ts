import type { Finding } from '@bulla/trust/finding/finding';

/**
 * A finding as the cache keeps it: of its tree only the way to the first leaf that failed, else to the
 * first without an answer, so that each use of a refusal names the clause as the first did. A pass
 * keeps nothing of its tree.
 */
export function brief({ because = [], ...finding }: Finding): Finding {
  if (finding.outcome === 'pass') return finding;
  const next =
    because.find(({ outcome }) => outcome === 'fail') ??
    because.find(({ outcome }) => outcome === 'inconclusive');
  return next === undefined ? finding : { ...finding, because: [brief(next)] };
}
