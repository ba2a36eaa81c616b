import type { Digest } from '../oci/digest.ts';
import { askedBy } from '../policy/evaluate/asked.ts';
import type { ReadyPolicy } from '../policy/policy-set.ts';
import { type Gathering, gatheringKey, gatheringOf, type Material } from './material.ts';

/**
 * Gathers what the policies ask about the node of this digest, for them to find it at hand: while its
 * own manifest is under way, evidence that is looked for by the digest alone can be too. Only what is
 * asked whatever the manifest holds: nothing for a policy that may want the leaves alone, and no
 * statement that only another one makes relevant. Never throws; what fails here fails again there.
 */
export async function gatherAhead(
  material: Material,
  digest: Digest,
  policies: readonly ReadyPolicy[],
): Promise<void> {
  const gatherings = policies
    .filter(({ document }) => document.tree !== 'leaf')
    .flatMap((policy) => askedBy(policy).filter(({ isSure }) => isSure))
    .map(({ wanted }) => gatheringOf(wanted));
  const once = new Map<string, Gathering>(gatherings.map((one) => [gatheringKey(one), one]));
  await Promise.allSettled([...once.values()].map((one) => material.evidence(digest, one)));
}
