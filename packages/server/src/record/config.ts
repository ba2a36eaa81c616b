/** How the record behaves. Times are in milliseconds. */
export interface RecordConfig {
  /** Between two signed heads. */
  readonly headEveryMs: number;
  /** The oldest that the newest signed head may be when the record is verified. */
  readonly headAgeMs: number;
  /** How long the first entry of a group waits for others, so that they share one fsync. */
  readonly gatherMs: number;
  /** Most entries of one group. */
  readonly groupEntries: number;
  /** Most entries that wait; one more is `record.unavailable` at once. */
  readonly waitingEntries: number;
  /** How long an entry may wait for being durable. */
  readonly writeMs: number;
  /** How long repeated passes are counted before their count is written; below a second. */
  readonly repeatsMs: number;
  /** Passes that are known to be recorded; one that was forgotten is recorded as a first one. */
  readonly knownPasses: number;
  /** How long entries are kept; null: for ever. */
  readonly retentionMs: number | null;
  /** Between two looks for entries that are too old. */
  readonly pruneEveryMs: number;
  /** Most entries of one page of a search. */
  readonly pageEntries: number;
}

const DAY_MS = 24 * 3600_000;

/** What holds where nothing else is configured. */
export const RECORD_CONFIG: RecordConfig = {
  headEveryMs: 60_000,
  headAgeMs: 5 * 60_000,
  gatherMs: 2,
  groupEntries: 256,
  waitingEntries: 10_000,
  writeMs: 5_000,
  repeatsMs: 900,
  knownPasses: 20_000,
  retentionMs: 365 * DAY_MS,
  pruneEveryMs: 3600_000,
  pageEntries: 200,
};
