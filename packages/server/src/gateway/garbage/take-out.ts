import { mapBounded } from '@bulla/trust/oci/bounded';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import { releaseContent } from '../blobs.ts';
import {
  type ManifestRecord,
  readBlobRecord,
  readManifestRecord,
  readTag,
  writeBlobRecord,
  writeManifestRecord,
  writeTag,
} from '../cells.ts';
import type { Ground } from '../ground.ts';
import { contentName, KEYS } from '../keys.ts';
import { listsOf } from '../manifests.ts';
import type { Listed } from '../parse.ts';
import type { Kept } from './kept.ts';
import { takeOutRecord } from './staying.ts';

/** How many manifests and blobs were taken out of their repositories. */
export interface Taken {
  readonly manifests: number;
  readonly blobs: number;
}

/** What goes with a manifest, and what may stop it from going. */
export interface TakingOut {
  /** Tags that go before it. */
  readonly tags: readonly string[];
  /** Asked with what the manifest lists: see `takeOutRecord`. */
  readonly isWantedNow: (lists: readonly Listed[]) => Promise<boolean>;
}

const CELLS_AT_ONCE = 16;

/**
 * Takes one manifest out of its repository, unless it was pushed, fetched or used since it was looked
 * at: then its record has another version, and its tags are put back. Its listings and its place among
 * the referrers go by the versions that they had while the record was there. Who pushes or fetches it
 * anew when the record is gone writes them anew, after the record, and keeps them.
 * What a push lists meanwhile stays: see `takeOutRecord`.
 */
export async function takeOut(
  ground: Ground,
  repository: string,
  { digest, version, record }: Kept,
  { tags, isWantedNow }: TakingOut,
): Promise<boolean> {
  const { registers, objects } = ground;
  const key = KEYS.manifest(repository, digest);
  const cell = await registers.read(key);
  if (cell?.version !== version) return false;
  const bytes = await objects.bytes(contentName(digest));
  const lists = bytes === null ? [] : listsOf(bytes, record.mediaType);
  const belonging = await cellsOf(ground, repository, digest, record, lists);
  const forget = () =>
    ground.contents.forget(repository, [digest, ...lists.map((one) => one.digest)]);
  // No deletion of its content is due while the record is away: see `openHoldings`.
  await objects.keep(contentName(digest));
  const untagged = await untag(ground, repository, digest, tags);
  const isOut = await takeOutRecord(
    registers,
    { key, version, record, write: writeManifestRecord },
    () => {
      forget();
      return isWantedNow(lists);
    },
  );
  if (!isOut) {
    for (const tag of untagged) {
      await registers.swap(KEYS.tag(repository, tag), null, writeTag(digest));
    }
    forget();
    return false;
  }
  await mapBounded(belonging, CELLS_AT_ONCE, (one) => registers.delete(one.key, one.version));
  forget();
  await releaseContent(ground, digest);
  return true;
}

interface VersionedKey {
  readonly key: string;
  readonly version: string;
}

/** The cells that belong to a manifest's record, as they are now. */
async function cellsOf(
  { registers }: Ground,
  repository: string,
  digest: Digest,
  { subject }: ManifestRecord,
  lists: readonly Listed[],
): Promise<readonly VersionedKey[]> {
  const keys = [
    ...lists.map((one) => KEYS.listing(repository, one.digest, digest)),
    ...(subject === undefined ? [] : [KEYS.referrer(repository, subject, digest)]),
  ];
  const found = await mapBounded(keys, CELLS_AT_ONCE, async (key) => {
    const cell = await registers.read(key);
    return cell === null ? [] : [{ key, version: cell.version }];
  });
  return found.flat();
}

/** Deletes those of the tags that still lead to the digest, and answers which. */
export async function untag(
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

/** Whether a manifest keeps what it lists; asked with its record as it is now. */
export type Counts = (manifest: Digest, record: ManifestRecord) => boolean;

/** Whether a manifest of the repository that counts lists the digest now. */
export async function isListedNow(
  { registers }: Ground,
  repository: string,
  digest: Digest,
  counts: Counts,
): Promise<boolean> {
  const prefix = KEYS.listed(repository, digest);
  for (const key of await registers.list(prefix)) {
    const holder = key.slice(prefix.length);
    if (!isDigest(holder)) continue;
    const cell = await registers.read(KEYS.manifest(repository, holder));
    if (cell !== null && counts(holder, readManifestRecord(cell.value))) return true;
  }
  return false;
}

/** Takes out the blobs that came before an instant and that no manifest which counts lists. */
export async function takeOutBlobs(
  ground: Ground,
  repository: string,
  before: string,
  counts: Counts,
): Promise<number> {
  const { registers } = ground;
  const prefix = KEYS.blobs(repository);
  let taken = 0;
  for (const key of await registers.list(prefix)) {
    const digest = key.slice(prefix.length);
    const cell = await registers.read(key);
    if (cell === null || !isDigest(digest)) continue;
    const record = readBlobRecord(cell.value);
    if (record.at === undefined || record.at >= before) continue;
    const isWantedNow = () => isListedNow(ground, repository, digest, counts);
    if (await isWantedNow()) continue;
    await ground.objects.keep(contentName(digest));
    const looked = { key, version: cell.version, record, write: writeBlobRecord };
    if (!(await takeOutRecord(registers, looked, isWantedNow))) continue;
    await releaseContent(ground, digest);
    taken += 1;
  }
  return taken;
}

/**
 * Deletes listings and places among referrers whose manifest is not there: a taking-out that broke off
 * leaves them. The version is read before the record is looked for, and a record is written before
 * what belongs to it, so what a push writes meanwhile stays.
 */
export async function takeOutLeftovers(ground: Ground, repository: string): Promise<void> {
  const { registers } = ground;
  const manifests = new Set(await registers.list(KEYS.manifests(repository)));
  for (const prefix of [KEYS.allListed(repository), KEYS.allReferrers(repository)]) {
    await mapBounded(await registers.list(prefix), CELLS_AT_ONCE, async (key) => {
      const manifest = key.slice(key.lastIndexOf('/') + 1);
      if (!isDigest(manifest)) return;
      const record = KEYS.manifest(repository, manifest);
      if (manifests.has(record)) return;
      const cell = await registers.read(key);
      if (cell === null || (await registers.read(record)) !== null) return;
      await registers.delete(key, cell.version);
    });
  }
}
