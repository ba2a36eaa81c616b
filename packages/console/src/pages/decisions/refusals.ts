import type { DecisionAnswer, FindingAnswer } from '../../api/decisions.ts';

/** What refused an image, in the words of the finding that is to be mended. */
export interface Refusal {
  /** Null where no policy covers the image, or none could be read. */
  readonly policy: string | null;
  readonly says: string;
  readonly remedy: string | null;
}

/**
 * What the policies that refused say, each by the first finding that did not hold; the client was told
 * of the first. Empty for what was admitted.
 */
export function refusalsOf(
  decision: Pick<DecisionAnswer, 'outcome' | 'policies' | 'finding'>,
): readonly Refusal[] {
  if (decision.outcome !== 'deny') return [];
  const denying = decision.policies.filter(({ effect }) => effect === 'deny');
  if (denying.length === 0) return [refusalBy(null, decision.finding)];
  return denying.map(({ name }) =>
    refusalBy(name, findCheck(decision.finding, `policy.${name}`) ?? decision.finding),
  );
}

function refusalBy(policy: string | null, finding: FindingAnswer): Refusal {
  const { says, remedy } = reasonOf(finding);
  return { policy, says, remedy: remedy ?? null };
}

function findCheck(finding: FindingAnswer, check: string): FindingAnswer | null {
  if (finding.check === check) return finding;
  for (const child of finding.because ?? []) {
    const found = findCheck(child, check);
    if (found !== null) return found;
  }
  return null;
}

/** The first leaf that failed, else the first without an answer, as the server names it to clients. */
function reasonOf(finding: FindingAnswer): FindingAnswer {
  const { because = [] } = finding;
  const next =
    because.find(({ outcome }) => outcome === 'fail') ??
    because.find(({ outcome }) => outcome === 'inconclusive');
  return next === undefined ? finding : reasonOf(next);
}
