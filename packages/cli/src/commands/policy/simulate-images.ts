import { TrustFault } from '@bulla/trust/fault/fault';
import type { Before } from '@bulla/trust/policy/impact/compare';
import type { CliContext } from '../../context.ts';
import { type DecidingFlags, mapReported, openDecider } from '../../options/decisions.ts';
import { readFileBounded } from '../../options/files.ts';
import { type Comparing, compare } from '../../options/simulation.ts';
import { merged, type SimulatedImage } from '../../output/simulation.ts';

const MAX_FILE_BYTES = 16 << 20;
/** Without policies to compare with, all that would be refused is new. */
const ADMITTED: Before = { outcome: 'admit', effect: 'pass', because: [] };

/**
 * What the policies would change for the images of a file. Each is looked at once, for the old and the
 * new policies together, so that a tag that moves meanwhile is one image to both.
 */
export async function simulateImages(
  file: string,
  flags: DecidingFlags,
  comparing: Comparing,
): Promise<readonly SimulatedImage[]> {
  const { policies, against, context } = comparing;
  const references = await imagesOf(file, context);
  const both = { ...policies, policies: [...policies.policies, ...(against?.policies ?? [])] };
  await using decider = openDecider(both, flags, context);
  const images = references.map((reference) => ({ reference, where: null }));
  const simulated = await mapReported(images, context, async (image): Promise<SimulatedImage> => {
    const { decision, dossier } = await decider.decideImage(image);
    const { reference, repository, digest, surface, namespace, environment, tag, at } = decision;
    const scope = { repository, surface, namespace, environment };
    const question = { reference, scope, tag, rollback: null, dossier, at };
    const { covers: _, ...compared } = await compare(question, ADMITTED, comparing);
    const counts = { decisions: 1, uses: 1, lastDecision: null };
    return { reference, repository, digest, surface, ...compared, ...counts };
  });
  return merged(simulated.filter((one) => one !== undefined));
}

/** One image a line, each once; what follows # is a comment. */
async function imagesOf(file: string, { signal }: CliContext): Promise<readonly string[]> {
  const bytes = await readFileBounded(file, MAX_FILE_BYTES, signal);
  const lines = Buffer.from(bytes).toString('utf8').split(/\r?\n/);
  const named = lines.map((line) => line.replace(/(^|\s)#.*$/, '').trim());
  const images = [...new Set(named.filter((line) => line !== ''))];
  if (images.length > 0) return images;
  throw new TrustFault(
    'images.none',
    `${file} names no image`,
    'Give a file with an image a line.',
  );
}
