import { randomUUID } from 'node:crypto';
import type { Code } from '@bulla/trust/fault/codes';
import { hasCode, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import { linkBlob } from './blobs.ts';
import type { Ground } from './ground.ts';
import { contentName, stagingName } from './keys.ts';

const UPLOAD = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A piece of a blob as a request brings it. */
export interface Chunk {
  readonly content: AsyncIterable<Uint8Array>;
  /** First and last byte as Content-Range says them; null for "whatever comes, at the end". */
  readonly range: { readonly first: number; readonly last: number } | null;
  /** The announced length, or null. */
  readonly length: number | null;
}

/** Opens an upload and answers its UUID. `like` is the digest algorithm that will be used. */
export async function startUpload(
  { objects }: Ground,
  repository: string,
  like: 'sha256' | 'sha512',
): Promise<string> {
  const upload = randomUUID();
  await objects.begin(stagingName(repository, upload), like);
  return upload;
}

/** How many bytes the upload has. Throws `gateway.upload-unknown`. */
export async function uploadSize(
  { objects }: Ground,
  repository: string,
  upload: string,
): Promise<number> {
  const staged = UPLOAD.test(upload) ? await objects.staged(stagingName(repository, upload)) : null;
  if (staged === null) {
    throw new TrustFault('gateway.upload-unknown', `${repository} has no upload ${quote(upload)}`);
  }
  return staged.sizeBytes;
}

/**
 * Adds a chunk and answers the new size. Throws `gateway.upload-unknown`,
 * `gateway.chunk-out-of-order`, `gateway.size-invalid`, `gateway.blob-too-large`,
 * `gateway.upload-busy`, `http.body-cut`; what came before the fault stays in the upload.
 */
export async function appendChunk(
  ground: Ground,
  repository: string,
  upload: string,
  chunk: Chunk,
): Promise<number> {
  const size = await uploadSize(ground, repository, upload);
  const { range, length } = chunk;
  const wanted = range === null ? length : range.last - range.first + 1;
  if (range !== null && (range.first !== size || range.last < range.first)) {
    throw new TrustFault(
      'gateway.chunk-out-of-order',
      `expected a chunk from ${size} on, found ${range.first}-${range.last}`,
    );
  }
  if (wanted !== null && length !== null && wanted !== length) {
    throw new TrustFault('gateway.size-invalid', `expected ${wanted} bytes, found ${length}`);
  }
  const most = ground.config.maxBlobBytes;
  if (size + (wanted ?? 0) > most) {
    throw new TrustFault('gateway.blob-too-large', `expected at most ${most} bytes`);
  }
  // A chunk that is longer than its range would put bytes where the next one belongs.
  const maxBytes = range === null ? most : Math.min(most, range.last + 1);
  const now = await naming(ground, () =>
    ground.objects.append(stagingName(repository, upload), size, chunk.content, { maxBytes }),
  );
  if (wanted !== null && now - size !== wanted) {
    throw new TrustFault('gateway.size-invalid', `expected ${wanted} bytes, found ${now - size}`);
  }
  return now;
}

/**
 * Closes the upload under `digest` and gives the blob to the repository; `uploader` is the id of
 * whoever sent it, null when nobody is known. An upload whose bytes have another digest is dropped
 * (`gateway.digest-invalid`): nothing sent later could mend it.
 */
export async function finishUpload(
  ground: Ground,
  repository: string,
  upload: string,
  digest: Digest,
  uploader: string | null = null,
): Promise<void> {
  const staging = stagingName(repository, upload);
  let size: number;
  try {
    await uploadSize(ground, repository, upload);
    size = await naming(ground, () => ground.objects.commit(staging, contentName(digest), digest));
  } catch (error) {
    if (hasCode(error, 'gateway.digest-invalid')) await ground.objects.abort(staging);
    throw error;
  }
  if (!(await linkBlob(ground, repository, digest, size, uploader))) {
    throw new TrustFault('storage.failed', `the content of ${digest} was removed meanwhile`);
  }
}

/** Drops the upload. Throws `gateway.upload-unknown`, `gateway.upload-busy`. */
export async function cancelUpload(
  ground: Ground,
  repository: string,
  upload: string,
): Promise<void> {
  await uploadSize(ground, repository, upload);
  await naming(ground, () => ground.objects.abort(stagingName(repository, upload)));
}

/** Faults of the store that the sender caused, under the registry's own names. */
async function naming<T>(ground: Ground, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof TrustFault)) throw error;
    const code = NAMES.get(error.code);
    if (code === undefined) throw error;
    const most = `expected at most ${ground.config.maxBlobBytes} bytes, and no more than announced`;
    const message = error.code === 'storage.too-large' ? most : error.message;
    throw new TrustFault(code, message, undefined, { cause: error });
  }
}

const NAMES: ReadonlyMap<Code, Code> = new Map<Code, Code>([
  ['storage.staging-unknown', 'gateway.upload-unknown'],
  ['storage.staging-busy', 'gateway.upload-busy'],
  ['storage.offset-conflict', 'gateway.chunk-out-of-order'],
  ['storage.digest-mismatch', 'gateway.digest-invalid'],
  ['storage.too-large', 'gateway.blob-too-large'],
]);
