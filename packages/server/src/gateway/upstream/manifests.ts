import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { StoredManifest } from '@bulla/trust/oci/store';
import { singleFlight } from '../../bounds/single-flight.ts';
import type { Content } from '../contents.ts';
import type { Ground } from '../ground.ts';
import { keepManifest } from '../manifests.ts';
import { type PushedManifest, parseManifest } from '../parse.ts';
import type { Place, UpstreamPlace } from '../place.ts';
import { upstreamFault } from './faults.ts';
import type { OpenUpstream } from './registries.ts';

/**
 * The manifest of an upstream by its digest: from memory, from the store, or fetched, checked and
 * kept; null when the upstream answered and lacks it. Throws `upstream.*`, `storage.*`.
 */
export type FetchManifest = (place: UpstreamPlace, digest: Digest) => Promise<Content | null>;

/** Fetches manifests, each once for all who ask at the same time. */
export function upstreamManifests(ground: Ground, open: OpenUpstream): FetchManifest {
  const flight = singleFlight<Content | null>();
  return async (place, digest) => {
    const known = await ground.contents.load(place.key, digest);
    if (known !== null) return known;
    return flight(`${place.key}@${digest}`, async () => {
      const stored = await fetchStored(open, place, digest);
      if (stored === null) return null;
      const parsed = readStored(place, stored);
      // Whoever asks for it uses it: see `noteUse`.
      const record = { ...parsed.record, used: ground.clock().toISOString() };
      await keepManifest(ground, place.key, digest, { ...parsed, record }, stored.bytes);
      return { digest, record, bytes: stored.bytes, memo: {} };
    });
  };
}

async function fetchStored(
  open: OpenUpstream,
  place: UpstreamPlace,
  digest: Digest,
): Promise<StoredManifest | null> {
  try {
    // The library hashes what comes and refuses what has another digest.
    return await open(place.upstream).manifest(digest);
  } catch (error) {
    throw upstreamFault(error, place);
  }
}

const UNTYPED = ['', 'application/json', 'text/plain', 'application/octet-stream'];

function readStored(place: Place, { bytes, mediaType }: StoredManifest): PushedManifest {
  try {
    // A server that does not know the type leaves it to the document.
    return parseManifest(bytes, UNTYPED.includes(mediaType) ? null : mediaType);
  } catch (cause) {
    if (!(cause instanceof TrustFault)) throw cause;
    throw new TrustFault(
      'upstream.malformed',
      `${place.canonical}: the upstream sent no manifest that can be used`,
      undefined,
      { cause },
    );
  }
}
