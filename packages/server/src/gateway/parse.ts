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
import { asAnnotations, asDigest } from '@bulla/trust/oci/descriptor';
import type { Digest } from '@bulla/trust/oci/digest';

const INVALID = 'gateway.manifest-invalid';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
/** The media type of the answers of the referrers API. */
export const REFERRERS_TYPE = OCI_INDEX;

/** Media types of manifests that the registry takes, and how each is built. */
const FORMS: ReadonlyMap<string, 'manifest' | 'index' | 'artifact'> = new Map([
  [OCI_MANIFEST, 'manifest'],
  [OCI_INDEX, 'index'],
  ['application/vnd.docker.distribution.manifest.v2+json', 'manifest'],
  ['application/vnd.docker.distribution.manifest.list.v2+json', 'index'],
  // Of a release candidate of image-spec 1.1; tools of that time still push it.
  ['application/vnd.oci.artifact.manifest.v1+json', 'artifact'],
]);

/** What the registry keeps of a manifest: the part of its descriptor that referrers lists show. */
export interface ManifestRecord {
  readonly mediaType: string;
  readonly size: number;
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A pushed manifest: its record, and what must be in the repository before it. */
export interface PushedManifest {
  readonly record: ManifestRecord;
  readonly needs: readonly Digest[];
}

/**
 * What the registry must know of a pushed manifest (image-spec manifest.md, image-index.md; Docker
 * schema 2). `contentType` is the request's, without its parameters, or null. Throws
 * `gateway.manifest-invalid`, and the `json.*` codes, for what is not such a manifest, and for a
 * `mediaType` member that is not the `contentType`.
 */
export function parseManifest(bytes: Uint8Array, contentType: string | null): PushedManifest {
  const at = cursor(parseJson(bytes, 'the manifest'), '', INVALID);
  asObject(at);
  const mediaType = checkedMediaType(at, contentType);
  const form = FORMS.get(mediaType);
  if (form !== 'artifact' && asCount(member(at, 'schemaVersion')) !== 2) {
    throw new TrustFault(INVALID, 'expected schemaVersion 2');
  }
  refuseBothForms(at);
  const parts = form === 'index' ? indexParts(at) : layeredParts(at, form === 'manifest');
  const subject = optional(member(at, 'subject'), (one) => asDigest(member(one, 'digest')));
  const artifactType = optional(member(at, 'artifactType'), asString) || parts.fallbackType;
  const annotations = optional(member(at, 'annotations'), asAnnotations);
  return {
    needs: [...new Set(parts.needs)],
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
  if (!FORMS.has(mediaType)) {
    throw new TrustFault(INVALID, `${quote(mediaType)} is no media type of a manifest`);
  }
  return mediaType;
}

function ociTypeOf(at: Cursor): string {
  return member(at, 'manifests').value === undefined ? OCI_MANIFEST : OCI_INDEX;
}

/** Bytes that read as an image and as an index mislead one reader or the other (CVE-2021-41190). */
function refuseBothForms(at: Cursor): void {
  const has = (name: string) => member(at, name).value !== undefined;
  if (has('manifests') && (has('config') || has('layers'))) {
    throw new TrustFault(INVALID, 'the manifest has both manifests and config or layers');
  }
}

interface Parts {
  readonly needs: readonly Digest[];
  /** What `artifactType` is when the member is missing or empty. */
  readonly fallbackType?: string;
}

function indexParts(at: Cursor): Parts {
  const children = asArray(member(at, 'manifests'), needOf);
  return { needs: children.flat() };
}

function layeredParts(at: Cursor, hasConfig: boolean): Parts {
  const layers = asArray(member(at, hasConfig ? 'layers' : 'blobs'), needOf);
  if (!hasConfig) return { needs: layers.flat() };
  const config = member(at, 'config');
  return {
    needs: [...needOf(config), ...layers.flat()],
    fallbackType: asString(member(config, 'mediaType')),
  };
}

/** The digest that a descriptor asks the repository to have: none if it says where else it lies. */
function needOf(at: Cursor): readonly Digest[] {
  asString(member(at, 'mediaType'));
  asCount(member(at, 'size'));
  const digest = asDigest(member(at, 'digest'));
  const urls = optional(member(at, 'urls'), (list) => asArray(list, asString)) ?? [];
  return urls.length > 0 ? [] : [digest];
}

/** The record of a cell that `writeManifestRecord` made. Throws `storage.corrupt`. */
export function readManifestRecord(value: Uint8Array): ManifestRecord {
  const at = cursor(readOwn(value), '', 'storage.corrupt');
  const subject = optional(member(at, 'subject'), asDigest);
  const artifactType = optional(member(at, 'artifactType'), asString);
  const annotations = optional(member(at, 'annotations'), asAnnotations);
  return {
    mediaType: asString(member(at, 'mediaType')),
    size: asCount(member(at, 'size')),
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** The value of a manifest's cell. */
export function writeManifestRecord(record: ManifestRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** The size that a blob's cell holds. Throws `storage.corrupt`. */
export function readBlobSize(value: Uint8Array): number {
  return asCount(member(cursor(readOwn(value), '', 'storage.corrupt'), 'size'));
}

/** The value of a blob's cell. */
export function writeBlobSize(size: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ size }));
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
