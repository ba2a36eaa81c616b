/** Something of the record that a receiver did not take. Times are ISO 8601 in UTC. */
export interface StreamDeadLetterRow {
  readonly stream: string;
  /** What the receiver knows it by: the number and the hash of the entry, or a gap's. */
  readonly id: string;
  /** Number of the entry; of a gap, of its last. */
  readonly seq: number;
  /** The entry's kind, or `gap`. */
  readonly kind: string;
  readonly failed_at: string;
  /** Why it was given up: `answered 400`, `no answer in time`. */
  readonly reason: string;
  readonly attempts: number;
  /** When somebody asked for one more attempt; null: nobody did. */
  readonly retry_at: string | null;
  /** What was to be sent, as JSON: retention may have removed the entry meanwhile. */
  readonly event: string;
}

/** Tables of the streams. */
export interface StreamTables {
  readonly stream_dead_letters: StreamDeadLetterRow;
}
