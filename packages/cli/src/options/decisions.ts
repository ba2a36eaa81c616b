import { randomBytes } from 'node:crypto';
import { type Decided, decide } from '@bulla/trust/decide';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { printable } from '@bulla/trust/fault/fault';
import { mapBounded } from '@bulla/trust/oci/bounded';
import { isDigest } from '@bulla/trust/oci/digest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference, tagOrDigest } from '@bulla/trust/oci/reference';
import { type CelRunner, openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import type { Surface } from '@bulla/trust/policy/document';
import type { GivenException } from '@bulla/trust/policy/exceptions/document';
import type { ExpressionRunner } from '@bulla/trust/policy/expression';
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
  /** Default `gate`. */
  readonly surface?: Surface;
}

/** An image to decide about, and where it was named, for people; null on the command line itself. */
export interface ImageToDecide {
  readonly reference: string;
  readonly where: string | null;
  /** Where it is asked for; absent: as the flags say. */
  readonly surface?: Surface;
  readonly namespace?: string | null;
}

/** A decision and its evidence, with where its image was named. */
export interface DecidedImage extends Decided {
  readonly where: string | null;
}

/** Decides about one image at its registry or in its layout. Throws `reference.malformed`, `usage.*`. */
export type DecideImage = (image: ImageToDecide) => Promise<DecidedImage>;

/** So many images are decided about at a time. */
const PARALLEL = 8;

/** A function that decides by the policies and exceptions, with one worker for expressions, started when needed. */
export function openDecider(
  policies: PolicySet,
  flags: DecidingFlags,
  context: CliContext,
  exceptions: readonly GivenException[] = [],
): AsyncDisposable & { readonly decideImage: DecideImage } {
  const canonical = nameReader(namedAliases(flags));
  const registry = registryOptions(flags, context);
  const expressions = sharedExpressions();
  return {
    async decideImage({ reference: text, where, surface, namespace }) {
      const reference = parseReference(text);
      const named = tagOrDigest(reference);
      const at = context.clock();
      const decided = await decide({
        id: newDecisionId(at, randomBytes(10)),
        reference: text,
        scope: {
          repository: canonical(reference),
          surface: surface ?? flags.surface ?? 'gate',
          namespace: namespace ?? flags.namespace ?? null,
          environment: flags.environment ?? null,
        },
        tag: reference.digest === undefined ? named : null,
        digest: isDigest(named) ? named : null,
        source: await openStore(reference, registry),
        platform: flags.platform ?? null,
        parents: [],
        problem: null,
        policies,
        expressions: expressions.runner,
        // What passed before is the server's to remember.
        lastPass: async () => null,
        rollback: null,
        exceptions: async () => exceptions,
        at,
        now: context.now,
        signal: workSignal(flags, context),
      });
      return { ...decided, where };
    },
    [Symbol.asyncDispose]: () => expressions[Symbol.asyncDispose](),
  };
}

/** One worker for the expressions of all decisions of a command, started at the first. */
export function sharedExpressions(): AsyncDisposable & { readonly runner: () => ExpressionRunner } {
  let opened: CelRunner | null = null;
  return {
    runner() {
      opened ??= openExpressionRunner();
      return opened;
    },
    async [Symbol.asyncDispose]() {
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

/**
 * Decides about each image by the policies, once for each reference: what is named again says where
 * as well. An image whose name cannot be read is reported and noted as wrong use; the others are
 * decided all the same.
 */
export async function decideImages(
  images: readonly ImageToDecide[],
  policies: PolicySet,
  flags: DecidingFlags,
  context: CliContext,
  exceptions: readonly GivenException[] = [],
): Promise<readonly DecidedImage[]> {
  await using decider = openDecider(policies, flags, context, exceptions);
  const decided = await mapReported(withoutRepeats(images), context, decider.decideImage);
  return decided.filter((one) => one !== undefined);
}

/** Each reference once, in the order of their first mention. */
function withoutRepeats(images: readonly ImageToDecide[]): readonly ImageToDecide[] {
  const found = new Map<string, string[]>();
  for (const { reference, where } of images) {
    const places = found.get(reference) ?? [];
    if (where !== null && !places.includes(where)) places.push(where);
    found.set(reference, places);
  }
  return [...found].map(([reference, places]) => {
    return { reference, where: places.length === 0 ? null : places.join(', ') };
  });
}

/**
 * Does something with each image, some at a time; an image of which that throws is reported, and is
 * undefined in the answer.
 */
export async function mapReported<T, I extends ImageToDecide = ImageToDecide>(
  images: readonly I[],
  context: CliContext,
  act: (image: I) => Promise<T>,
): Promise<readonly (T | undefined)[]> {
  return mapBounded(images, PARALLEL, async (image) => {
    try {
      return await act(image);
    } catch (error) {
      const place = image.where === null ? '' : ` (${printable(image.where)})`;
      context.err(`${printable(image.reference)}${place}:`);
      report(error, context);
      return undefined;
    }
  });
}
