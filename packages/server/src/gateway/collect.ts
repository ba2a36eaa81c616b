import { mapBounded } from '@bulla/trust/oci/bounded';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import { blobSize, releaseContent } from './blobs.ts';
import { deleteCell, type Ground, writeCell } from './ground.ts';
import { deleteListings, writeListings } from './listings.ts';
import { listsOf } from './manifests.ts';
import { contentName, KEYS, readUpstreamKey, repositoryOfKey } from './names.ts';
import {
  isIndexRecord,
  type Listed,
  type ManifestRecord,
  readBlobRecord,
  readManifestRecord,
  readTag,
  writeTag,
} from './parse.ts';
import { readTagCell, subjectOfCompanion } from './tags.ts';

/** How many manifests and blobs a collection took out of their repositories. */
export interface Collected {
  readonly manifests: number;
  readonly blobs: number;
}

interface Kept {
  readonly digest: Digest;
  readonly version: string;
  readonly value: Uint8Array;
  readonly record: ManifestRecord;
  readonly lists: readonly Listed[];
}

const LOOKS_AT_ONCE = 16;

/**
 * Takes out of each repository of this registry the manifests that nothing leads to and the blobs
 * that no manifest lists, both only when they are older than `untaggedMs`; the sweep removes their
 * content. What leads to a manifest: a tag, an index that is kept, and a subject that is kept, by a
 * referrer's `subject` or by a tag of the form `sha256-<hex>`. So no signature of a kept image is
 * lost, of whatever scheme. What is about a subject that is not in the repository is kept as well:
 * some repositories hold the signatures of another. Safe beside pushes: see `takeOut`.
 */
export async function collectGarbage(ground: Ground): Promise<Collected> {
  const { untaggedMs } = ground.config;
  if (untaggedMs === null) return { manifests: 0, blobs: 0 };
  const before = new Date(ground.clock().getTime() - untaggedMs).toISOString();
  let manifests = 0;
  let blobs = 0;
  for (const key of await ground.registers.list(KEYS.repositories)) {
    const repository = repositoryOfKey(key);
    if (readUpstreamKey(repository) !== null) continue;
    manifests += await collectManifests(ground, repository, before);
    blobs += await collectBlobs(ground, repository, before);
  }
  return { manifests, blobs };
}

async function collectManifests(
  ground: Ground,
  repository: string,
  before: string,
): Promise<number> {
  const all = await readAll(ground, repository);
  const tags = await readTags(ground, repository);
  const live = liveOf(all, tags, before);
  let taken = 0;
  for (const kept of all.values()) {
    if (live.has(kept.digest)) continue;
    const names = tags.filter((one) => one.digest === kept.digest).map((one) => one.tag);
    if (await takeOut(ground, repository, kept, names)) taken += 1;
  }
  return taken;
}

async function readAll(ground: Ground, repository: string): Promise<ReadonlyMap<Digest, Kept>> {
  const { registers, objects } = ground;
  const prefix = KEYS.manifests(repository);
  const found = await mapBounded(await registers.list(prefix), LOOKS_AT_ONCE, async (key) => {
    const digest = key.slice(prefix.length);
    const cell = await registers.read(key);
    if (cell === null || !isDigest(digest)) return [];
    const record = readManifestRecord(cell.value);
    const bytes = await objects.bytes(contentName(digest));
    const lists = bytes === null ? [] : listsOf(bytes, record.mediaType);
    return [{ digest, version: cell.version, value: cell.value, record, lists }];
  });
  return new Map(found.flat().map((kept) => [kept.digest, kept] as const));
}

interface Tagged {
  readonly tag: string;
  readonly digest: Digest;
}

async function readTags(ground: Ground, repository: string): Promise<readonly Tagged[]> {
  const prefix = KEYS.tags(repository);
  const keys = await ground.registers.list(prefix);
  const found = await mapBounded(keys, LOOKS_AT_ONCE, async (key) => {
    const tag = key.slice(prefix.length);
    const digest = await readTagCell(ground, repository, tag);
    return digest === null ? [] : [{ tag, digest }];
  });
  return found.flat();
}

/** The manifests that something leads to. */
function liveOf(
  all: ReadonlyMap<Digest, Kept>,
  tags: readonly Tagged[],
  before: string,
): ReadonlySet<Digest> {
  const live = new Set<Digest>();
  const todo: Digest[] = [];
  const companions = new Map<Digest, Digest[]>();
  for (const { tag, digest } of tags) {
    const subject = subjectOfCompanion(tag);
    // Of a subject that is here it lives as long as that; of another one it is not ours to judge.
    if (subject === null || !all.has(subject)) todo.push(digest);
    else companions.set(subject, [...(companions.get(subject) ?? []), digest]);
  }
  const referrers = new Map<Digest, Digest[]>();
  for (const { digest, record } of all.values()) {
    const { subject, at } = record;
    // Without a time it was kept by an older release: it stays.
    if (at === undefined || at >= before) todo.push(digest);
    if (subject === undefined) continue;
    if (all.has(subject)) referrers.set(subject, [...(referrers.get(subject) ?? []), digest]);
    else todo.push(digest);
  }
  for (let digest = todo.pop(); digest !== undefined; digest = todo.pop()) {
    const kept = all.get(digest);
    if (live.has(digest) || kept === undefined) continue;
    live.add(digest);
    todo.push(...(referrers.get(digest) ?? []), ...(companions.get(digest) ?? []));
    if (isIndexRecord(kept.record)) todo.push(...kept.lists.map((child) => child.digest));
  }
  return live;
}

/**
 * Takes one manifest out, with the tags that belong to a subject that goes as well, unless it was
 * pushed again since it was looked at: then its record has another version, and the tags are put
 * back. A push of an index looks for its children again after it has noted that it lists them, and
 * this looks for such notes after the record is gone: whichever comes second sees the other, and the
 * manifest is put back or the push is refused.
 */
async function takeOut(
  ground: Ground,
  repository: string,
  kept: Kept,
  tags: readonly string[],
): Promise<boolean> {
  const { digest, version, value, record, lists } = kept;
  const { registers } = ground;
  const key = KEYS.manifest(repository, digest);
  const forget = () =>
    ground.contents.forget(repository, [digest, ...lists.map((one) => one.digest)]);
  const untagged = await untag(ground, repository, digest, tags);
  const putBack = async (): Promise<false> => {
    for (const tag of untagged) {
      await registers.swap(KEYS.tag(repository, tag), null, writeTag(digest));
    }
    forget();
    return false;
  };
  if (!(await registers.delete(key, version))) return putBack();
  forget();
  if (await isListedNow(ground, repository, digest)) {
    await registers.swap(key, null, value);
    return putBack();
  }
  await deleteListings(ground, repository, digest, lists);
  const { subject } = record;
  if (subject !== undefined) await deleteCell(ground, KEYS.referrer(repository, subject, digest));
  // A push of the same manifest meanwhile wrote these before they were deleted.
  if ((await registers.read(key)) !== null) {
    await writeListings(ground, repository, digest, lists);
    if (subject !== undefined) {
      await writeCell(ground, KEYS.referrer(repository, subject, digest), new Uint8Array());
    }
    return putBack();
  }
  forget();
  await releaseContent(ground, digest);
  return true;
}

/** Deletes those of the tags that still lead to the digest, and answers which. */
async function untag(
  { registers }: Ground,
  repository: string,
  digest: Digest,
  tags: readonly string[],
): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const tag of tags) {
    const key = KEYS.tag(repository, tag);
    const cell = await registers.read(key);
    if (cell === null || readTag(cell.value) !== digest) continue;
    if (await registers.delete(key, cell.version)) gone.push(tag);
  }
  return gone;
}

async function isListedNow(ground: Ground, repository: string, digest: Digest): Promise<boolean> {
  const prefix = KEYS.listed(repository, digest);
  for (const key of await ground.registers.list(prefix)) {
    const holder = key.slice(prefix.length);
    if (!isDigest(holder)) continue;
    if ((await ground.registers.read(KEYS.manifest(repository, holder))) !== null) return true;
  }
  return false;
}

async function collectBlobs(ground: Ground, repository: string, before: string): Promise<number> {
  const { registers } = ground;
  const prefix = KEYS.blobs(repository);
  let taken = 0;
  for (const key of await registers.list(prefix)) {
    const digest = key.slice(prefix.length);
    const cell = await registers.read(key);
    if (cell === null || !isDigest(digest)) continue;
    const { at } = readBlobRecord(cell.value);
    if (at === undefined || at >= before) continue;
    if (await isListedNow(ground, repository, digest)) continue;
    if (!(await registers.delete(key, cell.version))) continue;
    if (await isListedNow(ground, repository, digest)) {
      if ((await blobSize(ground, repository, digest)) === null) {
        await registers.swap(key, null, cell.value);
      }
      continue;
    }
    await releaseContent(ground, digest);
    taken += 1;
  }
  return taken;
}
