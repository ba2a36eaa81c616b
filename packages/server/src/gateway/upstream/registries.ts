import type { RegistryOptions } from '@bulla/trust/oci/registry/options';
import { openRegistryStore } from '@bulla/trust/oci/registry/registry-store';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import { openRecent } from '../../bounds/recent.ts';
import type { PlaceUpstream } from '../place.ts';
import type { UpstreamConfig } from './config.ts';

/** The repository of an upstream, as a source; stores of one prefix share connections and tokens. */
export type OpenUpstream = (upstream: PlaceUpstream) => ArtifactSource;

const STORES_MOST = 1000;
// A folder that cannot be: a server uses the credentials of its configuration, and never those that
// lie in the home of whoever started it.
const NO_FOLDER = '/dev/null';

/** Opens repositories of upstreams by the library's client, with the bounds of semantics 19. */
export function upstreamOpener(): OpenUpstream {
  const options = new Map<UpstreamConfig, RegistryOptions>();
  const stores = openRecent<ArtifactSource>(STORES_MOST);
  return ({ config, registry, repository }) => {
    const key = `${config.prefix} ${registry}/${repository}`;
    const known = stores.get(key);
    if (known !== undefined) return known;
    const shared = options.get(config) ?? optionsOf(config);
    options.set(config, shared);
    const store = openRegistryStore({ kind: 'registry', registry, repository }, shared);
    stores.set(key, store);
    return store;
  };
}

function optionsOf(config: UpstreamConfig): RegistryOptions {
  const { credentials, plainHttp, caFile, privateAddresses, ownHosts, timeoutMs } = config;
  return {
    env: { DOCKER_CONFIG: NO_FOLDER, XDG_CONFIG_HOME: NO_FOLDER },
    homeFolder: NO_FOLDER,
    plainHttp,
    privateEndpoint: privateAddresses,
    ownHosts,
    timeoutMs,
    userAgent: 'bulla-gateway',
    ...(caFile === null ? {} : { caFile }),
    ...credentialsOf(credentials),
  };
}

function credentialsOf(credentials: UpstreamConfig['credentials']) {
  if (credentials === null) return {};
  if (credentials.kind === 'registry-token') return { token: credentials.token };
  return { username: credentials.username, password: credentials.password };
}
