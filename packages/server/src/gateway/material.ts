import { TrustFault } from '@bulla/trust/fault/fault';
import {
  DSSE_MEDIA_TYPE,
  SIMPLE_SIGNING_MEDIA_TYPE,
} from '@bulla/trust/formats/cosign-legacy/layer';
import { bundleVersionOf } from '@bulla/trust/formats/sigstore-bundle/media-type';
import type { Descriptor } from '@bulla/trust/oci/descriptor';
import type { Digest } from '@bulla/trust/oci/digest';
import {
  type ImageIndex,
  type ImageManifest,
  isRunnable,
  type Manifest,
  MEDIA_TYPES,
  parseManifest,
} from '@bulla/trust/oci/manifest';
import type { Content } from './contents.ts';

/** What the judge of signature material looks at, all of one repository. */
export interface MaterialView {
  /** The size and the first bytes of a blob as it is stored; null when it is not there. */
  head(
    layer: Pick<Descriptor, 'digest' | 'size'>,
    length: number,
  ): Promise<{ readonly size: number; readonly bytes: Uint8Array } | null>;
  /** A manifest that an index lists; null when it is not there. */
  child(digest: Digest): Promise<Content | null>;
}

const MIB = 1 << 20;
const JOSE = 'application/jose+json';
const COSE = 'application/cose';
const NOTATION_CONFIG = 'application/vnd.cncf.notary.signature';
// cosign's experimental layout of OCI 1.1 gives its signatures a config type of their own.
const COSIGN_CONFIG = /^application\/vnd\.dev\.cosign\.artifact\.(?:sig|att)\.v1\+json$/;
const CONFIGS: ReadonlySet<string> = new Set([
  MEDIA_TYPES.empty,
  NOTATION_CONFIG,
  // What cosign writes under its tags, around an image without content.
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);
const LAYERS_MOST = 4000;
const BYTES_MOST = 256 * MIB;
const CHILDREN_MOST = 256;
/** Blobs that are looked at for one answer, of all that an index lists: each is a reading of the store. */
const LOOKS_MOST = 5000;
const TAR_BLOCK = 512;

/**
 * Whether a manifest is signature material, by its content only (semantics 15): it has layers, each
 * of a media type of signatures, bundles or attestations, within the limits of their readers, its
 * config is empty or one that signing tools write, and each of them as it is stored begins as such a
 * document and is no tar archive. The last keeps out an image whose layers only call themselves
 * signatures, which some tools would unpack. An index is material when all that it lists is
 * recorded here as material; one that lists nothing holds nothing to run. Tags, `subject` and
 * `artifactType` say nothing. What cannot be judged is an image.
 */
export async function isMaterial(
  content: Pick<Content, 'record' | 'bytes'>,
  view: MaterialView,
): Promise<boolean> {
  let left = LOOKS_MOST;
  const bounded: MaterialView = {
    ...view,
    head: async (layer, length) => (left-- > 0 ? view.head(layer, length) : null),
  };
  return isMaterialWithin(content, bounded);
}

async function isMaterialWithin(
  { record, bytes }: Pick<Content, 'record' | 'bytes'>,
  view: MaterialView,
): Promise<boolean> {
  let manifest: Manifest;
  try {
    manifest = parseManifest({ bytes, mediaType: record.mediaType });
  } catch (error) {
    if (error instanceof TrustFault) return false;
    throw error;
  }
  return manifest.kind === 'index' ? isMaterialIndex(manifest, view) : areDocuments(manifest, view);
}

async function areDocuments(manifest: ImageManifest, view: MaterialView): Promise<boolean> {
  const { config, layers } = manifest;
  if (layers.length === 0 || layers.length > LAYERS_MOST || !isKnownConfig(config)) return false;
  if (layers.some((layer) => layer.size > largestOf(layer.mediaType))) return false;
  if (layers.reduce((sum, layer) => sum + layer.size, 0) > BYTES_MOST) return false;
  // What the config holds is served as well, so it is no place for something else.
  for (const part of [config, ...layers]) if (!(await isDocument(part, view))) return false;
  return true;
}

async function isMaterialIndex(index: ImageIndex, view: MaterialView): Promise<boolean> {
  const { manifests } = index;
  if (manifests.length > CHILDREN_MOST) return false;
  // Spares the look at the children of what is plainly an image; it only ever says "image".
  if (manifests.some((one) => one.platform !== undefined && isRunnable(one))) return false;
  for (const { digest } of manifests) {
    const child = await view.child(digest);
    if (child === null) return false;
    const { mediaType } = child.record;
    if (mediaType !== MEDIA_TYPES.ociManifest && mediaType !== MEDIA_TYPES.dockerManifest) {
      return false;
    }
    if (!(await isMaterialWithin(child, view))) return false;
  }
  return true;
}

function isKnownConfig({ mediaType, size }: Descriptor): boolean {
  if (size > MIB) return false;
  return (
    CONFIGS.has(mediaType) || COSIGN_CONFIG.test(mediaType) || bundleVersionOf(mediaType) !== null
  );
}

/** The most bytes that a document of the type has; none of another type. */
function largestOf(mediaType: string): number {
  if (mediaType === SIMPLE_SIGNING_MEDIA_TYPE || mediaType === JOSE || mediaType === COSE)
    return MIB;
  return mediaType === DSSE_MEDIA_TYPE || bundleVersionOf(mediaType) !== null ? 128 * MIB : -1;
}

async function isDocument(layer: Descriptor, view: MaterialView): Promise<boolean> {
  const head = await view.head(layer, TAR_BLOCK);
  // The blob itself may be larger than its descriptor says.
  if (head === null || head.size !== layer.size || head.bytes.length === 0) return false;
  return hasStart(layer.mediaType, head.bytes) && !isTarHeader(head.bytes);
}

function hasStart(mediaType: string, bytes: Uint8Array): boolean {
  // RFC 9052 §4.2: COSE_Sign1, tagged or not.
  if (mediaType === COSE) return bytes[0] === 0xd2 || bytes[0] === 0x84;
  return /^[ \t\r\n]*\{/.test(Buffer.from(bytes).toString('latin1'));
}

/**
 * Whether a block is the header of a tar entry: its checksum is right, which every reader of tar asks
 * for, and which JSON text can be made to have. Compressed archives begin as no document does.
 */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < TAR_BLOCK) return false;
  const text = Buffer.from(block.subarray(148, 156)).toString('latin1');
  const stated = /^[\0 ]*([0-7]+)[\0 ]*/.exec(text)?.[1];
  if (stated === undefined) return false;
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < TAR_BLOCK; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const sum = Number.parseInt(stated, 8);
  return sum === unsigned || sum === signed;
}
