/** A digest to which a tag led, since when, and until when it was last seen. */
export interface TagHistoryRow {
  /** Canonical `registry/repository`. */
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  /** ISO 8601 in UTC with milliseconds; no two digests of one tag have the same. */
  readonly first_seen: string;
  /** Coarse: it may be up to an hour behind. */
  readonly last_seen: string;
}

/** Tables of the gateway. */
export interface GatewayTables {
  readonly tag_history: TagHistoryRow;
}
