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
import type { ManifestRecord } from './cells.ts';

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

/** What a manifest names: config, layers, children; each digest once. */
export type Listed = Pick<Descriptor, 'digest' | 'size'>;

/** A pushed manifest: its record, what it names, and what of that must be there before it. */
export interface PushedManifest {
  readonly record: ManifestRecord;
  readonly lists: readonly Listed[];
  readonly needs: readonly Digest[];
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
