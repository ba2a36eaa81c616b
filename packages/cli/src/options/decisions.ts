import { randomBytes } from 'node:crypto';
import { decide } from '@bulla/trust/decide';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { printable } from '@bulla/trust/fault/fault';
import { isDigest } from '@bulla/trust/oci/digest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference, tagOrDigest } from '@bulla/trust/oci/reference';
import { type CelRunner, openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import type { Decision } from '@bulla/trust/policy/decision';
import { nameReader } from '@bulla/trust/policy/names';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import type { CliContext } from '../context.ts';
import { report } from '../output/fault.ts';
import { namedAliases, type PolicyFlags } from './policy.ts';
import { type RegistryFlags, registryOptions } from './registry.ts';
import { workSignal } from './work-signal.ts';

/** What decides about images on the command line. */
export interface DecidingFlags extends PolicyFlags, RegistryFlags {
  readonly platform?: string;
}

/** An image to decide about, and where it was named, for people; null on the command line itself. */
export interface ImageToDecide {
  readonly reference: string;
  readonly where: string | null;
}

/** A decision with where its image was named. */
export interface DecidedImage {
  readonly decision: Decision;
  readonly where: string | null;
}

/** So many images are decided about at a time. */
const PARALLEL = 8;

/**
 * Decides about each image by the policies, surface `gate`. An image whose name cannot be read is
 * reported and noted as wrong use; the others are decided all the same.
 */
export async function decideImages(
  images: readonly ImageToDecide[],
  policies: PolicySet,
  flags: DecidingFlags,
  context: CliContext,
): Promise<readonly DecidedImage[]> {
  const canonical = nameReader(namedAliases(flags));
  const registry = registryOptions(flags, context);
  let runner: CelRunner | null = null;
  const expressions = () => {
    runner ??= openExpressionRunner();
    return runner;
  };
  const decideOne = async ({ reference: text, where }: ImageToDecide): Promise<DecidedImage> => {
    const reference = parseReference(text);
    const named = tagOrDigest(reference);
    const at = context.clock();
    const { decision } = await decide({
      id: newDecisionId(at, randomBytes(10)),
      reference: text,
      scope: {
        repository: canonical(reference),
        surface: 'gate',
        namespace: null,
        environment: flags.environment ?? null,
      },
      tag: reference.digest === undefined ? named : null,
      digest: isDigest(named) ? named : null,
      source: await openStore(reference, registry),
      platform: flags.platform ?? null,
      parents: [],
      problem: null,
      policies,
      expressions,
      // What passed before is the server's to remember.
      lastPass: async () => null,
      rollback: null,
      at,
      now: context.now,
      signal: workSignal(flags, context),
    });
    return { decision, where };
  };
  const decided: (DecidedImage | undefined)[] = new Array(images.length).fill(undefined);
  let next = 0;
  const worker = async () => {
    for (;;) {
      const index = next++;
      const image = images[index];
      if (image === undefined) return;
      try {
        decided[index] = await decideOne(image);
      } catch (error) {
        const place = image.where === null ? '' : ` (${printable(image.where)})`;
        context.err(`${printable(image.reference)}${place}:`);
        report(error, context);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(PARALLEL, images.length) }, worker));
  } finally {
    await endRunner(runner);
  }
  return decided.filter((one) => one !== undefined);
}

async function endRunner(runner: CelRunner | null): Promise<void> {
  await runner?.[Symbol.asyncDispose]();
}
