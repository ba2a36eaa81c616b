import type { RolloutAnswer } from '../../api/rollouts.ts';

/** What a cut-over names when a policy was never asked in its window. */
const NOTHING_OBSERVED = 'nothing-observed';

/** By which names what stands in the way of a cut-over can be accepted, each once. */
export function acceptable({
  wouldDeny,
  asked,
}: Pick<RolloutAnswer, 'wouldDeny' | 'asked'>): readonly string[] {
  const names = wouldDeny
    .filter(({ mendedAt }) => mendedAt === null)
    .map(({ repository, digest }) => (digest === null ? repository : `${repository}@${digest}`));
  return [...new Set(names), ...(asked ? [] : [NOTHING_OBSERVED])];
}
