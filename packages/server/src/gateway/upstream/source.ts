import { computeDigest, isDigest } from '@bulla/trust/oci/digest';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { Ground } from '../ground.ts';
import { contentName } from '../keys.ts';
import type { UpstreamPlace } from '../place.ts';
import type { OpenUpstream } from './registries.ts';

/**
 * An upstream's repository as the library looks for evidence in it: manifests by digest and blobs
 * from our own store where they lie there already, everything that can change from the upstream.
 * Faults stay the library's own, which tell an outage from what a publisher caused.
 */
export function upstreamSource(
  ground: Ground,
  open: OpenUpstream,
  place: UpstreamPlace,
): ArtifactSource {
  const upstream = open(place.upstream);
  return {
    ...upstream,
    name: place.canonical,
    async manifest(tagOrDigest, options) {
      if (!isDigest(tagOrDigest)) return upstream.manifest(tagOrDigest, options);
      const known = await ground.contents.load(place.key, tagOrDigest);
      if (known === null) return upstream.manifest(tagOrDigest, options);
      return { bytes: known.bytes, mediaType: known.record.mediaType, digest: known.digest };
    },
    async blob(descriptor, options) {
      const { digest, size } = descriptor;
      const name = contentName(digest);
      const stat = await ground.objects.stat(name);
      if (stat?.sizeBytes !== size || size > (options?.maxBytes ?? SMALL_BYTES)) {
        return upstream.blob(descriptor, options);
      }
      const bytes = await ground.objects.bytes(name);
      const isWhole = bytes !== null && computeDigest(bytes, digest) === digest;
      return isWhole ? bytes : upstream.blob(descriptor, options);
    },
  };
}

const SMALL_BYTES = 32 << 20;
