import type { ServerConfig, UpstreamEntry } from '../config/config.ts';
import type { UpstreamConfig } from '../gateway/upstream/config.ts';

/** The upstreams of the configuration as the gateway takes them. */
export function wireUpstreams(config: Pick<ServerConfig, 'gateway'>): readonly UpstreamConfig[] {
  return config.gateway.upstreams.map(upstreamOf);
}

function upstreamOf(entry: UpstreamEntry): UpstreamConfig {
  const { credentials, ca, ...rest } = entry;
  return {
    ...rest,
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
