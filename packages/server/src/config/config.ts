import type { NameAlias } from '@bulla/trust/policy/names';
import type { Secret } from './secret.ts';
import type { StreamEntry } from './streams.ts';

/** What a server can be made of; `only` names some of them. */
export const SERVICES = ['gateway', 'api', 'console', 'admission'] as const;

/** One part of the server that can run without the others. */
export type Service = (typeof SERVICES)[number];

/** The certificate of a listener; paths are absolute. */
export interface TlsConfig {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string | null;
  readonly clientAuth: 'required' | 'optional';
}

/** One address to listen on. */
export interface ListenConfig {
  /** `http://127.0.0.1:5000`, `https://0.0.0.0:5443`. */
  readonly url: string;
  /** Null with `https:` is a certificate of the local CA that the server makes. */
  readonly tls: TlsConfig | null;
}

/** Where rows and cells live. A URL may hold a password, so it is kept as a secret either way. */
export type TablesConfig =
  | 'embedded'
  | 'memory'
  | { readonly postgres: { readonly url: Secret; readonly poolSize: number } };

/** How a registry is reached. */
export interface ConnectionEntry {
  readonly credentials: { readonly username: Secret; readonly password: Secret } | null;
  readonly plainHttp: boolean;
  /** Whether the registry may be at a loopback, private or link-local address (semantics 19). */
  readonly privateAddresses: boolean;
  /** Further hosts of the registry: its token service and its storage. */
  readonly ownHosts: readonly string[];
  /** PEM file of authorities; null: the system's. */
  readonly ca: string | null;
  readonly timeoutMs: number;
}

/** A registry that is pulled through, by a prefix of the repository's name. */
export interface UpstreamEntry extends ConnectionEntry {
  readonly prefix: string;
  readonly registry: string;
  /** Whom the upstream, and with it the credentials, serves (semantics 19). */
  readonly users: 'anyone' | 'signed-in' | readonly string[];
}

/** A registry that clusters, nodes and hooks may ask about, by its own name. */
export interface RegistryEntry extends ConnectionEntry {
  readonly registry: string;
}

/** What sends push events. */
export const HOOK_KINDS = ['distribution', 'harbor', 'zot'] as const;

/** Who may tell of pushes to one registry; the token tells who it is. */
export interface HookSender {
  readonly kind: (typeof HOOK_KINDS)[number];
  readonly registry: string;
  readonly token: Secret;
}

export interface HooksSection {
  readonly senders: readonly HookSender[];
  /** Those for which admission is prepared, beside those that policies name. */
  readonly namespaces: readonly string[];
}

export interface GatewaySection {
  /** The local store's canonical host, by which policies match; null: that of the origin, else of the first address. */
  readonly name: string | null;
  readonly anonymousPull: boolean | 'loopback';
  readonly upstreams: readonly UpstreamEntry[];
  readonly tagFreshnessMs: number;
  /** The longest that a decision which admits is used again (semantics 14). */
  readonly cacheMaxAgeMs: number;
  readonly maxBlobBytes: number;
  readonly maxManifestBytes: number;
  /** How long content that nothing refers to stays. */
  readonly graceMs: number;
  /** How long manifests without a tag stay; null: for ever. */
  readonly untaggedMs: number | null;
  /** How long content of an upstream stays after it was last pulled; null: for ever. */
  readonly cachedMs: number | null;
}

export interface RecordSection {
  readonly headEveryMs: number;
  /** Null: for ever. */
  readonly retentionMs: number | null;
  /** How long the first entry of a group waits for others. */
  readonly groupMs: number;
}

export interface AccessSection {
  readonly sessionMs: number;
  readonly sessionIdleMs: number;
  readonly tokenMaxMs: number;
}

export interface LimitsSection {
  /** Of one caller. */
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Of one listener. */
  readonly connections: number;
  /** Of one remote address. */
  readonly connectionsPerCaller: number;
  readonly headerBytes: number;
  readonly drainMs: number;
}

/** How the server keeps the webhook's certificates itself. */
export interface KubernetesCertificates {
  /** Where `tls.crt` and `tls.key` are written, for a listener to name; of this replica alone. */
  readonly folder: string;
  /** The Service in `kubernetes.namespace` by which the API server calls. */
  readonly service: string;
  /** Further names and addresses, for configurations that call by a URL. */
  readonly names: readonly string[];
  /** The Secret, in the same namespace, that the replicas share. */
  readonly secret: string;
  readonly keyType: 'ecdsa' | 'rsa';
  /** Names of the webhook configurations and Gatekeeper providers whose `caBundle` is kept. */
  readonly mutating: readonly string[];
  readonly validating: readonly string[];
  readonly providers: readonly string[];
  readonly checkEveryMs: number;
}

/** The cluster that the server reads policies and pull secrets from. */
export interface KubernetesSection {
  /** Null: the service account of the Pod that the server runs in. */
  readonly kubeconfig: string | null;
  /** Null: the kubeconfig's current one. */
  readonly context: string | null;
  /** The server's own namespace; null: that of the service account or the context. */
  readonly namespace: string | null;
  /** Whether the cluster's TrustPolicy objects are policies of this server. */
  readonly policies: boolean;
  /** Whether its ClusterImagePolicy objects (policy.sigstore.dev) are as well. */
  readonly clusterImagePolicies: boolean;
  /** How long the watch may be lost before the server is not ready. */
  readonly notReadyAfterMs: number;
  /** Null: certificates come from elsewhere. */
  readonly certificates: KubernetesCertificates | null;
}

/** The provider of external data for Gatekeeper; paths are absolute. */
export interface GatekeeperSection {
  /** `https://0.0.0.0:8444`; TLS 1.3 alone is spoken there. */
  readonly listen: string;
  readonly certificate: string;
  readonly key: string;
  /** The authority of Gatekeeper's own certificate, which it shows as a client. */
  readonly clientCa: string;
  /** What mutators put in the place of an image. */
  readonly reference: 'tag-and-digest' | 'digest';
  readonly deadlineMs: number;
}

/** Where a cluster's own kinds keep images, by paths such as `spec.steps[*].image`. */
export interface KindEntry {
  /** Without the version. */
  readonly group: string;
  readonly kind: string;
  readonly podTemplates: readonly string[];
  readonly images: readonly string[];
}

/** Kubernetes' webhook, on a TLS port of its own; paths are absolute. */
export interface AdmissionSection {
  /** `https://0.0.0.0:8443`. */
  readonly listen: string;
  readonly certificate: string;
  readonly key: string;
  /** The authority of the API server's certificate; null: none is asked for. */
  readonly clientCa: string | null;
  /** What the record calls the cluster. */
  readonly cluster: string | null;
  /** What takes the place of a tag. */
  readonly pin: 'tag-and-digest' | 'digest' | 'none';
  readonly nodesPullThrough: boolean;
  /** Globs; null: every namespace. */
  readonly namespaces: readonly string[] | null;
  readonly exempt: readonly {
    readonly namespace: string;
    /** Globs of canonical names; null: every image. */
    readonly images: readonly string[] | null;
  }[];
  readonly kinds: readonly KindEntry[];
  readonly marginMs: number;
  readonly maxBodyBytes: number;
  readonly denials: 'bulla' | 'policy-controller';
}

export type LogLevelName = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** `bulla.yaml`, checked and with its defaults filled in; paths are absolute. */
export interface ServerConfig {
  readonly data: string;
  readonly listen: readonly ListenConfig[];
  /** What clients call this server, `https://bulla.example`; null: what each request says. */
  readonly origin: string | null;
  readonly storage: {
    readonly tables: TablesConfig;
    /** Null: within `data`. Not with tables in memory: then objects are there as well. */
    readonly objects: { readonly folder: string | null };
  };
  readonly policies: readonly string[];
  readonly trustRoots: Readonly<Record<string, { readonly file: string }>>;
  /** Which tier this server serves, for policies that name some. */
  readonly environment: string | null;
  /** Mirrors, and other names of registries (semantics 7). */
  readonly aliases: readonly NameAlias[];
  readonly gateway: GatewaySection;
  readonly registries: readonly RegistryEntry[];
  readonly hooks: HooksSection;
  readonly record: RecordSection;
  /** Receivers of the record. */
  readonly streams: readonly StreamEntry[];
  readonly access: AccessSection;
  readonly limits: LimitsSection;
  /** Null: the server knows no cluster. */
  readonly kubernetes: KubernetesSection | null;
  /** Null: nothing listens for Gatekeeper. */
  readonly gatekeeper: GatekeeperSection | null;
  /** Null: no cluster asks. */
  readonly admission: AdmissionSection | null;
  readonly log: { readonly level: LogLevelName };
  readonly telemetry: { readonly otlpEndpoint: string } | null;
  readonly metrics: { readonly token: Secret | null };
  readonly only: readonly Service[];
}

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * What holds where nothing is configured. Each is the safe choice: loopback only, no anonymous push,
 * no upstream, no telemetry. `data` is relative to the configuration's folder.
 */
export const CONFIG_DEFAULTS = {
  data: 'bulla-data',
  listen: [
    { url: 'http://127.0.0.1:5000', tls: null },
    { url: 'https://127.0.0.1:5443', tls: null },
  ],
  origin: null,
  storage: { tables: 'embedded', objects: { folder: null } },
  policies: [],
  trustRoots: {},
  environment: null,
  aliases: [],
  gateway: {
    name: null,
    anonymousPull: 'loopback',
    upstreams: [],
    tagFreshnessMs: 5 * SECOND_MS,
    cacheMaxAgeMs: HOUR_MS,
    maxBlobBytes: 64 * 2 ** 30,
    maxManifestBytes: 4 << 20,
    graceMs: DAY_MS,
    untaggedMs: null,
    cachedMs: 30 * DAY_MS,
  },
  registries: [],
  hooks: { senders: [], namespaces: [] },
  record: { headEveryMs: 60 * SECOND_MS, retentionMs: 365 * DAY_MS, groupMs: 2 },
  streams: [],
  access: { sessionMs: 12 * HOUR_MS, sessionIdleMs: 2 * HOUR_MS, tokenMaxMs: 366 * DAY_MS },
  limits: {
    requestsPerSecond: 1000,
    burst: 5000,
    connections: 4096,
    connectionsPerCaller: 1024,
    headerBytes: 32 << 10,
    drainMs: 10 * SECOND_MS,
  },
  kubernetes: null,
  gatekeeper: null,
  admission: null,
  log: { level: 'info' },
  telemetry: null,
  metrics: { token: null },
  only: SERVICES,
} as const satisfies ServerConfig;
