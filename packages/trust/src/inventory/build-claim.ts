import { codeEntry } from '../fault/codes.ts';
import { asFault } from '../fault/fault.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { isRunnable, parseManifest } from '../oci/manifest.ts';
import type { ArtifactSource, CallOptions } from '../oci/store.ts';

/**
 * An attestation manifest that BuildKit put into an index (docs.docker.com, "Image attestation
 * storage"): unsigned statements about one child. Only a signature on the index covers it.
 */
export interface BuildClaim {
  readonly digest: Digest;
  /** The child that it says it is about; null when it names none. */
  readonly about: string | null;
  readonly predicateTypes: readonly string[];
  /** Why it could not be read; null when it could. */
  readonly problem: string | null;
}

const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
const PREDICATE_TYPE = 'in-toto.io/predicate-type';

/** Whether an entry of an index is such a manifest; what a node could run is none. */
export function isBuildClaim(entry: Descriptor): boolean {
  return entry.annotations?.[REFERENCE_TYPE] !== undefined && !isRunnable(entry);
}

/** The claims that an entry of an index leads to. Throws only what the source throws for outages. */
export async function readBuildClaim(
  source: ArtifactSource,
  entry: Descriptor,
  options: CallOptions,
): Promise<BuildClaim> {
  const base = { digest: entry.digest, about: entry.annotations?.[REFERENCE_DIGEST] ?? null };
  try {
    const stored = await source.manifest(entry.digest, options);
    if (stored === null) return { ...base, predicateTypes: [], problem: 'it is not there' };
    const manifest = parseManifest(stored);
    const layers = manifest.kind === 'image' ? manifest.layers : [];
    const types = layers.flatMap((layer) => layer.annotations?.[PREDICATE_TYPE] ?? []);
    return { ...base, predicateTypes: [...new Set(types)], problem: null };
  } catch (error) {
    const fault = asFault(error);
    if (codeEntry(fault.code).exit !== 1) throw fault;
    return { ...base, predicateTypes: [], problem: fault.message };
  }
}
