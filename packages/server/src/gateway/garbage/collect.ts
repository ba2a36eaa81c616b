import type { Digest } from '@bulla/trust/oci/digest';
import type { Ground } from '../ground.ts';
import { KEYS, readUpstreamKey, repositoryOfKey } from '../keys.ts';
import { subjectOfCompanion } from '../tags.ts';
import { takeOutUnused } from '../upstream/unused.ts';
import { type Kept, reachOf, readKept, readTags, type Tagged } from './kept.ts';
import { isListedNow, type Taken, takeOut, takeOutBlobs, takeOutLeftovers } from './take-out.ts';

/**
 * Takes out of each repository what is kept there for nothing; the sweep removes the content. Of this
 * registry those are manifests that nothing leads to and blobs that no manifest lists, both when they
 * are older than `untaggedMs`; of an upstream what nobody used for `cachedMs` (`takeOutUnused`). Safe
 * beside pushes and pulls, also of other replicas.
 */
export async function collectGarbage(ground: Ground): Promise<Taken> {
  const { untaggedMs, cachedMs } = ground.config;
  let manifests = 0;
  let blobs = 0;
  for (const key of await ground.registers.list(KEYS.repositories)) {
    const repository = repositoryOfKey(key);
    const isCached = readUpstreamKey(repository) !== null;
    const keepMs = isCached ? cachedMs : untaggedMs;
    if (keepMs === null) continue;
    const take = isCached ? takeOutUnused : takeOutUntagged;
    const taken = await take(ground, repository, keepMs);
    manifests += taken.manifests;
    blobs += taken.blobs;
    await takeOutLeftovers(ground, repository);
  }
  return { manifests, blobs };
}

/**
 * What leads to a manifest of this registry: a tag, an index that is kept, and a subject that is kept,
 * by a referrer's `subject` or by a tag of the form `sha256-<hex>`. So no signature of a kept image is
 * lost, of whatever scheme. What is about a subject that is not in the repository is kept as well:
 * some repositories hold the signatures of another.
 */
async function takeOutUntagged(
  ground: Ground,
  repository: string,
  untaggedMs: number,
): Promise<Taken> {
  const before = new Date(ground.clock().getTime() - untaggedMs).toISOString();
  const all = await readKept(ground, repository);
  const tags = await readTags(ground, repository);
  const live = reachOf(rootsOf(all, tags, before), all, tags);
  let manifests = 0;
  for (const kept of all.values()) {
    if (live.has(kept.digest)) continue;
    const taken = await takeOut(ground, repository, kept, {
      tags: tags.filter((one) => one.digest === kept.digest).map((one) => one.tag),
      isWantedNow: () => isListedNow(ground, repository, kept.digest, () => true),
    });
    if (taken) manifests += 1;
  }
  const blobs = await takeOutBlobs(ground, repository, before, () => true);
  return { manifests, blobs };
}

function rootsOf(
  all: ReadonlyMap<Digest, Kept>,
  tags: readonly Tagged[],
  before: string,
): readonly Digest[] {
  const tagged = tags.flatMap(({ tag, digest }) => {
    const subject = subjectOfCompanion(tag);
    // Of a subject that is here it lives as long as that; of another one it is not ours to judge.
    return subject === null || !all.has(subject) ? [digest] : [];
  });
  const others = [...all.values()].flatMap(({ digest, record: { subject, at } }) => {
    // Without a time it was kept by an older release: it stays.
    const isYoung = at === undefined || at >= before;
    return isYoung || (subject !== undefined && !all.has(subject)) ? [digest] : [];
  });
  return [...tagged, ...others];
}
