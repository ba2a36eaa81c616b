/** What a tag led to, since when, and until when it was last seen. */
export interface TagHistoryRow {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/** Tables of the gateway. */
export interface GatewayTables {
  readonly tag_history: TagHistoryRow;
}
