import { parseJson } from '@bulla/trust/bytes/json';
import {
  asArray,
  asCount,
  asObject,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { asAnnotations, asDigest, type Descriptor } from '@bulla/trust/oci/descriptor';
import type { Digest } from '@bulla/trust/oci/digest';
import {
  artifactTypeOf,
  contentOf,
  type Manifest,
  MEDIA_TYPES,
  parseManifest as readManifest,
} from '@bulla/trust/oci/manifest';
import type { StoredManifest } from '@bulla/trust/oci/store';

const INVALID = 'gateway.manifest-invalid';
/** The media type of the answers of the referrers API. */
export const REFERRERS_TYPE = MEDIA_TYPES.ociIndex;
// Of a release candidate of image-spec 1.1; tools of that time still push it.
const ARTIFACT_TYPE = 'application/vnd.oci.artifact.manifest.v1+json';
const TAKEN: ReadonlySet<string> = new Set([
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.dockerManifest,
  MEDIA_TYPES.dockerList,
  ARTIFACT_TYPE,
]);

/** What the registry keeps of a manifest: the part of its descriptor that referrers lists show. */
export interface ManifestRecord {
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

/** What a manifest names: config, layers, children; each digest once. */
export type Listed = Pick<Descriptor, 'digest' | 'size'>;

/** A pushed manifest: its record, what it names, and what of that must be there before it. */
export interface PushedManifest {
  readonly record: ManifestRecord;
  readonly lists: readonly Listed[];
  readonly needs: readonly Digest[];
}

/** Whether a record is that of an index. */
export function isIndexRecord({ mediaType }: Pick<ManifestRecord, 'mediaType'>): boolean {
  return mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerList;
}

/**
 * What the registry must know of a pushed manifest. Images and indexes are read by the library's own
 * parser, so what is verified later is what is served (look-alike members and documents that are both
 * image and index are refused there). `contentType` is the request's, without its parameters, or
 * null. Throws `gateway.manifest-invalid`, and the `json.*` codes, for what is not such a manifest,
 * and for a `mediaType` member that is not the `contentType`.
 */
export function parseManifest(bytes: Uint8Array, contentType: string | null): PushedManifest {
  const at = cursor(parseJson(bytes, 'the manifest'), '', INVALID);
  asObject(at);
  const mediaType = checkedMediaType(at, contentType);
  const parts =
    mediaType === ARTIFACT_TYPE ? readArtifact(at) : readKnown({ bytes, mediaType }, at);
  const lists = [...new Map(parts.lists.map((one) => [one.digest, one] as const)).values()];
  const { subject, artifactType, annotations } = parts;
  return {
    lists,
    needs: lists.map(({ digest }) => digest).filter((digest) => !parts.elsewhere.has(digest)),
    record: {
      mediaType,
      size: bytes.length,
      ...(subject === undefined ? {} : { subject }),
      ...(artifactType ? { artifactType } : {}),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

function checkedMediaType(at: Cursor, contentType: string | null): string {
  const inside = optional(member(at, 'mediaType'), asString);
  // "Clients MUST set the Content-Type header to the value specified by the mediaType field."
  if (inside !== undefined && contentType !== null && inside !== contentType) {
    throw new TrustFault(
      INVALID,
      `the manifest says mediaType ${quote(inside)}, Content-Type says ${quote(contentType)}`,
    );
  }
  const mediaType = inside ?? contentType ?? ociTypeOf(at);
  if (!TAKEN.has(mediaType)) {
    throw new TrustFault(INVALID, `${quote(mediaType)} is no media type of a manifest`);
  }
  return mediaType;
}

function ociTypeOf(at: Cursor): string {
  return member(at, 'manifests').value === undefined
    ? MEDIA_TYPES.ociManifest
    : MEDIA_TYPES.ociIndex;
}

interface Parts extends Pick<ManifestRecord, 'subject' | 'artifactType' | 'annotations'> {
  readonly lists: readonly Listed[];
  /** Digests whose descriptors say where else they lie. */
  readonly elsewhere: ReadonlySet<Digest>;
}

function readKnown(stored: Pick<StoredManifest, 'bytes' | 'mediaType'>, at: Cursor): Parts {
  const manifest = readByLibrary(stored);
  const { subject, annotations } = manifest;
  const artifactType = artifactTypeOf(manifest);
  const lists = manifest.kind === 'index' ? ['manifests'] : ['layers'];
  return {
    lists: contentOf(manifest),
    elsewhere: new Set(lists.flatMap((name) => foreignOf(member(at, name)))),
    ...(subject === undefined ? {} : { subject: subject.digest }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function readByLibrary(stored: Pick<StoredManifest, 'bytes' | 'mediaType'>): Manifest {
  try {
    return readManifest(stored);
  } catch (cause) {
    if (!(cause instanceof TrustFault) || !cause.code.startsWith('manifest.')) throw cause;
    throw new TrustFault(INVALID, cause.message, cause.remedy, { cause });
  }
}

function readArtifact(at: Cursor): Parts {
  const blobs = optional(member(at, 'blobs'), (list) => asArray(list, listedOf)) ?? [];
  const subject = optional(member(at, 'subject'), (one) => asDigest(member(one, 'digest')));
  const artifactType = optional(member(at, 'artifactType'), asString);
  const annotations = optional(member(at, 'annotations'), asAnnotations);
  return {
    lists: blobs,
    elsewhere: new Set(foreignOf(member(at, 'blobs'))),
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function listedOf(at: Cursor): Listed {
  asString(member(at, 'mediaType'));
  return { digest: asDigest(member(at, 'digest')), size: asCount(member(at, 'size')) };
}

/** The digests whose descriptors have `urls`: the repository need not have them. */
function foreignOf(list: Cursor): readonly Digest[] {
  if (list.value === undefined || list.value === null) return [];
  return asArray(list, (at) => {
    const urls = optional(member(at, 'urls'), (some) => asArray(some, asString)) ?? [];
    return urls.length > 0 ? [asDigest(member(at, 'digest'))] : [];
  }).flat();
}

/** The record of a cell that `writeManifestRecord` made. Throws `storage.corrupt`. */
export function readManifestRecord(value: Uint8Array): ManifestRecord {
  const at = cursor(readOwn(value), '', 'storage.corrupt');
  const subject = optional(member(at, 'subject'), asDigest);
  const artifactType = optional(member(at, 'artifactType'), asString);
  const annotations = optional(member(at, 'annotations'), asAnnotations);
  const pushed = optional(member(at, 'at'), asString);
  const used = optional(member(at, 'used'), asString);
  return {
    mediaType: asString(member(at, 'mediaType')),
    size: asCount(member(at, 'size')),
    ...(pushed === undefined ? {} : { at: pushed }),
    ...(used === undefined ? {} : { used }),
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
export interface BlobRecord {
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
  return {
    size: asCount(member(at, 'size')),
    uploaders: optional(member(at, 'uploaders'), (list) => asArray(list, asString)) ?? [],
    ...(linked === undefined ? {} : { at: linked }),
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
