import type { Before } from '@bulla/trust/policy/impact/compare';
import { type DecidingFlags, mapReported, openDecider } from '../../options/decisions.ts';
import { type ImageSourceFlags, sourcedImages } from '../../options/image-sources.ts';
import { type Comparing, compare } from '../../options/simulation.ts';
import { merged, type SimulatedImage } from '../../output/simulation.ts';

/** Without policies to compare with, all that would be refused is new. */
const ADMITTED: Before = { outcome: 'admit', effect: 'pass', because: [] };

/**
 * What the policies would change for the images of a list, a registry or a cluster. Each is looked at
 * once, for the old and the new policies together, so that a tag that moves meanwhile is one image to
 * both. What runs in a cluster is judged as it is at admission, in its own namespace.
 */
export async function simulateImages(
  flags: DecidingFlags & ImageSourceFlags,
  comparing: Comparing,
): Promise<readonly SimulatedImage[]> {
  const { policies, against, context } = comparing;
  const sourced = await sourcedImages(flags, context);
  const both = { ...policies, policies: [...policies.policies, ...(against?.policies ?? [])] };
  await using decider = openDecider(both, flags, context);
  const asked = sourced.map(({ reference, namespace, running }) => {
    return {
      ...{ reference, where: running, namespace },
      ...(running === null ? {} : { surface: 'admission' as const }),
    };
  });
  const simulated = await mapReported(asked, context, async (image): Promise<SimulatedImage> => {
    const { decision, dossier } = await decider.decideImage(image);
    const { reference, repository, digest, surface, namespace, environment, tag, at } = decision;
    const scope = { repository, surface, namespace, environment };
    const question = { reference, scope, tag, rollback: null, dossier, at };
    const { covers: _, ...compared } = await compare(question, ADMITTED, comparing);
    const counts = { decisions: 1, uses: 1, lastDecision: null };
    return { reference, repository, digest, surface, namespace, ...compared, ...counts };
  });
  return merged(simulated.filter((one) => one !== undefined));
}
