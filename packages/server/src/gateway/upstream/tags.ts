import { codeEntry } from '@bulla/trust/fault/codes';
import type { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import { openRecent } from '../../bounds/recent.ts';
import { singleFlight } from '../../bounds/single-flight.ts';
import { deleteCell, ensureRepository, type Ground } from '../ground.ts';
import { KEYS } from '../keys.ts';
import type { UpstreamPlace } from '../place.ts';
import { readTagCell, setTag } from '../tags.ts';
import { upstreamFault } from './faults.ts';
import type { OpenUpstream } from './registries.ts';

/** What a tag of an upstream leads to: a digest, nothing, or a problem and what it last led to. */
export type UpstreamTag =
  | { readonly digest: Digest }
  | { readonly digest: null }
  | { readonly problem: TrustFault; readonly remembered: Digest | null };

/** Answers about tags of upstreams, none of them older than `tagFreshnessMs`. */
export type ResolveTag = (place: UpstreamPlace, tag: string) => Promise<UpstreamTag>;

const TAGS_MOST = 20_000;
/** An outage is asked about again soon, but not by every one of those who wait for it. */
const PROBLEM_MS = 1_000;

interface Answer {
  readonly tag: UpstreamTag;
  /** When the upstream was asked: what it says may be that old. */
  readonly askedAt: number;
}

/**
 * Asks upstreams for tags, each tag once for all who ask at the same time. What it led to is kept in
 * a cell, as what it is remembered by when the upstream does not answer; a tag that the upstream
 * says is gone is forgotten.
 */
export function upstreamTags(ground: Ground, open: OpenUpstream): ResolveTag {
  const answers = openRecent<Answer>(TAGS_MOST);
  const flight = singleFlight<UpstreamTag>();
  return async (place, tag) => {
    const key = `${place.key}:${tag}`;
    const known = answers.get(key);
    if (known !== undefined) {
      const age = ground.clock().getTime() - known.askedAt;
      const most = 'problem' in known.tag ? PROBLEM_MS : ground.config.tagFreshnessMs;
      if (age >= 0 && age < most) return known.tag;
    }
    return flight(key, async () => {
      const askedAt = ground.clock().getTime();
      const found = await refresh(ground, open, place, tag);
      answers.set(key, { tag: found, askedAt });
      return found;
    });
  };
}

async function refresh(
  ground: Ground,
  open: OpenUpstream,
  place: UpstreamPlace,
  tag: string,
): Promise<UpstreamTag> {
  const remembered = await readTagCell(ground, place.key, tag);
  try {
    const descriptor = await open(place.upstream).resolve(tag);
    const digest = descriptor?.digest ?? null;
    if (digest !== remembered) await remember(ground, place.key, tag, digest);
    return { digest };
  } catch (error) {
    const problem = upstreamFault(error, place);
    // Our own store's faults are no outage of the upstream, and nothing that a policy could weigh.
    if (!problem.code.startsWith('upstream.') || codeEntry(problem.code).exit === 2) throw problem;
    return { problem, remembered };
  }
}

async function remember(
  ground: Ground,
  key: string,
  tag: string,
  digest: Digest | null,
): Promise<void> {
  if (digest === null) {
    await deleteCell(ground, KEYS.tag(key, tag));
    return;
  }
  await ensureRepository(ground, key);
  await setTag(ground, key, tag, digest);
}
