import { TrustFault } from '@bulla/trust/fault/fault';
import { checkedStream } from '@bulla/trust/oci/checked-stream';
import { computeDigest, type Digest, isDigest } from '@bulla/trust/oci/digest';
import { filterReferrers, REFERRERS_LIMIT } from '@bulla/trust/oci/referrer-list';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import { blobSize } from './blobs.ts';
import type { Ground } from './ground.ts';
import { contentName, KEYS } from './keys.ts';
import type { Place } from './place.ts';
import { descriptorOf, recordsAfter } from './referrers.ts';
import { readTagCell } from './tags.ts';

const SMALL_BYTES = 32 << 20;

/**
 * A repository of this registry as the library looks for evidence in it: from the store itself, not
 * over HTTP, so neither access control nor a decision stands between the policies and the signatures.
 * Referrers are found by their records, also while the API is switched off. Throws `storage.*`, and
 * `registry.digest-mismatch` for stored bytes that are not what they are kept as.
 */
export function localSource(ground: Ground, place: Place): ArtifactSource {
  const { key, canonical } = place;
  const digestOf = async (tagOrDigest: string): Promise<Digest | null> =>
    isDigest(tagOrDigest) ? tagOrDigest : readTagCell(ground, key, tagOrDigest);
  const load = async (tagOrDigest: string) => {
    const digest = await digestOf(tagOrDigest);
    return digest === null ? null : ground.contents.load(key, digest);
  };
  return {
    name: canonical,
    async resolve(tagOrDigest) {
      const found = await load(tagOrDigest);
      if (found === null) return null;
      const { digest, record } = found;
      return { mediaType: record.mediaType, digest, size: record.size };
    },
    async manifest(tagOrDigest) {
      const found = await load(tagOrDigest);
      if (found === null) return null;
      requireDigest(canonical, found.bytes, found.digest);
      return { bytes: found.bytes, mediaType: found.record.mediaType, digest: found.digest };
    },
    async blob({ digest, size }, { maxBytes = SMALL_BYTES } = {}) {
      const stored = await blobSize(ground, key, digest);
      if (stored === null) return null;
      // Readers count what they take by the descriptors: a blob that is larger would not be counted.
      if (stored !== size) {
        const says = `${canonical}: expected ${digest} of ${size} bytes, found one of ${stored}`;
        throw new TrustFault('registry.digest-mismatch', says);
      }
      if (size > maxBytes) {
        throw new TrustFault('registry.limit', `expected at most ${maxBytes} bytes of ${digest}`);
      }
      const bytes = await ground.objects.bytes(contentName(digest));
      if (bytes !== null) requireDigest(canonical, bytes, digest);
      return bytes;
    },
    async blobStream({ digest, size }) {
      if ((await blobSize(ground, key, digest)) === null) return null;
      const stream = await ground.objects.stream(contentName(digest));
      return stream && checkedStream(stream, { digest, size }, canonical);
    },
    async referrers(subject, query) {
      const descriptors = [];
      for await (const [digest, record] of recordsAfter(ground, key, subject, undefined)) {
        if (descriptors.length === REFERRERS_LIMIT) {
          const says = `${canonical}: more than ${REFERRERS_LIMIT} referrers of ${subject}`;
          throw new TrustFault('registry.limit', says);
        }
        descriptors.push(descriptorOf(digest, record));
      }
      return {
        descriptors: filterReferrers(descriptors, query?.artifactType),
        by: 'api',
        broken: [],
      };
    },
    async tags() {
      const prefix = KEYS.tags(key);
      return (await ground.registers.list(prefix)).map((cell) => cell.slice(prefix.length));
    },
  };
}

function requireDigest(where: string, bytes: Uint8Array, wanted: Digest): void {
  const found = computeDigest(bytes, wanted);
  if (found === wanted) return;
  throw new TrustFault(
    'registry.digest-mismatch',
    `${where}: expected ${wanted}, found content of digest ${found}`,
  );
}
