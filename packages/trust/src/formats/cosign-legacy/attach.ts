import { TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { computeDigest, type Digest } from '../../oci/digest.ts';
import { MEDIA_TYPES, parseManifest } from '../../oci/manifest.ts';
import type { ArtifactTarget, CallOptions, StoredManifest } from '../../oci/store.ts';
import { buildLegacyManifest, type LegacyLayer } from './build.ts';
import { ANNOTATIONS, companionTag } from './layer.ts';

/** So often a lost race with another signer is run again. */
const MAX_TRIES = 8;

/**
 * Adds one layer to the subject's companion tag and keeps the layers of others. A tag has no
 * compare-and-swap in most registries, so the tag is read again just before it is written, what was
 * written is read back, and all is merged and written again until it is there; throws
 * `registry.referrer-lost` when it is not there in the end. What remains: a signer that read before
 * this one wrote and writes after this one read back takes this layer away and cannot know it.
 */
export async function attachLegacy(
  target: ArtifactTarget,
  subject: Digest,
  kind: 'sig' | 'att',
  layer: LegacyLayer,
  options: CallOptions = {},
): Promise<Digest> {
  const tag = companionTag(subject, kind);
  await target.putBlob(layer.descriptor, layer.bytes, options);
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const present = await layersUnder(target, tag, options);
    const merged = withLayer(present, layer.descriptor);
    const { bytes, config } = buildLegacyManifest(merged);
    const descriptor = { digest: computeDigest(config), size: config.length };
    await target.putBlob(descriptor, config, options);
    if (!holdsAll(merged, await layersUnder(target, tag, options))) continue;
    const manifest = { bytes, mediaType: MEDIA_TYPES.ociManifest };
    const digest = await target.putManifest(manifest, { ...options, tag });
    if (holdsAll(await layersUnder(target, tag, options), merged)) return digest;
  }
  throw new TrustFault(
    'registry.referrer-lost',
    `the signature was not under ${target.name}:${tag} after ${MAX_TRIES} tries`,
  );
}

/** The layers under a companion tag, none when it is not there. Throws `cosign-legacy.malformed`. */
export async function layersUnder(
  target: ArtifactTarget,
  tag: string,
  options: CallOptions,
): Promise<readonly Descriptor[]> {
  const stored: StoredManifest | null = await target.manifest(tag, options);
  if (stored === null) return [];
  const manifest = parseManifest(stored);
  if (manifest.kind === 'image') return manifest.layers;
  throw new TrustFault(
    'cosign-legacy.malformed',
    `expected a signature manifest under ${target.name}:${tag}, found an index`,
    'Remove the tag, which no cosign tool wrote, and sign again.',
  );
}

function sameLayer(a: Descriptor, b: Descriptor): boolean {
  return (
    a.digest === b.digest &&
    a.annotations?.[ANNOTATIONS.signature] === b.annotations?.[ANNOTATIONS.signature]
  );
}

function holdsAll(layers: readonly Descriptor[], wanted: readonly Descriptor[]): boolean {
  return wanted.every((entry) => layers.some((other) => sameLayer(entry, other)));
}

function withLayer(present: readonly Descriptor[], added: Descriptor): readonly Descriptor[] {
  return present.some((entry) => sameLayer(entry, added)) ? present : [...present, added];
}
