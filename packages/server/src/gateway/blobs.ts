import type { Readable } from 'node:stream';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ByteRange } from '../storage/objects.ts';
import {
  deleteCell,
  ensureRepository,
  type Ground,
  hasRepository,
  isContentWanted,
} from './ground.ts';
import { contentName, KEYS, repositoryOfKey } from './names.ts';
import { readBlobSize, writeBlobSize } from './parse.ts';

/** Content up to this size is answered at once; opening a stream costs more than copying it. */
const AT_ONCE_BYTES = 256 << 10;

/** The size of a blob of this repository, or null when the repository does not have it. */
export async function blobSize(
  { registers }: Ground,
  repository: string,
  digest: Digest,
): Promise<number | null> {
  const cell = await registers.read(KEYS.blob(repository, digest));
  return cell === null ? null : readBlobSize(cell.value);
}

/** The same, or throws `gateway.name-unknown` or `gateway.blob-unknown`. */
export async function requireBlob(
  ground: Ground,
  repository: string,
  digest: Digest,
): Promise<number> {
  const size = await blobSize(ground, repository, digest);
  if (size !== null) return size;
  if (!(await hasRepository(ground, repository))) {
    throw new TrustFault('gateway.name-unknown', `no repository ${repository}`);
  }
  throw new TrustFault('gateway.blob-unknown', `${repository} has no blob ${digest}`);
}

/** The bytes of a blob that `requireBlob` found. Throws `gateway.blob-unknown` if it went meanwhile. */
export async function readBlob(
  { objects }: Ground,
  digest: Digest,
  range: ByteRange,
): Promise<Uint8Array | Readable> {
  const name = contentName(digest);
  const content =
    range.length <= AT_ONCE_BYTES
      ? await objects.bytes(name, range)
      : await objects.stream(name, range);
  if (content === null) throw new TrustFault('gateway.blob-unknown', `no content of ${digest}`);
  return content;
}

/**
 * Gives a repository content that the store holds. False when a sweep removed the content right
 * before (see `Objects.keep`); then the repository does not have it.
 */
export async function linkBlob(
  ground: Ground,
  repository: string,
  digest: Digest,
  size: number,
): Promise<boolean> {
  await ensureRepository(ground, repository);
  const key = KEYS.blob(repository, digest);
  // Null means that the repository has the blob already.
  await ground.registers.swap(key, null, writeBlobSize(size));
  if (await ground.objects.keep(contentName(digest))) return true;
  await deleteCell(ground, key);
  return false;
}

/**
 * Gives `repository` a blob of another: of `from`, or of any when `from` is null. False when none
 * has it.
 */
export async function mountBlob(
  ground: Ground,
  repository: string,
  digest: Digest,
  from: string | null,
): Promise<boolean> {
  const size =
    from === null ? await sizeAnywhere(ground, digest) : await blobSize(ground, from, digest);
  return size !== null && linkBlob(ground, repository, digest, size);
}

async function sizeAnywhere(ground: Ground, digest: Digest): Promise<number | null> {
  // Most mounts without a source are of content that nobody has: one look instead of many.
  if ((await ground.objects.stat(contentName(digest))) === null) return null;
  for (const key of await ground.registers.list(KEYS.repositories)) {
    const size = await blobSize(ground, repositoryOfKey(key), digest);
    if (size !== null) return size;
  }
  return null;
}

/** Takes a blob out of a repository; its content goes when no other has it and the grace is over. */
export async function deleteBlob(
  ground: Ground,
  repository: string,
  digest: Digest,
): Promise<void> {
  await requireBlob(ground, repository, digest);
  await deleteCell(ground, KEYS.blob(repository, digest));
  await releaseContent(ground, digest);
}

/** Marks content for removal when no repository has it. */
export async function releaseContent(ground: Ground, digest: Digest): Promise<void> {
  if (await isContentWanted(ground, digest)) return;
  await ground.objects.delete(contentName(digest), ground.clock());
}
