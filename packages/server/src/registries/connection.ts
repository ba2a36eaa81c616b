import type { Credentials, RegistryOptions } from '@bulla/trust/oci/registry/options';

/** Credentials that a configuration or a caller can give. */
export type GivenCredentials = Extract<
  Credentials,
  { readonly kind: 'password' | 'registry-token' }
>;

/** How one registry is reached. */
export interface RegistryConnection {
  /** Null: ask without. */
  readonly credentials: GivenCredentials | null;
  readonly plainHttp: boolean;
  /** PEM file of certificate authorities, beside the system's own; null: the system's only. */
  readonly caFile: string | null;
  /** Whether the registry's own host may be at a loopback, private or link-local address. */
  readonly privateAddresses: boolean;
  /** Further hosts of the registry: token services that may see its credentials, and its storage. */
  readonly ownHosts: readonly string[];
  /** Longest silence of the registry, in milliseconds. */
  readonly timeoutMs: number;
}

/** What holds where nothing else is configured: TLS, public addresses, nobody's name. */
export const REGISTRY_CONNECTION = {
  credentials: null,
  plainHttp: false,
  caFile: null,
  privateAddresses: false,
  ownHosts: [],
  timeoutMs: 15_000,
} as const satisfies RegistryConnection;

// A folder that cannot be: a server uses the credentials of its configuration, and never those that
// lie in the home of whoever started it.
const NO_FOLDER = '/dev/null';

/**
 * The options of the library's client within the bounds of semantics 19. Each call gives other
 * options, and those share no connection, token or credential with each other.
 */
export function registryOptions(
  connection: RegistryConnection,
  userAgent: string,
): RegistryOptions {
  const { credentials, plainHttp, caFile, privateAddresses, ownHosts, timeoutMs } = connection;
  return {
    env: { DOCKER_CONFIG: NO_FOLDER, XDG_CONFIG_HOME: NO_FOLDER },
    homeFolder: NO_FOLDER,
    plainHttp,
    privateEndpoint: privateAddresses,
    ownHosts,
    timeoutMs,
    userAgent,
    ...(caFile === null ? {} : { caFile }),
    ...credentialsOf(credentials),
  };
}

function credentialsOf(credentials: GivenCredentials | null) {
  if (credentials === null) return {};
  if (credentials.kind === 'registry-token') return { token: credentials.token };
  return { username: credentials.username, password: credentials.password };
}
