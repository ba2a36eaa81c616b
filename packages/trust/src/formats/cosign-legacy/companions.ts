import { TrustFault } from '../../fault/fault.ts';
import type { Companions } from '../../oci/copy.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { parseManifest } from '../../oci/manifest.ts';
import type { ArtifactTarget, CallOptions, StoredManifest } from '../../oci/store.ts';
import { companionTags, parseCompanionTag } from './layer.ts';
import { addLayers } from './tag-writer.ts';

/**
 * cosign's companion tags for a copy. Signatures and attestations that the target has under a tag
 * stay, and those of the source are added as they are, proofs included (`addLayers`, whose faults it
 * throws); an SBOM is one document, and the copied one takes its place.
 */
export const COMPANIONS: Companions = { tags: companionTags, join: joinCompanion };

async function joinCompanion(
  target: ArtifactTarget,
  tag: string,
  whole: StoredManifest,
  options: CallOptions,
): Promise<'kept' | 'joined' | 'replace'> {
  if (parseCompanionTag(tag)?.kind === 'sbom') return 'replace';
  const manifest = parseManifest(whole);
  if (manifest.kind !== 'image') {
    throw new TrustFault('cosign-legacy.malformed', `expected a manifest with layers under ${tag}`);
  }
  const { isNew } = await addLayers(
    target,
    tag,
    { layers: manifest.layers, isSame, whole },
    options,
  );
  return isNew ? 'joined' : 'kept';
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
