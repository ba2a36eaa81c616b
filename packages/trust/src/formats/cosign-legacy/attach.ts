import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ArtifactTarget, CallOptions } from '../../oci/store.ts';
import type { LegacyLayer } from './build.ts';
import { ANNOTATIONS, companionTag } from './layer.ts';
import { addLayers } from './tag-writer.ts';

/**
 * Adds one layer to the subject's companion tag and keeps the layers of others (`addLayers`, whose
 * faults it throws). Resolves to the digest of the manifest under the tag.
 */
export async function attachLegacy(
  target: ArtifactTarget,
  subject: Digest,
  kind: 'sig' | 'att',
  layer: LegacyLayer,
  options: CallOptions = {},
): Promise<Digest> {
  await target.putBlob(layer.descriptor, layer.bytes, options);
  const added = { layers: [layer.descriptor], isSame: isSameSignature };
  const { digest } = await addLayers(target, companionTag(subject, kind), added, options);
  return digest;
}

/** Whatever proofs stand beside it: a signature that was made again is no second one. */
function isSameSignature(a: Descriptor, b: Descriptor): boolean {
  return (
    a.digest === b.digest &&
    a.annotations?.[ANNOTATIONS.signature] === b.annotations?.[ANNOTATIONS.signature]
  );
}
