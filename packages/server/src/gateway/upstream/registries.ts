import type { RegistryOptions } from '@bulla/trust/oci/registry/options';
import { openRegistryStore } from '@bulla/trust/oci/registry/registry-store';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import { openRecent } from '../../bounds/recent.ts';
import { registryOptions } from '../../registries/connection.ts';
import type { PlaceUpstream } from '../place.ts';
import type { UpstreamConfig } from './config.ts';

/** The repository of an upstream, as a source; stores of one prefix share connections and tokens. */
export type OpenUpstream = (upstream: PlaceUpstream) => ArtifactSource;

const STORES_MOST = 1000;

/** Opens repositories of upstreams by the library's client, with the bounds of semantics 19. */
export function upstreamOpener(): OpenUpstream {
  const options = new Map<UpstreamConfig, RegistryOptions>();
  const stores = openRecent<ArtifactSource>(STORES_MOST);
  return ({ config, registry, repository }) => {
    const key = `${config.prefix} ${registry}/${repository}`;
    const known = stores.get(key);
    if (known !== undefined) return known;
    const shared = options.get(config) ?? registryOptions(config, 'bulla-gateway');
    options.set(config, shared);
    const store = openRegistryStore({ kind: 'registry', registry, repository }, shared);
    stores.set(key, store);
    return store;
  };
}
