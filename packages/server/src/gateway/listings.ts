import { mapBounded } from '@bulla/trust/oci/bounded';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import { deleteCell, type Ground } from './ground.ts';
import { KEYS } from './names.ts';
import { type Listed, readListing, writeListing } from './parse.ts';

/** A manifest of a repository that lists a digest, by its bytes. */
export interface Holder {
  readonly manifest: Digest;
  /** The size that the manifest's descriptor gives. */
  readonly size: number;
}

const CELLS_AT_ONCE = 16;
/** Most holders that are looked at: a base layer may be in any number of images. */
const HOLDERS_MOST = 4096;

/**
 * Notes what a manifest lists, after its record: until then nothing below it can be pulled, and a
 * listing without a record counts for nothing. Doing it again is safe.
 */
export async function writeListings(
  { registers, clock }: Ground,
  repository: string,
  manifest: Digest,
  lists: readonly Listed[],
): Promise<void> {
  const at = clock().toISOString();
  await mapBounded(lists, CELLS_AT_ONCE, ({ digest, size }) =>
    // Null means that it is noted already; the first time counts.
    registers.swap(KEYS.listing(repository, digest, manifest), null, writeListing({ at, size })),
  );
}

/** Forgets what a manifest lists, before its record goes. */
export async function deleteListings(
  ground: Ground,
  repository: string,
  manifest: Digest,
  lists: readonly Listed[],
): Promise<void> {
  await mapBounded(lists, CELLS_AT_ONCE, ({ digest }) =>
    deleteCell(ground, KEYS.listing(repository, digest, manifest)),
  );
}

/** The manifests of the repository that list `digest`, in no order that means anything. */
export async function holdingManifests(
  { registers }: Ground,
  repository: string,
  digest: Digest,
): Promise<readonly Digest[]> {
  const prefix = KEYS.listed(repository, digest);
  const keys = await registers.list(prefix, { limit: HOLDERS_MOST });
  return keys.map((key) => key.slice(prefix.length)).filter((manifest) => isDigest(manifest));
}

/** The same with what their listings say, newest first. */
export async function holdersOf(
  ground: Ground,
  repository: string,
  digest: Digest,
): Promise<readonly Holder[]> {
  const manifests = await holdingManifests(ground, repository, digest);
  const found = await mapBounded(manifests, CELLS_AT_ONCE, async (manifest) => {
    const cell = await ground.registers.read(KEYS.listing(repository, digest, manifest));
    return cell === null ? [] : [{ manifest, ...readListing(cell.value) }];
  });
  return found.flat().sort((one, other) => (one.at < other.at ? 1 : -1));
}

/** What one manifest says of the size of a digest; null when it does not list it. */
export async function listedSize(
  { registers }: Ground,
  repository: string,
  digest: Digest,
  manifest: Digest,
): Promise<number | null> {
  const cell = await registers.read(KEYS.listing(repository, digest, manifest));
  return cell === null ? null : readListing(cell.value).size;
}
