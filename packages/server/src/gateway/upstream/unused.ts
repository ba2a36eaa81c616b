import type { Digest } from '@bulla/trust/oci/digest';
import { isIndexRecord, type ManifestRecord, writeManifestRecord } from '../cells.ts';
import { type Kept, reachOf, readKept, readTags } from '../garbage/kept.ts';
import { type Taken, takeOut, takeOutBlobs, untag } from '../garbage/take-out.ts';
import type { Ground } from '../ground.ts';
import { KEYS } from '../keys.ts';
import { holdersOf, PARENTS_MOST } from '../listings.ts';
import { manifestRecord } from '../manifests.ts';
import type { Listed } from '../parse.ts';
import { coarsenessOf } from './use.ts';

/**
 * An index itself, some kilobytes, stays for so many periods: a leaf that is asked for by its own digest
 * is judged through it, and only whoever asked for the index before made it known here.
 */
const INDEX_PERIODS = 12;

/**
 * Takes out of an upstream's repository what nobody used for `cachedMs`; it comes again with the next
 * pull. What was used keeps what belongs to it: what an index lists, the indexes through which a leaf
 * is judged, and what is about either, by `subject` or by a tag of the form `sha256-<hex>`. Rollback
 * memory lies elsewhere and stays.
 *
 * The notes of uses are coarse, so the period is longer by their coarseness: what was used within
 * `cachedMs` is there, whether or not the upstream is. A manifest that is used while this looks has
 * another version then, and stays.
 */
export async function takeOutUnused(
  ground: Ground,
  repository: string,
  cachedMs: number,
): Promise<Taken> {
  const coarseMs = coarsenessOf(ground.config);
  const instant = (agoMs: number) => new Date(ground.clock().getTime() - agoMs).toISOString();
  const before = instant(cachedMs + coarseMs);
  const indexBefore = instant(INDEX_PERIODS * cachedMs + coarseMs);
  const isUsed = ({ used = '' }: ManifestRecord) => used >= before;

  const all = await withUse(ground, repository, await readKept(ground, repository));
  const tags = await readTags(ground, repository);
  const live = reachOf(await rootsOf(ground, repository, all, isUsed), all, tags);
  let manifests = 0;
  for (const kept of all.values()) {
    const { digest, record } = kept;
    if (live.has(digest)) continue;
    if (isIndexRecord(record) && (record.used ?? '') >= indexBefore) continue;
    const isOut = await takeOut(ground, repository, kept, {
      tags: [],
      isWantedNow: async (lists) =>
        isIndexRecord(record) && (await isUsedAnew(ground, repository, lists, all)),
    });
    if (!isOut) continue;
    manifests += 1;
    const names = tags.filter((one) => one.digest === digest).map((one) => one.tag);
    // Fetched again already, by one of them. A tag that goes all the same is noted by its next answer.
    if ((await manifestRecord(ground, repository, digest)) === null) {
      await untag(ground, repository, digest, names);
    }
  }
  const blobs = await takeOutBlobs(
    ground,
    repository,
    before,
    (manifest, record) => live.has(manifest) || isUsed(record),
  );
  return { manifests, blobs };
}

/**
 * Whether a leaf was used since the repository was looked at. A pull notes the use of a leaf before it
 * looks for its indexes, and this looks for such notes after an index is gone: the leaf is judged
 * without it only if it was asked for later.
 */
async function isUsedAnew(
  ground: Ground,
  repository: string,
  leaves: readonly Listed[],
  all: ReadonlyMap<Digest, Kept>,
): Promise<boolean> {
  for (const { digest } of leaves) {
    const found = await manifestRecord(ground, repository, digest);
    if (found !== null && found.used !== all.get(digest)?.record.used) return true;
  }
  return false;
}

/** What an older release kept does not say when it was used: its period begins now. */
async function withUse(
  ground: Ground,
  repository: string,
  all: ReadonlyMap<Digest, Kept>,
): Promise<ReadonlyMap<Digest, Kept>> {
  const { registers, clock } = ground;
  const noted = new Map(all);
  for (const kept of all.values()) {
    if (kept.record.used !== undefined) continue;
    const record = { ...kept.record, used: clock().toISOString() };
    const key = KEYS.manifest(repository, kept.digest);
    const version = await registers.swap(key, kept.version, writeManifestRecord(record));
    // By its old version it goes nowhere when somebody else was first.
    noted.set(kept.digest, { ...kept, record, version: version ?? kept.version });
  }
  return noted;
}

/** What was used, and the indexes through which it is judged: those that a decision would look at. */
async function rootsOf(
  ground: Ground,
  repository: string,
  all: ReadonlyMap<Digest, Kept>,
  isUsed: (record: ManifestRecord) => boolean,
): Promise<readonly Digest[]> {
  const indexes = new Map<Digest, Digest[]>();
  for (const { digest, children } of all.values()) {
    for (const child of children) {
      const known = indexes.get(child);
      if (known === undefined) indexes.set(child, [digest]);
      else known.push(digest);
    }
  }
  const roots: Digest[] = [];
  for (const { digest, record } of all.values()) {
    if (!isUsed(record)) continue;
    const parents = indexes.get(digest) ?? [];
    roots.push(digest, ...(await newest(ground, repository, digest, parents)));
  }
  return roots;
}

async function newest(
  ground: Ground,
  repository: string,
  digest: Digest,
  parents: readonly Digest[],
): Promise<readonly Digest[]> {
  if (parents.length <= PARENTS_MOST) return parents;
  const among = new Set(parents);
  const holders = await holdersOf(ground, repository, digest);
  return holders
    .map(({ manifest }) => manifest)
    .filter((manifest) => among.has(manifest))
    .slice(0, PARENTS_MOST);
}
