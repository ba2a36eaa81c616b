import { COSIGN_SIGN_PREDICATE } from '../claims/predicate-type.ts';
import { parseStatement } from '../claims/statement.ts';
import { type DsseEnvelope, parseDsseEnvelope } from '../envelopes/dsse.ts';
import { codeEntry } from '../fault/codes.ts';
import { asFault } from '../fault/fault.ts';
import { DSSE_MEDIA_TYPE, SIMPLE_SIGNING_MEDIA_TYPE } from '../formats/cosign-legacy/layer.ts';
import { bundleVersionOf } from '../formats/sigstore-bundle/media-type.ts';
import { parseBundle } from '../formats/sigstore-bundle/parse.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { artifactTypeOf, type Manifest } from '../oci/manifest.ts';
import type { ArtifactSource, CallOptions } from '../oci/store.ts';

/** What something attached to an artifact is, by its own content; nothing of it is verified. */
export type AttachmentKind = 'signature' | 'attestation' | 'sbom' | 'referrer';

/** What a manifest that is attached to an artifact says it holds. */
export interface AttachedContent {
  readonly kind: AttachmentKind;
  /** The format's name (`sigstore-bundle`, `cosign-legacy`, `notation`), null for other content. */
  readonly format: string | null;
  readonly artifactType: string | null;
  /** The predicate types of attestations, each once; empty for anything else. */
  readonly predicateTypes: readonly string[];
  /** How many signatures, attestations or documents the manifest holds. */
  readonly count: number;
}

const NOTATION = 'application/vnd.cncf.notary.signature';
const PREDICATE_ANNOTATION = 'dev.sigstore.bundle.predicateType';
const CONTENT_ANNOTATION = 'dev.sigstore.bundle.content';
const EXPERIMENTAL = /^application\/vnd\.dev\.cosign\.artifact\.(sig|att|sbom)\.v1\+json$/;
const SBOM = /(spdx|cyclonedx|syft)/i;
const MAX_DOCUMENT_BYTES = 128 << 20;
const MAX_LAYERS = 1000;

/**
 * What the manifest of a referrer holds. A bundle that does not note its predicate type is fetched
 * and read; one that cannot be read is a `referrer`. Throws only what the source throws for outages.
 */
export async function readReferrer(
  source: ArtifactSource,
  manifest: Manifest,
  options: CallOptions,
): Promise<AttachedContent> {
  const artifactType = artifactTypeOf(manifest) ?? null;
  const base = { artifactType, predicateTypes: [], count: 1 } as const;
  const experimental = EXPERIMENTAL.exec(artifactType ?? '')?.[1];
  if (manifest.kind === 'image' && experimental !== undefined) {
    return { ...(await readLegacy(source, manifest, kindOf(experimental), options)), artifactType };
  }
  if (artifactType === NOTATION) return { ...base, kind: 'signature', format: 'notation' };
  if (artifactType !== null && bundleVersionOf(artifactType) !== null) {
    return { ...base, ...(await readBundle(source, manifest, options)) };
  }
  const kind = SBOM.test(artifactType ?? '') ? 'sbom' : 'referrer';
  return { ...base, kind, format: null };
}

/** What the manifest under a companion tag holds: one signature or statement per layer. */
export async function readLegacy(
  source: ArtifactSource,
  manifest: Manifest,
  kind: AttachmentKind,
  options: CallOptions,
): Promise<AttachedContent> {
  const layers = manifest.kind === 'image' ? manifest.layers : [];
  const types = new Set<string>();
  if (kind === 'attestation') {
    for (const layer of layers.slice(0, MAX_LAYERS)) {
      const type =
        layer.annotations?.['predicateType'] ?? (await layerType(source, layer, options));
      if (type !== null) types.add(type);
    }
  }
  return {
    kind,
    format: kind === 'sbom' ? null : 'cosign-legacy',
    artifactType: kind === 'sbom' ? (layers[0]?.mediaType ?? null) : null,
    predicateTypes: [...types],
    count: layers.length,
  };
}

/** The kind of a companion tag's suffix. */
export function kindOf(suffix: string): AttachmentKind {
  if (suffix === 'sig') return 'signature';
  return suffix === 'att' ? 'attestation' : 'sbom';
}

/** Whether a manifest is signature material: it has layers, and each of them is (semantics 15). */
export function isSignatureMaterial(manifest: Manifest): boolean {
  return (
    manifest.kind === 'image' &&
    manifest.layers.length > 0 &&
    manifest.layers.every(
      ({ mediaType }) =>
        mediaType === SIMPLE_SIGNING_MEDIA_TYPE ||
        mediaType === DSSE_MEDIA_TYPE ||
        bundleVersionOf(mediaType) !== null,
    )
  );
}

/** Whether a manifest has layers, and each is a bill of materials by its media type. */
export function isBillOfMaterials(manifest: Manifest): boolean {
  return (
    manifest.kind === 'image' &&
    manifest.layers.length > 0 &&
    manifest.layers.every((layer) => SBOM.test(layer.mediaType))
  );
}

type BundleContent = Pick<AttachedContent, 'kind' | 'format' | 'predicateTypes'>;

async function readBundle(
  source: ArtifactSource,
  manifest: Manifest,
  options: CallOptions,
): Promise<BundleContent> {
  const noted = manifest.annotations?.[PREDICATE_ANNOTATION];
  const format = 'sigstore-bundle';
  if (noted !== undefined) return { format, ...kindOfPredicate(noted) };
  if (manifest.annotations?.[CONTENT_ANNOTATION] === 'message-signature') {
    return { format, kind: 'signature', predicateTypes: [] };
  }
  const layer = manifest.kind === 'image' ? manifest.layers[0] : undefined;
  const read = layer && (await readDocument(source, layer, options, bundlePredicate));
  return { format, ...(read ?? { kind: 'referrer', predicateTypes: [] }) };
}

function kindOfPredicate(type: string): Pick<AttachedContent, 'kind' | 'predicateTypes'> {
  return type === COSIGN_SIGN_PREDICATE
    ? { kind: 'signature', predicateTypes: [] }
    : { kind: 'attestation', predicateTypes: [type] };
}

function bundlePredicate(bytes: Uint8Array): Pick<AttachedContent, 'kind' | 'predicateTypes'> {
  const { content } = parseBundle(bytes, 'the bundle');
  if (content.kind === 'message') return { kind: 'signature', predicateTypes: [] };
  return kindOfPredicate(envelopePredicate(content.envelope));
}

function envelopePredicate(envelope: DsseEnvelope): string {
  return parseStatement(envelope.payload, 'the payload').predicateType;
}

function layerType(
  source: ArtifactSource,
  layer: Descriptor,
  options: CallOptions,
): Promise<string | null> {
  return readDocument(source, layer, options, (bytes) =>
    envelopePredicate(parseDsseEnvelope(bytes, 'the layer')),
  );
}

/** What `read` makes of a blob; null when it is missing or malformed, which listing passes over. */
async function readDocument<T>(
  source: ArtifactSource,
  layer: Pick<Descriptor, 'digest' | 'size'> & { readonly digest: Digest },
  options: CallOptions,
  read: (bytes: Uint8Array) => T,
): Promise<T | null> {
  try {
    const bytes = await source.blob(layer, { ...options, maxBytes: MAX_DOCUMENT_BYTES });
    return bytes === null ? null : read(bytes);
  } catch (error) {
    const fault = asFault(error);
    if (codeEntry(fault.code).exit !== 1) throw fault;
    return null;
  }
}
