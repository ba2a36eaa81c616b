import { parseJson } from '@bulla/trust/bytes/json';
import { asArray, asCount, asString, cursor, member, optional } from '@bulla/trust/bytes/shape';
import { TrustFault } from '@bulla/trust/fault/fault';
import { asAnnotations, asDigest } from '@bulla/trust/oci/descriptor';
import type { Digest } from '@bulla/trust/oci/digest';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';

/** What may be taken out of its repository. */
export interface Leaving {
  /** A collection is about to take it out, or was when it was killed. Until then it is there as ever. */
  readonly leaving?: true;
}

/** What the registry keeps of a manifest: the part of its descriptor that referrers lists show. */
export interface ManifestRecord extends Leaving {
  readonly mediaType: string;
  readonly size: number;
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** When it was pushed last; absent in records of older releases. */
  readonly at?: string;
  /** Of an upstream's: when it was used last, coarsely; absent in records of older releases. */
  readonly used?: string;
}

/** Whether a record is that of an index. */
export function isIndexRecord({ mediaType }: Pick<ManifestRecord, 'mediaType'>): boolean {
  return mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerList;
}

/** The record of a cell that `writeManifestRecord` made. Throws `storage.corrupt`. */
export function readManifestRecord(value: Uint8Array): ManifestRecord {
  const at = cursor(readOwn(value), '', 'storage.corrupt');
  const subject = optional(member(at, 'subject'), asDigest);
  const artifactType = optional(member(at, 'artifactType'), asString);
  const annotations = optional(member(at, 'annotations'), asAnnotations);
  const pushed = optional(member(at, 'at'), asString);
  const used = optional(member(at, 'used'), asString);
  const leaving = member(at, 'leaving').value === true;
  return {
    mediaType: asString(member(at, 'mediaType')),
    size: asCount(member(at, 'size')),
    ...(pushed === undefined ? {} : { at: pushed }),
    ...(used === undefined ? {} : { used }),
    ...(leaving ? { leaving } : {}),
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** The value of a manifest's cell. */
export function writeManifestRecord(record: ManifestRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** What a repository knows of a blob. */
export interface BlobRecord extends Leaving {
  readonly size: number;
  /** Ids of those who uploaded its bytes to this repository (semantics 15). */
  readonly uploaders: readonly string[];
  /** When the repository got it; absent in records of older releases. */
  readonly at?: string;
}

/** The record of a blob's cell. Throws `storage.corrupt`. */
export function readBlobRecord(value: Uint8Array): BlobRecord {
  const at = cursor(readOwn(value), '', 'storage.corrupt');
  const linked = optional(member(at, 'at'), asString);
  const leaving = member(at, 'leaving').value === true;
  return {
    size: asCount(member(at, 'size')),
    uploaders: optional(member(at, 'uploaders'), (list) => asArray(list, asString)) ?? [],
    ...(linked === undefined ? {} : { at: linked }),
    ...(leaving ? { leaving } : {}),
  };
}

/** The value of a blob's cell. */
export function writeBlobRecord(record: BlobRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** Since when a manifest lists a digest, and the size that it gives it. */
export interface ListingRecord {
  readonly at: string;
  readonly size: number;
}

/** The record of a listing's cell. Throws `storage.corrupt`. */
export function readListing(value: Uint8Array): ListingRecord {
  const at = cursor(readOwn(value), '', 'storage.corrupt');
  return { at: asString(member(at, 'at')), size: asCount(member(at, 'size')) };
}

/** The value of a listing's cell. */
export function writeListing({ at, size }: ListingRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ at, size }));
}

/** The digest that a tag's cell holds. Throws `storage.corrupt`. */
export function readTag(value: Uint8Array): Digest {
  return asDigest(cursor(Buffer.from(value).toString('latin1'), 'tag', 'storage.corrupt'));
}

/** The value of a tag's cell. */
export function writeTag(digest: Digest): Uint8Array {
  return new TextEncoder().encode(digest);
}

function readOwn(value: Uint8Array): unknown {
  try {
    return parseJson(value, 'a cell', { maxBytes: 16 << 20 });
  } catch (cause) {
    throw new TrustFault('storage.corrupt', 'a cell does not hold JSON', undefined, { cause });
  }
}
