import { quote, TrustFault } from '../../fault/fault.ts';
import { checkedStream } from '../checked-stream.ts';
import type { Descriptor } from '../descriptor.ts';
import { computeDigest, type Digest } from '../digest.ts';
import { MANIFEST_LIMIT } from '../manifest.ts';
import type { StoredManifest } from '../store.ts';

/**
 * The files of a layout, wherever they lie: a folder or a tar archive. Names are relative, with
 * forward slashes (`blobs/sha256/…`). Both methods answer null for a file that is not there, and
 * refuse anything that is not a regular file.
 */
export interface LayoutContent {
  /** The path that a person named. */
  readonly path: string;
  /** A whole file; throws `registry.limit` when it is larger than `maxBytes`. */
  read(name: string, maxBytes: number): Promise<Uint8Array | null>;
  /** A file in pieces, and its size in bytes. */
  open(name: string): Promise<{ size: number; chunks: AsyncIterable<Uint8Array> } | null>;
}

/** Where a layout keeps the content of a digest (image-layout.md "Blobs"). */
export function blobName(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/**
 * The content of a digest out of a layout, checked; null when it is not there. Throws
 * `registry.digest-mismatch`, or `registry.limit` above `maxBytes`.
 */
export async function readBlob(
  content: LayoutContent,
  digest: Digest,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const bytes = await content.read(blobName(digest), maxBytes);
  if (bytes === null) return null;
  const found = computeDigest(bytes, digest);
  if (found !== digest) throw mismatch(content.path, digest, found);
  return bytes;
}

/** The manifest of a digest with the media type that its descriptor or its own field says. */
export async function readManifest(
  content: LayoutContent,
  digest: Digest,
  mediaType: string,
): Promise<StoredManifest | null> {
  const bytes = await readBlob(content, digest, MANIFEST_LIMIT);
  return bytes === null ? null : { bytes, mediaType, digest };
}

/** The content of a descriptor in pieces; digest and size are checked by the end. */
export async function streamBlob(
  content: LayoutContent,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
): Promise<AsyncIterable<Uint8Array> | null> {
  const file = await content.open(blobName(descriptor.digest));
  if (file === null) return null;
  return checkedStream(file.chunks, descriptor, content.path);
}

function mismatch(where: string, expected: string, found: string): TrustFault {
  return new TrustFault(
    'registry.digest-mismatch',
    `expected ${expected} in ${quote(where)}, found content of digest ${found}`,
  );
}
