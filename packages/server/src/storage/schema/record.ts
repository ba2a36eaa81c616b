/** The one row of the chain's end; who adds to the record holds it. */
export interface RecordHeadRow {
  readonly id: number;
  /** Raised by every writer first: that takes the row's lock on every database. */
  readonly turn: number;
  readonly seq: number;
  /** SHA-256 of the last entry, hex; zeroes before the first. */
  readonly hash: string;
}

/** One entry of the chain. `body` is canonical JSON (RFC 8785) and is what was hashed. */
export interface RecordEntryRow {
  readonly seq: number;
  readonly kind: string;
  /** The decision's id; null for entries that are no decision. */
  readonly id: string | null;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Hash of the entry before, hex. */
  readonly previous: string;
  readonly hash: string;
  readonly body: string;
  readonly effect: string | null;
  readonly surface: string | null;
  readonly tag: string | null;
  /** Digest of the stored evidence. */
  readonly dossier: string | null;
}

/** A value of an entry that has several: policies, codes, digests, prefixes of the repository. */
export interface RecordTermRow {
  readonly kind: string;
  readonly value: string;
  readonly seq: number;
}

/** How often a decision was used again, as the entry `seq` counts it. */
export interface RecordRepeatRow {
  readonly decision_id: string;
  readonly seq: number;
  readonly count: number;
  readonly first_at: string;
  readonly last_at: string;
}

/** A signed head: a note over `seq` and its hash. */
export interface RecordSignedHeadRow {
  readonly seq: number;
  readonly at: string;
  readonly key_id: string;
  readonly note: string;
}

/** What retention removed, signed: a note over the last removed entry. Only the newest is kept. */
export interface RecordAnchorRow {
  readonly seq: number;
  readonly at: string;
  readonly note: string;
}

/** Tables of the record. */
export interface RecordTables {
  readonly record_head: RecordHeadRow;
  readonly record_entries: RecordEntryRow;
  readonly record_terms: RecordTermRow;
  readonly record_repeats: RecordRepeatRow;
  readonly record_signed_heads: RecordSignedHeadRow;
  readonly record_anchors: RecordAnchorRow;
}
