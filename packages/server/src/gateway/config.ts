import type { NameAlias } from '@bulla/trust/policy/names';
import type { UpstreamConfig } from './upstream/config.ts';

/** How one registry behaves. */
export interface GatewayConfig {
  /** The registry's own canonical host, `HOST` or `HOST:PORT`: policies match local images by it. */
  readonly registry: string;
  /** Registries that are pulled through, by prefix. */
  readonly upstreams: readonly UpstreamConfig[];
  /** Mirrors and other names of registries, by which policies know them (semantics 7). */
  readonly aliases: readonly NameAlias[];
  /** Whether the referrers API answers; without it clients use the fallback tag. */
  readonly referrers: boolean;
  /** The largest blob, in bytes. */
  readonly maxBlobBytes: number;
  /** The largest manifest, in bytes. The specification wants at least 4 MiB to be accepted. */
  readonly maxManifestBytes: number;
  /** Most entries of one page of tags, repositories or referrers. */
  readonly pageEntries: number;
  /** Most bytes of one page of referrers; clients read an index of at most 4 MiB. */
  readonly pageBytes: number;
  /** How long content that no repository refers to any more stays. */
  readonly graceMs: number;
  /** How long an upload may lie without a new byte. */
  readonly uploadMs: number;
  /**
   * How long manifests that no tag, kept index or kept subject leads to stay, and blobs that no
   * manifest lists; null: for ever.
   */
  readonly untaggedMs: number | null;
  /** How long content of an upstream stays after it was last used; null: for ever. */
  readonly cachedMs: number | null;
  /** Most bytes of manifests in memory. */
  readonly hotBytes: number;
  /** How long a manifest in memory is served before its record is looked at again. */
  readonly hotMs: number;
  /** How old an answer about an upstream's tag may be. */
  readonly tagFreshnessMs: number;
}

/** What holds where nothing else is configured. */
export const GATEWAY_CONFIG: GatewayConfig = {
  registry: 'localhost',
  upstreams: [],
  aliases: [],
  referrers: true,
  maxBlobBytes: 64 * 2 ** 30,
  maxManifestBytes: 4 << 20,
  pageEntries: 10_000,
  pageBytes: 4_000_000,
  graceMs: 24 * 3600_000,
  uploadMs: 24 * 3600_000,
  untaggedMs: null,
  cachedMs: 30 * 24 * 3600_000,
  hotBytes: 16 << 20,
  hotMs: 5_000,
  tagFreshnessMs: 5_000,
};
