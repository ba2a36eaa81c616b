import { asFault, hasCode, TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ArtifactSource, CallOptions } from '@bulla/trust/oci/store';
import { keyOfParts } from '../bounds/key.ts';
import { openRecent } from '../bounds/recent.ts';
import { singleFlight } from '../bounds/single-flight.ts';
import { openTurns, type Turns } from '../bounds/turns.ts';

/** What a tag of another registry leads to; null: the registry answered and has none. */
export type LedTo = { readonly digest: Digest | null } | { readonly problem: TrustFault };

/** Which tag is asked for. */
export interface TagQuestion {
  /** The registry as it is asked; its tags wait for each other, and for no other's. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** Names the credentials: an answer is for those who have them alone. */
  readonly access: string | null;
  readonly source: ArtifactSource;
  /** Leave no trace, and take no answer from before. */
  readonly dryRun: boolean;
  /** Take no answer from before, but keep this one: the registry told of a push. */
  readonly anew?: boolean;
}

/** Answers about tags, none older than they may be; a registry that hangs is a problem in the end. */
export type ResolveTag = (question: TagQuestion) => Promise<LedTo>;

/** How long answers are used, and registries waited for, in milliseconds. */
export interface TagLimits {
  readonly freshMs: number;
  readonly deadlineMs: number;
  readonly clock: () => Date;
}

const TAGS_MOST = 20_000;
const AT_ONCE = 32;
const WAITING_MOST = 2000;

/**
 * Resolves tags by one request each, once for all who ask at the same time: for the manifest itself, or
 * for its digest alone where an answer was had before. A problem is never kept: the next who asks tries
 * again.
 */
export function tagResolver({ freshMs, deadlineMs, clock }: TagLimits): ResolveTag {
  const answers = openRecent<{ readonly led: LedTo; readonly askedAt: number }>(TAGS_MOST);
  const flight = singleFlight<LedTo>();
  const turns = new Map<string, Turns>();
  const turnsOf = (registry: string): Turns => {
    const known = turns.get(registry) ?? openTurns(LIMITS);
    turns.set(registry, known);
    return known;
  };
  const ask = ({ registry, tag, source }: TagQuestion, isKnown: boolean): Promise<LedTo> =>
    problemOr(async () => {
      const abort = new AbortController();
      const says = `no answer about a tag in ${deadlineMs} ms`;
      const late = new TrustFault('registry.timeout', says);
      // The wait for a turn counts: behind a registry that hangs nobody waits twice.
      const timer = setTimeout(() => abort.abort(late), deadlineMs);
      const options = { signal: abort.signal };
      try {
        const digest = await turnsOf(registry)(() => digestOf(source, tag, isKnown, options));
        return { digest };
      } finally {
        clearTimeout(timer);
      }
    });
  return async (question) => {
    if (question.dryRun) return ask(question, false);
    const { registry, repository, tag, access } = question;
    const key = keyOfParts([registry, repository, tag, access]);
    const known = answers.get(key);
    const age = known === undefined ? -1 : clock().getTime() - known.askedAt;
    const isFresh = age >= 0 && age < freshMs && question.anew !== true;
    if (known !== undefined && isFresh) return known.led;
    // What was begun before a push may have its answer from before.
    return flight(question.anew === true ? `${key} anew` : key, async () => {
      const askedAt = clock().getTime();
      const isKnown = known !== undefined && 'digest' in known.led && known.led.digest !== null;
      const led = await ask(question, isKnown);
      if ('digest' in led) answers.set(key, { led, askedAt });
      return led;
    });
  };
}

const LIMITS = {
  atOnce: AT_ONCE,
  waiting: {
    most: WAITING_MOST,
    tooMany: () =>
      new TrustFault('registry.timeout', `more than ${WAITING_MOST} tags wait for the registry`),
  },
};

async function digestOf(
  source: ArtifactSource,
  tag: string,
  isKnown: boolean,
  options: CallOptions,
): Promise<Digest | null> {
  options.signal?.throwIfAborted();
  // Of what is seen first the bytes are wanted next. What was seen before is most likely where it was,
  // and a HEAD is what Docker Hub and others count for nothing.
  const found = await (isKnown ? source.resolve(tag, options) : source.manifest(tag, options));
  return found?.digest ?? null;
}

/** What a registry does is a problem to be weighed by policies; what we do wrong is none. */
export async function problemOr(work: () => Promise<LedTo>): Promise<LedTo> {
  try {
    return await work();
  } catch (error) {
    const problem = asFault(error);
    if (hasCode(problem, 'internal.defect') || problem.code.startsWith('storage.')) throw problem;
    return { problem };
  }
}
