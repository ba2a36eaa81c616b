import { hasCode } from '@bulla/trust/fault/fault';
import { blobSize } from './blobs.ts';
import type { Ground } from './ground.ts';
import { contentName } from './keys.ts';
import type { MaterialView } from './material.ts';
import { isUpstream, type Place } from './place.ts';
import type { Upstreams } from './upstream/open.ts';

/** What the judge of signature material sees of a place: what an upstream has is fetched for it. */
export function materialView(
  { ground, upstreams }: { readonly ground: Ground; readonly upstreams: Upstreams },
  place: Place,
): MaterialView {
  return {
    async head({ digest, size }, length) {
      if (isUpstream(place)) {
        // The digest is checked on the way, so what is looked at is what will be served.
        const isThere = await unlessUnknown(upstreams.blobs.store(place, { digest, size }));
        if (!isThere) return null;
      }
      const stored = await blobSize(ground, place.key, digest);
      if (stored === null) return null;
      const range = { from: 0, length: Math.min(length, stored) };
      const bytes = await ground.objects.bytes(contentName(digest), range);
      return bytes && { size: stored, bytes };
    },
    child: (digest) =>
      isUpstream(place)
        ? upstreams.manifest(place, digest)
        : ground.contents.load(place.key, digest),
  };
}

async function unlessUnknown(storing: Promise<void>): Promise<boolean> {
  try {
    await storing;
    return true;
  } catch (error) {
    if (hasCode(error, 'gateway.blob-unknown')) return false;
    throw error;
  }
}
