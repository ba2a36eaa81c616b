import { printable, TrustFault } from '../fault/fault.ts';
import { computeDigest, type Digest, isDigest } from '../oci/digest.ts';
import type { ArtifactSource, CallOptions, StoredManifest } from '../oci/store.ts';

/**
 * The manifest behind a tag or a digest, with the digest of these very bytes (semantics 5): a
 * source that answers with another one than was asked for gives `registry.digest-mismatch`. Null
 * when the source answered and lacks it; throws the source's faults.
 */
export async function fetchManifest(
  source: Pick<ArtifactSource, 'name' | 'manifest'>,
  tagOrDigest: string,
  options: CallOptions,
): Promise<StoredManifest | null> {
  const stored = await source.manifest(tagOrDigest, options);
  if (stored === null) return null;
  const wanted: Digest = isDigest(tagOrDigest) ? tagOrDigest : stored.digest;
  const found = computeDigest(stored.bytes, wanted);
  if (found === wanted) return { ...stored, digest: wanted };
  throw new TrustFault(
    'registry.digest-mismatch',
    `${source.name}: expected ${wanted} for ${printable(tagOrDigest)}, found content of digest ${found}`,
  );
}
