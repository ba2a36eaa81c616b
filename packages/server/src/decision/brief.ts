import type { Finding } from '@bulla/trust/finding/finding';
import { decisiveChild } from '@bulla/trust/finding/reason';

/**
 * A finding as the cache keeps it: of its tree only the way to the first leaf that failed, else to the
 * first without an answer, so that each use of a refusal names the clause as the first did. A pass
 * keeps nothing of its tree.
 */
export function brief(finding: Finding): Finding {
  const { because: _, ...rest } = finding;
  const next = finding.outcome === 'pass' ? undefined : decisiveChild(finding);
  return next === undefined ? rest : { ...rest, because: [brief(next)] };
}
