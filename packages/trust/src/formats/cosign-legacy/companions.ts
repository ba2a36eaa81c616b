import { TrustFault } from '../../fault/fault.ts';
import type { Companions } from '../../oci/copy.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { computeDigest } from '../../oci/digest.ts';
import { MEDIA_TYPES, parseManifest } from '../../oci/manifest.ts';
import type { ArtifactTarget, CallOptions, StoredManifest } from '../../oci/store.ts';
import { layersUnder } from './attach.ts';
import { buildLegacyManifest } from './build.ts';
import { companionTags, parseCompanionTag } from './layer.ts';

/** So often a lost race with another writer of the tag is run again. */
const MAX_TRIES = 8;

/**
 * cosign's companion tags for a copy. Signatures and attestations that the target has under a tag
 * stay, and those of the source are added as they are, proofs included; an SBOM is one document, and
 * the copied one takes its place.
 */
export const COMPANIONS: Companions = { tags: companionTags, join: joinCompanion };

/**
 * Adds the layers of `added` to those under `tag`. What was written is read back, and joined again
 * when another writer came between. Throws `cosign-legacy.malformed` when either is an index, and
 * `registry.referrer-lost` when the layers are not all there in the end.
 */
async function joinCompanion(
  target: ArtifactTarget,
  tag: string,
  added: StoredManifest,
  options: CallOptions,
): Promise<'kept' | 'joined' | 'replace'> {
  if (parseCompanionTag(tag)?.kind === 'sbom') return 'replace';
  const layers = layersOf(added, tag);
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const present = await layersUnder(target, tag, options);
    const missing = layers.filter((layer) => !present.some((other) => isSame(layer, other)));
    if (missing.length === 0) return attempt === 0 ? 'kept' : 'joined';
    const isWhole = present.every((layer) => layers.some((other) => isSame(layer, other)));
    const manifest = isWhole ? added : await merge(target, [...present, ...missing], options);
    await target.putManifest(manifest, { ...options, tag });
    const now = await layersUnder(target, tag, options);
    const wanted = [...present, ...missing];
    if (wanted.every((layer) => now.some((other) => isSame(layer, other)))) return 'joined';
  }
  throw new TrustFault(
    'registry.referrer-lost',
    `the copied signatures were not under ${target.name}:${tag} after ${MAX_TRIES} tries`,
  );
}

function layersOf(stored: StoredManifest, tag: string): readonly Descriptor[] {
  const manifest = parseManifest(stored);
  if (manifest.kind === 'image') return manifest.layers;
  throw new TrustFault('cosign-legacy.malformed', `expected a manifest with layers under ${tag}`);
}

async function merge(
  target: ArtifactTarget,
  layers: readonly Descriptor[],
  options: CallOptions,
): Promise<Omit<StoredManifest, 'digest'>> {
  const { bytes, config } = buildLegacyManifest(layers);
  await target.putBlob({ digest: computeDigest(config), size: config.length }, config, options);
  return { bytes, mediaType: MEDIA_TYPES.ociManifest };
}

/** The same content with the same signature and the same proofs of it. */
function isSame(a: Descriptor, b: Descriptor): boolean {
  const [first, second] = [Object.entries(a.annotations ?? {}), b.annotations ?? {}];
  return (
    a.digest === b.digest &&
    first.length === Object.keys(second).length &&
    first.every(([name, value]) => second[name] === value)
  );
}
