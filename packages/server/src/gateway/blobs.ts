import type { Readable } from 'node:stream';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ByteRange } from '../storage/objects.ts';
import { type BlobRecord, readBlobRecord, writeBlobRecord } from './cells.ts';
import { changeCell, deleteCell, ensureRepository, type Ground, hasRepository } from './ground.ts';
import { contentName, KEYS, repositoryOfKey, shownName } from './keys.ts';

/** Content up to this size is answered at once; opening a stream costs more than copying it. */
const AT_ONCE_BYTES = 256 << 10;
/** Most uploaders that are remembered of a blob, the last ones. */
const UPLOADERS_MOST = 16;
const COARSE_MS = 3600_000;

/** What this repository knows of a blob, or null when it does not have it. */
export async function blobRecord(
  { registers }: Ground,
  repository: string,
  digest: Digest,
): Promise<BlobRecord | null> {
  const cell = await registers.read(KEYS.blob(repository, digest));
  return cell === null ? null : readBlobRecord(cell.value);
}

/** The size of a blob of this repository, or null when the repository does not have it. */
export async function blobSize(
  ground: Ground,
  repository: string,
  digest: Digest,
): Promise<number | null> {
  return (await blobRecord(ground, repository, digest))?.size ?? null;
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
    throw new TrustFault('gateway.name-unknown', `no repository ${shownName(repository)}`);
  }
  throw new TrustFault('gateway.blob-unknown', `${shownName(repository)} has no blob ${digest}`);
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
 * Gives a repository content that the store holds; `uploader` is the id of whoever sent its bytes
 * to this repository, or null. False when a sweep removed the content right before (see
 * `Objects.keep`); then the repository does not have it.
 */
export async function linkBlob(
  ground: Ground,
  repository: string,
  digest: Digest,
  size: number,
  uploader: string | null = null,
): Promise<boolean> {
  // Before the record as well as after it: see `openHoldings`.
  if (!(await ground.objects.keep(contentName(digest)))) return false;
  await ensureRepository(ground, repository);
  const key = KEYS.blob(repository, digest);
  await noteBlob(ground, key, size, uploader);
  if (await ground.objects.keep(contentName(digest))) return true;
  await deleteCell(ground, key);
  return false;
}

async function noteBlob(
  ground: Ground,
  key: string,
  size: number,
  uploader: string | null,
): Promise<void> {
  const now = ground.clock();
  await changeCell(ground, key, (value) => {
    const known = value === null ? null : readBlobRecord(value);
    const uploaders = known?.uploaders ?? [];
    const isNoted = uploader === null || uploaders.includes(uploader);
    // What is linked anew is not what nobody has wanted for long.
    const isLate = known?.at !== undefined && Date.parse(known.at) >= now.getTime() - COARSE_MS;
    if (isNoted && isLate) return null;
    const noted = isNoted ? uploaders : [...uploaders, uploader].slice(-UPLOADERS_MOST);
    return writeBlobRecord({ size, uploaders: noted, at: now.toISOString() });
  });
}

/** Who mounts a blob, and out of what. */
export interface Mount {
  /** Null: any repository that `may` names. */
  readonly from: string | null;
  readonly may: (repository: string) => boolean;
  /** The id of whoever mounts; null for nobody. */
  readonly mounter: string | null;
}

/**
 * Gives `repository` a blob of another. False when none has it. Who mounts is its uploader only where
 * they were one of the source: else they never showed the bytes.
 */
export async function mountBlob(
  ground: Ground,
  repository: string,
  digest: Digest,
  { from, may, mounter }: Mount,
): Promise<boolean> {
  if (from !== null && !may(from)) return false;
  const record =
    from === null
      ? await recordAnywhere(ground, digest, may)
      : await blobRecord(ground, from, digest);
  if (record === null) return false;
  const uploader = mounter !== null && record.uploaders.includes(mounter) ? mounter : null;
  return linkBlob(ground, repository, digest, record.size, uploader);
}

async function recordAnywhere(
  ground: Ground,
  digest: Digest,
  may: (repository: string) => boolean,
): Promise<BlobRecord | null> {
  // Most mounts without a source are of content that nobody has: one look instead of many.
  if ((await ground.objects.stat(contentName(digest))) === null) return null;
  for (const key of await ground.registers.list(KEYS.repositories)) {
    const repository = repositoryOfKey(key);
    if (!may(repository)) continue;
    const record = await blobRecord(ground, repository, digest);
    if (record !== null) return record;
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

/**
 * Marks content for removal, as of now, whoever else has it: the sweep asks, when the grace is over
 * since the last repository let go of it.
 */
export async function releaseContent({ objects, clock }: Ground, digest: Digest): Promise<void> {
  const name = contentName(digest);
  // A mark that is there already says when another repository let go of it.
  if (await objects.keep(name)) await objects.delete(name, clock());
}
