import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { Ground } from './ground.ts';
import { KEYS, repositoryOfKey } from './keys.ts';
import { isUpstream, type Place, type Places } from './place.ts';
import type { PullParts } from './pull.ts';
import { listReferrers, pageOf, type ReferrersAsk, type ReferrersPage } from './referrers.ts';
import { listTags, type NamesPage, type PageQuery } from './tags.ts';

/**
 * A page of a subject's referrers, of this registry or of an upstream, for which the API is answered
 * whether or not the upstream has it. Throws `gateway.referrers-off`, `upstream.*`.
 */
export async function placeReferrers(
  { ground, upstreams }: PullParts,
  place: Place,
  subject: Digest,
  ask: ReferrersAsk,
): Promise<ReferrersPage> {
  if (!isUpstream(place)) return listReferrers(ground, place.key, subject, ask);
  if (!ground.config.referrers) {
    throw new TrustFault('gateway.referrers-off', 'the referrers API is off');
  }
  return pageOf(ground, await upstreams.lists.referrers(place, subject), ask);
}

/** A page of a repository's tags. Throws `gateway.name-unknown`, `upstream.*`. */
export async function placeTags(
  { ground, upstreams }: PullParts,
  place: Place,
  query: PageQuery,
): Promise<NamesPage> {
  if (!isUpstream(place)) return listTags(ground, place.key, query);
  return pageOfNames(ground, await upstreams.lists.tags(place), query);
}

/**
 * A page of the repositories that the caller may pull: those of this registry, and those of upstreams
 * of which something was pulled. Sorted by the names that clients ask for.
 */
export async function listCatalog(
  ground: Ground,
  places: Places,
  query: PageQuery,
  may: (repository: string) => boolean,
): Promise<NamesPage> {
  const keys = await ground.registers.list(KEYS.repositories);
  const names = keys.flatMap((key) => {
    const name = places.nameOf(repositoryOfKey(key));
    return name !== null && may(name) ? [name] : [];
  });
  return pageOfNames(ground, names.sort(), query);
}

function pageOfNames(
  { config }: Pick<Ground, 'config'>,
  sorted: readonly string[],
  { n, last }: PageQuery,
): NamesPage {
  const limit = Math.min(n ?? config.pageEntries, config.pageEntries);
  // distribution-spec, "Listing Tags": for n = 0 an empty list, and no Link.
  if (limit === 0) return { names: [], more: false };
  const rest = last === undefined ? sorted : sorted.filter((name) => name > last);
  return { names: rest.slice(0, limit), more: rest.length > limit };
}
