import type { ConnectionEntry, ServerConfig, UpstreamEntry } from '../config/config.ts';
import type { UpstreamConfig } from '../gateway/upstream/config.ts';
import type { RegistryConnection } from '../registries/connection.ts';

/** The upstreams of the configuration as the gateway takes them. */
export function wireUpstreams(config: Pick<ServerConfig, 'gateway'>): readonly UpstreamConfig[] {
  return config.gateway.upstreams.map(upstreamOf);
}

function upstreamOf(entry: UpstreamEntry): UpstreamConfig {
  const { prefix, registry, users } = entry;
  return { prefix, registry, users, ...connectionOf(entry) };
}

/** How an entry of the configuration says that its registry is reached. */
export function connectionOf(entry: ConnectionEntry): RegistryConnection {
  const { credentials, ca, plainHttp, privateAddresses, ownHosts, timeoutMs } = entry;
  return {
    plainHttp,
    privateAddresses,
    ownHosts,
    timeoutMs,
    caFile: ca,
    credentials:
      credentials === null
        ? null
        : {
            kind: 'password',
            username: credentials.username.reveal(),
            password: credentials.password.reveal(),
          },
  };
}
