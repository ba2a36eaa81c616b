import { TrustFault } from '@bulla/trust/fault/fault';
import { mapBounded } from '@bulla/trust/oci/bounded';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import { readListing, writeListing } from './cells.ts';
import type { Holder } from './contents.ts';
import { deleteCell, type Ground } from './ground.ts';
import { KEYS } from './keys.ts';
import type { Listed } from './parse.ts';

const CELLS_AT_ONCE = 16;
/** Most holders that are looked at: a base layer may be in any number of images. */
const HOLDERS_MOST = 4096;

/** Most indexes that are named to a decision as those that hold an image, the newest. */
export const PARENTS_MOST = 16;
const ATTEMPTS = 16;

/**
 * Notes what a manifest lists, after its record: until then nothing below it can be pulled, and a
 * listing without a record counts for nothing. Doing it again is safe, and gives the cells of those
 * that are noted already new versions: a collection that found them with the record of before leaves
 * them (`takeOut`).
 */
export async function writeListings(
  ground: Ground,
  repository: string,
  manifest: Digest,
  lists: readonly Listed[],
): Promise<void> {
  const at = ground.clock().toISOString();
  await mapBounded(lists, CELLS_AT_ONCE, ({ digest, size }) =>
    writeAnew(ground, KEYS.listing(repository, digest, manifest), writeListing({ at, size })),
  );
}

/** Writes a cell, or what it holds once more: the first time counts. */
async function writeAnew({ registers }: Ground, key: string, value: Uint8Array): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const cell = attempt === 0 ? null : await registers.read(key);
    const written = await registers.swap(key, cell?.version ?? null, cell?.value ?? value);
    if (written !== null) return;
  }
  throw new TrustFault('storage.failed', `the cell ${key} is changed by others without a pause`);
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
