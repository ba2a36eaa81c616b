import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { parseReference } from '@bulla/trust/oci/reference';
import { REGISTRY_CONNECTION, type RegistryConnection } from '../../registries/connection.ts';
import { repositoryName } from '../names.ts';

/** Who may pull below a prefix, beside the right to the repository itself. */
export type UpstreamUsers =
  /** Whoever may pull the repository, nobody's name asked. */
  | 'anyone'
  /** Whoever proved who they are. */
  | 'signed-in'
  /** These, by the id or the name of a user, who stands for their tokens as well, or of a token. */
  | readonly string[];

/** A registry that is pulled through the gateway: `PREFIX/rest` here is `REGISTRY/rest` there. */
export interface UpstreamConfig extends RegistryConnection {
  /** One or more components of a repository name. */
  readonly prefix: string;
  /** `HOST` or `HOST:PORT`; `docker.io` for Docker Hub. */
  readonly registry: string;
  readonly users: UpstreamUsers;
}

/** What holds where nothing else is configured; with credentials, `users` must be said. */
export const UPSTREAM_CONFIG = {
  ...REGISTRY_CONNECTION,
  users: 'anyone',
} as const satisfies Omit<UpstreamConfig, 'prefix' | 'registry'>;

/**
 * Throws `upstream.config-invalid` for a prefix that is no repository name or is given twice, a
 * registry that is no host, and credentials that would serve callers whom nobody knows (semantics
 * 19).
 */
export function checkUpstreams(upstreams: readonly UpstreamConfig[]): void {
  const seen = new Set<string>();
  for (const { prefix, registry, credentials, users } of upstreams) {
    try {
      repositoryName(prefix);
    } catch (cause) {
      throw invalid(`expected a prefix like "hub", found ${quote(prefix)}`, cause);
    }
    if (seen.has(prefix)) throw invalid(`the prefix ${quote(prefix)} is given twice`);
    seen.add(prefix);
    if (canonicalRegistry(registry) === null) {
      throw invalid(`expected a registry as HOST or HOST:PORT, found ${quote(registry)}`);
    }
    if (credentials !== null && users === 'anyone') {
      throw invalid(`the credentials of ${quote(prefix)} would serve callers whom nobody knows`);
    }
  }
}

/** A registry's canonical name, or null for what is no host (semantics 7). */
export function canonicalRegistry(registry: string): string | null {
  if (registry.includes('/')) return null;
  try {
    const reference = parseReference(`${registry}/a/b`);
    return reference.kind === 'registry' && reference.repository === 'a/b'
      ? reference.registry
      : null;
  } catch (error) {
    if (error instanceof TrustFault) return null;
    throw error;
  }
}

function invalid(message: string, cause?: unknown): TrustFault {
  return new TrustFault('upstream.config-invalid', message, undefined, { cause });
}
