import { setTimeout as sleep } from 'node:timers/promises';
import { utf8 } from '../../bytes/byte-string.ts';
import { TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, isDigest } from '../digest.ts';
import { MEDIA_TYPES } from '../manifest.ts';
import { fallbackTag, parseReferrerList, type ReferrerList } from '../referrer-list.ts';
import type { CallOptions } from '../store.ts';
import { isDigestRace } from './digest-race.ts';
import { type FetchedManifest, getManifest, headManifest, pushManifest } from './manifests.ts';
import type { Repository } from './repository.ts';

const TRIES = 8;
const SETTLE_MS = 40;
const LONGEST_WAIT_MS = 1_000;

/** What is to hold of a fallback index in the end. */
type Change =
  | { readonly kind: 'add'; readonly referrer: Descriptor }
  | { readonly kind: 'remove'; readonly digest: Digest };

/**
 * Enters a referrer into the fallback tag of its subject, or takes it out (distribution-spec
 * "Referrers Tag Schema"). Read, merge, write with If-Match or If-None-Match, then read back after a
 * short random while: a writer at a registry that ignores conditions may have overwritten the tag,
 * and then it is merged and written again, eight times at most. Entries of others, also broken ones,
 * are kept. Throws `registry.referrer-lost` when it does not hold in the end, or when the tag is
 * something else than an index.
 *
 * What remains: at a registry that ignores conditions, a writer that read the tag before this one
 * wrote and writes after this one's last look overwrites the entry.
 */
export async function changeFallbackTag(
  repository: Repository,
  subject: Digest,
  change: Change,
  options?: CallOptions,
): Promise<void> {
  const tag = fallbackTag(subject);
  let mustPrune = false;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const current = await readTag(repository, tag, options);
    if (holds(current.list, change)) return;
    const entries = merge(current.list, change);
    const kept = mustPrune ? await existing(repository, entries, options) : entries;
    try {
      const manifest = serialise(current.list, kept);
      const conditions = conditionsOf(current.manifest);
      await pushManifest(repository, tag, manifest, { ...options, conditions });
    } catch (error) {
      if (isRefusal(error) && !isDigestRace(error) && !mustPrune) {
        // Some registries refuse an index of which one entry was deleted or collected.
        mustPrune = true;
        continue;
      }
      // Two writers of one tag at once are more than some registries can do (500).
      if (!isPassing(error) || attempt === TRIES - 1) throw error;
    }
    await settle(repository, attempt, options);
    if (holds((await readTag(repository, tag, options)).list, change)) return;
  }
  throw lost(repository, tag, 'other writers replaced the tag each time');
}

interface Current {
  readonly manifest: FetchedManifest | null;
  readonly list: ReferrerList | undefined;
}

async function readTag(
  repository: Repository,
  tag: string,
  options?: CallOptions,
): Promise<Current> {
  const manifest = await getManifest(repository, tag, options);
  if (manifest === null) return { manifest, list: undefined };
  try {
    return { manifest, list: parseReferrerList(manifest.bytes, `the tag ${tag}`) };
  } catch (cause) {
    if (!(cause instanceof TrustFault) || cause.code === 'registry.limit') throw cause;
    throw lost(repository, tag, 'the tag holds something else than an index');
  }
}

function holds(list: ReferrerList | undefined, change: Change): boolean {
  const digest = change.kind === 'add' ? change.referrer.digest : change.digest;
  const isThere = list?.descriptors.some((found) => found.digest === digest) ?? false;
  return isThere === (change.kind === 'add');
}

function merge(list: ReferrerList | undefined, change: Change): readonly unknown[] {
  const entries = list?.entries ?? [];
  if (change.kind === 'add') return [...entries, change.referrer];
  return entries.filter((entry) => digestOf(entry) !== change.digest);
}

function digestOf(entry: unknown): Digest | undefined {
  if (typeof entry !== 'object' || entry === null || !('digest' in entry)) return undefined;
  return typeof entry.digest === 'string' && isDigest(entry.digest) ? entry.digest : undefined;
}

async function existing(
  repository: Repository,
  entries: readonly unknown[],
  options?: CallOptions,
): Promise<readonly unknown[]> {
  const kept: unknown[] = [];
  for (const entry of entries) {
    const digest = digestOf(entry);
    if (digest !== undefined && (await headManifest(repository, digest, options)) !== null) {
      kept.push(entry);
    }
  }
  return kept;
}

function serialise(list: ReferrerList | undefined, manifests: readonly unknown[]) {
  const document = {
    ...list?.document,
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests,
  };
  return { bytes: utf8(JSON.stringify(document)), mediaType: MEDIA_TYPES.ociIndex };
}

function conditionsOf(manifest: FetchedManifest | null): Readonly<Record<string, string>> {
  if (manifest === null) return { 'if-none-match': '*' };
  return manifest.etag === undefined ? {} : { 'if-match': manifest.etag };
}

function isRefusal(error: unknown): boolean {
  return error instanceof TrustFault && error.code === 'registry.refused';
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof TrustFault)) return false;
  if (error.code === 'registry.server-error' || error.code === 'registry.unreachable') return true;
  return isDigestRace(error);
}

async function settle(
  repository: Repository,
  attempt: number,
  options?: CallOptions,
): Promise<void> {
  const random = repository.client.options.random ?? Math.random;
  const spreadMs = Math.min(SETTLE_MS * 2 ** attempt, LONGEST_WAIT_MS);
  const signal = options?.signal;
  try {
    const delayMs = SETTLE_MS + random() * spreadMs;
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new TrustFault('registry.cancelled', 'the wait was given up', undefined, { cause });
  }
}

function lost(repository: Repository, tag: string, why: string): TrustFault {
  return new TrustFault('registry.referrer-lost', `${repository.name}:${tag}: ${why}`);
}
