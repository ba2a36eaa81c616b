import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { parseReference } from '@bulla/trust/oci/reference';
import { type NameAlias, nameReader } from '@bulla/trust/policy/names';
import { readUpstreamKey, upstreamKey } from './keys.ts';
import { canonicalRegistry, checkUpstreams, type UpstreamConfig } from './upstream/config.ts';

/** A repository, by all its names. */
export interface Place {
  /** As clients ask for it. */
  readonly name: string;
  /** In cells. */
  readonly key: string;
  /** `registry/repository`, by which policies match (semantics 7). */
  readonly canonical: string;
  /** Where its content comes from; null for a repository of this registry. */
  readonly upstream: PlaceUpstream | null;
}

/** The repository of an upstream behind a place. */
export interface PlaceUpstream {
  readonly config: UpstreamConfig;
  /** Canonical. */
  readonly registry: string;
  readonly repository: string;
}

/** A place whose content comes from an upstream. */
export type UpstreamPlace = Place & { readonly upstream: PlaceUpstream };

/** Whether a place's content comes from an upstream. */
export function isUpstream(place: Place): place is UpstreamPlace {
  return place.upstream !== null;
}

/** Maps names to places, by the prefixes of the configuration; the longest prefix decides. */
export interface Places {
  /** The place of a checked repository name. */
  locate(name: string): Place;
  /** The name by which clients ask for what cells call `key`; null when no prefix leads there. */
  nameOf(key: string): string | null;
  /** The place of a key; null as above. */
  ofKey(key: string): Place | null;
  /**
   * The place of a canonical `registry/repository`: of this registry, or of an upstream by whichever
   * name; null for what lies elsewhere.
   */
  ofCanonical(registry: string, repository: string): Place | null;
}

/** What the places of a registry are made of. */
export interface PlacesConfig {
  /** The registry's own host. */
  readonly registry: string;
  readonly upstreams: readonly UpstreamConfig[];
  /** Mirrors, and whose names stand for theirs in policies (semantics 7). */
  readonly aliases: readonly NameAlias[];
}

/** The places of a registry. Throws `upstream.config-invalid`, and `usage.invalid` for an alias. */
export function placesOf({ registry, upstreams, aliases }: PlacesConfig): Places {
  checkUpstreams(upstreams);
  const own = canonicalRegistry(registry);
  if (own === null) {
    const found = quote(registry);
    throw new TrustFault('upstream.config-invalid', `expected HOST or HOST:PORT, found ${found}`);
  }
  const readName = nameReader(aliases);
  const canonicalOf = (host: string, repository: string) =>
    readName({ kind: 'registry', registry: host, repository });
  const longestFirst = upstreams.toSorted((one, other) => other.prefix.length - one.prefix.length);
  const locate = (name: string): Place => {
    const config = longestFirst.find(({ prefix }) => name.startsWith(`${prefix}/`));
    if (config === undefined) {
      return { name, key: name, canonical: canonicalOf(own, name), upstream: null };
    }
    const upstream = upstreamOf(name, config);
    return {
      name,
      key: upstreamKey(upstream.registry, upstream.repository),
      canonical: canonicalOf(upstream.registry, upstream.repository),
      upstream,
    };
  };
  const nameOf = (key: string): string | null => {
    const upstream = readUpstreamKey(key);
    if (upstream === null) {
      // What was pushed here before a prefix took its name is not reachable by it any more.
      return longestFirst.some(({ prefix }) => key.startsWith(`${prefix}/`)) ? null : key;
    }
    const config = longestFirst.find(
      (one) => canonicalRegistry(one.registry) === upstream.registry,
    );
    if (config === undefined) return null;
    const name = `${config.prefix}/${upstream.repository}`;
    // A longer prefix may take this very name to another registry.
    return locate(name).key === key ? name : null;
  };
  const ofKey = (key: string): Place | null => {
    const name = nameOf(key);
    return name === null ? null : locate(name);
  };
  return {
    locate,
    nameOf,
    ofKey,
    ofCanonical: (registry, repository) =>
      registry === own ? locate(repository) : ofKey(upstreamKey(registry, repository)),
  };
}

function upstreamOf(name: string, config: UpstreamConfig): PlaceUpstream {
  const rest = name.slice(config.prefix.length + 1);
  const reference = parseReference(`${config.registry}/${rest}`);
  if (reference.kind !== 'registry') {
    throw new TrustFault('gateway.name-invalid', `expected a repository, found ${quote(name)}`);
  }
  const { registry, repository } = reference;
  return { config, registry, repository };
}
