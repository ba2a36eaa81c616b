/** A person's or a service's way to prove who it is to a registry. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, which Docker calls identity token. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** A bearer token of the registry itself, sent as it is. */
  | { readonly kind: 'registry-token'; readonly token: string };

/**
 * What a registry client takes from the outside. One object per process or request scope: stores
 * opened with the same object share connections, tokens and credentials.
 */
export interface RegistryOptions {
  /** The process environment: `PATH`, `DOCKER_CONFIG`, `REGISTRY_AUTH_FILE`, `XDG_RUNTIME_DIR`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder, for `.docker/config.json`. */
  readonly homeFolder: string;
  /**
   * Plain HTTP: absent, for loopback only, and not when `caFile` or `certFile` is given; true, for every
   * registry; false, for none.
   */
  readonly plainHttp?: boolean;
  /** PEM file of certificate authorities, beside the system's own. */
  readonly caFile?: string;
  /** PEM file of the client certificate, and of its key, for mutual TLS. */
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly username?: string;
  readonly password?: string;
  /** A bearer token for the registry; takes the place of all other credentials. */
  readonly token?: string;
  /** Hosts of token services besides the registry's own that may see its credentials. */
  readonly tokenHosts?: Readonly<Record<string, readonly string[]>>;
  /**
   * Further hosts that belong to the registries at hand: token services that may see their
   * credentials, and storage or token services that may be at private addresses.
   */
  readonly ownHosts?: readonly string[];
  /**
   * Whether the registries' own hosts may be at private addresses: absent or true when a person named
   * them. False holds them to public addresses at each connection, as a server does with those that
   * its configuration names without saying so (semantics 19).
   */
  readonly privateEndpoint?: boolean;
  /** Longest silence, and longest time for a small answer, in milliseconds. Default 30 000. */
  readonly timeoutMs?: number;
  readonly userAgent?: string;
  /** Bytes of one chunk of an upload. Default 8 MiB. */
  readonly chunkBytes?: number;
  /** Called with the bytes of a blob that were sent or received since the last call. */
  readonly onProgress?: (event: TransferEvent) => void;
  /** The present instant in milliseconds, for the expiry of tokens. Default the system's clock. */
  readonly now?: () => number;
  /** A number in [0, 1), for the jitter of retries. Default `Math.random`. */
  readonly random?: () => number;
}

/** Bytes of one blob under way. */
export interface TransferEvent {
  readonly direction: 'sent' | 'received';
  readonly digest: string;
  readonly bytes: number;
}

export const DEFAULT_TIMEOUT_MS = 30_000;
export const DEFAULT_CHUNK_BYTES: number = 8 << 20;
