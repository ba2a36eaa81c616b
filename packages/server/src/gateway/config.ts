/** How one registry behaves. */
export interface GatewayConfig {
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
}

/** What holds where nothing else is configured. */
export const GATEWAY_CONFIG: GatewayConfig = {
  referrers: true,
  maxBlobBytes: 64 * 2 ** 30,
  maxManifestBytes: 4 << 20,
  pageEntries: 10_000,
  pageBytes: 4_000_000,
  graceMs: 24 * 3600_000,
  uploadMs: 24 * 3600_000,
};
