import { utf8 } from '../bytes/byte-string.ts';
import { parseJson } from '../bytes/json.ts';
import { asArray, asOneOf, asString, cursor, member } from '../bytes/shape.ts';
import { TrustFault } from '../fault/fault.ts';
import { asDigest, type Descriptor } from '../oci/descriptor.ts';
import { computeDigest, type Digest } from '../oci/digest.ts';
import { type LayoutContent, readBlob, readManifest } from '../oci/layout/content.ts';
import { readLayoutIndex } from '../oci/layout/layout-index.ts';
import { MEDIA_TYPES, parseManifest } from '../oci/manifest.ts';

/** Artifact type of a parcel's manifest, and media type of the list in it. */
export const PARCEL_MEDIA_TYPE = 'application/vnd.bulla.parcel.v1+json';

/** The annotation of the parcel's manifest in index.json; the value is the version. */
export const PARCEL_ANNOTATION = 'dev.bulla.parcel';

const TRUSTED_ROOT_TITLE = 'trusted_root.json';
const TITLE = 'org.opencontainers.image.title';
const LIST_LIMIT = 4 << 20;

/** One artifact of a parcel. */
export interface ParcelImage {
  /** Its name in index.json: `registry/repository:tag`, or `registry/repository@sha256:…`. */
  readonly name: string;
  readonly digest: Digest;
}

/** What is in a parcel: the list that makes a layout one. */
export interface ParcelContents {
  readonly images: readonly ParcelImage[];
  /** Where the trust root lies, null when the parcel has none. */
  readonly trustedRoot: Descriptor | null;
}

/** One blob on its way into a layout. */
export interface ParcelBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** The parcel's manifest and the blobs that it names, list first. */
export interface ParcelManifest {
  readonly bytes: Uint8Array;
  readonly blobs: readonly ParcelBlob[];
}

function blobOf(bytes: Uint8Array): ParcelBlob {
  return { digest: computeDigest(bytes), size: bytes.length, bytes };
}

/** The manifest of a parcel of these images, and the trust root with its media type. */
export function buildParcelManifest(
  images: readonly ParcelImage[],
  trustedRoot: { readonly bytes: Uint8Array; readonly mediaType: string } | null,
): ParcelManifest {
  const list = blobOf(
    utf8(`${JSON.stringify({ mediaType: PARCEL_MEDIA_TYPE, images }, null, 2)}\n`),
  );
  const root = trustedRoot === null ? null : blobOf(trustedRoot.bytes);
  const config = blobOf(utf8('{}'));
  const descriptor = ({ digest, size }: ParcelBlob, mediaType: string, title: string) => ({
    mediaType,
    digest,
    size,
    annotations: { [TITLE]: title },
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: PARCEL_MEDIA_TYPE,
    config: { mediaType: MEDIA_TYPES.empty, digest: config.digest, size: config.size },
    layers: [
      descriptor(list, PARCEL_MEDIA_TYPE, 'parcel.json'),
      ...(root === null || trustedRoot === null
        ? []
        : [descriptor(root, trustedRoot.mediaType, TRUSTED_ROOT_TITLE)]),
    ],
  };
  return {
    bytes: utf8(JSON.stringify(manifest)),
    blobs: [list, ...(root === null ? [] : [root]), config],
  };
}

/**
 * What is in the parcel at `content`. Throws `parcel.malformed` for a layout that is none, and what
 * reading a layout throws.
 */
export async function readParcelContents(content: LayoutContent): Promise<ParcelContents> {
  const { entries } = await readLayoutIndex(content);
  const entry = entries.find(({ annotations }) => annotations?.[PARCEL_ANNOTATION] !== undefined);
  if (entry === undefined) {
    throw new TrustFault(
      'parcel.malformed',
      `${content.path} is a layout without a list of contents`,
    );
  }
  const stored = await readManifest(content, entry.digest, entry.mediaType);
  if (stored === null) throw missing(content, entry.digest);
  const manifest = parseManifest(stored);
  const layers = manifest.kind === 'image' ? manifest.layers : [];
  const list = layers.find(({ mediaType }) => mediaType === PARCEL_MEDIA_TYPE);
  const bytes = list && (await readBlob(content, list.digest, LIST_LIMIT));
  if (bytes === undefined || bytes === null) {
    throw missing(content, list?.digest ?? PARCEL_MEDIA_TYPE);
  }
  return {
    images: parseParcelList(bytes),
    trustedRoot:
      layers.find(({ annotations }) => annotations?.[TITLE] === TRUSTED_ROOT_TITLE) ?? null,
  };
}

/** The images of a parcel's list. Throws `parcel.malformed` and the faults of `parseJson`. */
export function parseParcelList(bytes: Uint8Array): readonly ParcelImage[] {
  const at = cursor(parseJson(bytes, 'parcel.json'), 'parcel', 'parcel.malformed');
  asOneOf(member(at, 'mediaType'), [PARCEL_MEDIA_TYPE]);
  return asArray(member(at, 'images'), (image) => ({
    name: asString(member(image, 'name')),
    digest: asDigest(member(image, 'digest')),
  }));
}

function missing(content: LayoutContent, what: string): TrustFault {
  return new TrustFault('parcel.malformed', `${content.path} lacks ${what}, which it names`);
}
