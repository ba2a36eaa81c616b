import type { Descriptor } from '@bulla/trust/oci/descriptor';
import type { Digest } from '@bulla/trust/oci/digest';
import { openRecent } from '../../bounds/recent.ts';
import { singleFlight } from '../../bounds/single-flight.ts';
import type { Ground } from '../ground.ts';
import type { Place, UpstreamPlace } from '../place.ts';
import { upstreamFault } from './faults.ts';
import type { OpenUpstream } from './registries.ts';

/** What an upstream lists: referrers, whether or not it has the API for them, and tags. */
export interface UpstreamLists {
  /** In the order of their digests, each once. Throws `upstream.*`. */
  referrers(place: UpstreamPlace, subject: Digest): Promise<readonly Descriptor[]>;
  /** Sorted. Throws `upstream.*`. */
  tags(place: UpstreamPlace): Promise<readonly string[]>;
}

const LISTS_MOST = 1000;

interface Kept<T> {
  readonly askedAt: number;
  readonly list: readonly T[];
}

/** Lists as old as answers about tags may be, so that the pages of one list are of one answer. */
export function upstreamLists(ground: Ground, open: OpenUpstream): UpstreamLists {
  const referrers = fresh<Descriptor>(ground);
  const tags = fresh<string>(ground);
  return {
    referrers: (place, subject) =>
      referrers(place, `${place.key}@${subject}`, async () => {
        const { descriptors } = await open(place.upstream).referrers(subject);
        const once = new Map(descriptors.map((one) => [one.digest, one] as const));
        return [...once.values()].sort((one, other) => (one.digest < other.digest ? -1 : 1));
      }),
    tags: (place) => tags(place, place.key, () => open(place.upstream).tags()),
  };
}

function fresh<T>({ clock, config }: Ground) {
  const recent = openRecent<Kept<T>>(LISTS_MOST);
  const flight = singleFlight<readonly T[]>();
  return async (place: Place, key: string, ask: () => Promise<readonly T[]>) => {
    const known = recent.get(key);
    const age = known === undefined ? -1 : clock().getTime() - known.askedAt;
    if (known !== undefined && age >= 0 && age < config.tagFreshnessMs) return known.list;
    return flight(key, async () => {
      const askedAt = clock().getTime();
      try {
        const list = await ask();
        recent.set(key, { askedAt, list });
        return list;
      } catch (error) {
        throw upstreamFault(error, place);
      }
    });
  };
}
