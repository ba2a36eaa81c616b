import { parseJson } from '../bytes/json.ts';
import {
  asArray,
  asCount,
  asObject,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
} from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { asAnnotations, asDescriptor, type Descriptor, refuseLookAlikes } from './descriptor.ts';
import type { StoredManifest } from './store.ts';

/** Media types of manifests and indexes that Bulla reads (image-spec 1.1, Docker schema 2). */
export const MEDIA_TYPES = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  empty: 'application/vnd.oci.empty.v1+json',
} as const;

/** Largest manifest or index, in bytes (distribution-spec "Pushing Manifests": at least 4 MiB). */
export const MANIFEST_LIMIT: number = 4 << 20;

interface ManifestCommon {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest with config and layers: an image, or any other artifact. */
export interface ImageManifest extends ManifestCommon {
  readonly kind: 'image';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** A list of manifests: a multi-arch image, or any other collection. */
export interface ImageIndex extends ManifestCommon {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

/** A parsed manifest; the bytes that its digest is about stay in the `StoredManifest`. */
export type Manifest = ImageManifest | ImageIndex;

const KINDS: Readonly<Record<string, Manifest['kind']>> = {
  [MEDIA_TYPES.ociManifest]: 'image',
  [MEDIA_TYPES.dockerManifest]: 'image',
  [MEDIA_TYPES.ociIndex]: 'index',
  [MEDIA_TYPES.dockerList]: 'index',
};

const MEMBERS: readonly string[] = [
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'manifests',
  'blobs',
  'fsLayers',
  'subject',
  'annotations',
];

// What a server says when it does not know: then the document's own field decides.
const UNTYPED: readonly string[] = [
  '',
  'application/json',
  'text/plain',
  'application/octet-stream',
];

/**
 * The manifest or index in `stored.bytes`, whose media type must be the one it was served under.
 * Throws `manifest.malformed`, `manifest.unsupported` (Docker schema 1 and unknown types),
 * `manifest.ambiguous` (both an image and an index: CVE-2021-41190; or a member in another case) or
 * the codes of `parseJson`.
 */
export function parseManifest(stored: Pick<StoredManifest, 'bytes' | 'mediaType'>): Manifest {
  const value = parseJson(stored.bytes, 'the manifest', { maxBytes: MANIFEST_LIMIT });
  const at = cursor(value, '', 'manifest.malformed');
  const document = asObject(at);
  refuseLookAlikes(at, MEMBERS);
  const mediaType = mediaTypeOf(at, stored.mediaType);
  const kind = KINDS[mediaType];
  if (kind === undefined) {
    throw new TrustFault(
      'manifest.unsupported',
      `expected a manifest or index of OCI 1 or Docker schema 2, found ${quote(mediaType)}`,
    );
  }
  const foreign =
    kind === 'image' ? ['manifests', 'fsLayers'] : ['config', 'layers', 'blobs', 'fsLayers'];
  const both = foreign.find((key) => Object.hasOwn(document, key));
  if (both !== undefined) {
    throw new TrustFault(
      'manifest.ambiguous',
      `expected only the members of an ${kind}, found ${quote(both)} in a document of type ${mediaType}`,
    );
  }
  const common = { mediaType, ...readCommon(at) };
  return kind === 'image'
    ? {
        kind,
        ...common,
        config: asDescriptor(member(at, 'config')),
        layers: asDescriptors(member(at, 'layers')),
      }
    : { kind, ...common, manifests: asDescriptors(member(at, 'manifests')) };
}

/** The artifact type as a referrers list gives it: the manifest's own, else its config's media type. */
export function artifactTypeOf(manifest: Manifest): string | undefined {
  if (manifest.artifactType !== undefined) return manifest.artifactType;
  return manifest.kind === 'image' ? manifest.config.mediaType : undefined;
}

/** What a manifest names, in the order in which it names it: config and layers, or children. */
export function contentOf(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === 'image' ? [manifest.config, ...manifest.layers] : manifest.manifests;
}

/**
 * Whether a node could run this child of an index. Nodes choose by platform alone, so only the
 * platform `unknown/unknown`, which buildx gives its attestation manifests, rules a child out: what
 * its annotations call it does not (semantics 6).
 */
export function isRunnable({ platform }: Descriptor): boolean {
  return platform?.os !== 'unknown' || platform.architecture !== 'unknown';
}

/** The children of an index that a node could run. */
export function runnableChildren(index: ImageIndex): readonly Descriptor[] {
  return index.manifests.filter(isRunnable);
}

/**
 * The media type that a manifest without one from its server has by its own content, or undefined
 * when the bytes are no manifest. Layouts keep children without their type.
 */
export function sniffMediaType(bytes: Uint8Array): string | undefined {
  let value: unknown;
  try {
    value = parseJson(bytes, 'the manifest', { maxBytes: MANIFEST_LIMIT });
  } catch (error) {
    if (error instanceof TrustFault) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if ('mediaType' in value && typeof value.mediaType === 'string') {
    return KINDS[value.mediaType] === undefined ? undefined : value.mediaType;
  }
  if ('manifests' in value) return MEDIA_TYPES.ociIndex;
  return 'config' in value && 'layers' in value ? MEDIA_TYPES.ociManifest : undefined;
}

function mediaTypeOf(at: Cursor, servedAs: string): string {
  const served = servedAs.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const version = member(at, 'schemaVersion');
  if (version.value === 1 || /manifest\.v1\+(?:json|prettyjws)$/.test(served)) {
    if (!served.startsWith('application/vnd.oci.')) {
      throw new TrustFault('manifest.unsupported', 'found a manifest of Docker schema 1');
    }
  }
  if (asCount(version) !== 2) {
    throw new TrustFault(
      'manifest.malformed',
      `expected schemaVersion 2, found ${quote(version.value)}`,
    );
  }
  const own = optional(member(at, 'mediaType'), asString);
  if (UNTYPED.includes(served)) return own ?? typeByContent(at);
  // image-spec manifest.md "mediaType": the field, when used, must match the type it is served under.
  if (own !== undefined && own !== served) {
    throw new TrustFault(
      'manifest.malformed',
      `expected mediaType ${quote(served)} as served, found ${quote(own)} in the document`,
    );
  }
  return served;
}

function typeByContent(at: Cursor): string {
  return Object.hasOwn(asObject(at), 'manifests') ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest;
}

function readCommon(at: Cursor): Omit<ManifestCommon, 'mediaType'> {
  const artifactType = optional(member(at, 'artifactType'), asString);
  const subject = optional(member(at, 'subject'), asDescriptor);
  const annotations = optional(member(at, 'annotations'), asAnnotations);
  return {
    ...(artifactType === undefined || artifactType === '' ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

// Go writes null for an empty list.
function asDescriptors(at: Cursor): readonly Descriptor[] {
  return at.value === null ? [] : asArray(at, asDescriptor);
}
