import type { StreamFilter, StreamFormat } from '../config/streams.ts';

/** One receiver of the record, with its secrets at hand. Times are in milliseconds. */
export interface StreamConfig {
  readonly name: string;
  /** May itself be a secret (Slack, Teams): only its origin is ever shown. */
  readonly url: URL;
  readonly format: StreamFormat;
  /** The template's file; null but for format `template`. */
  readonly template: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Keys of Standard Webhooks, the newest first; two while one takes the other's place. */
  readonly signingKeys: readonly Uint8Array[];
  readonly filter: StreamFilter;
  /** Most events of one request. */
  readonly batch: number;
  readonly timeoutMs: number;
  /** How long something is tried again before it becomes a dead letter. */
  readonly retryForMs: number;
  /** PEM file of authorities, beside the system's; null: only those. */
  readonly caFile: string | null;
  readonly privateAddresses: boolean;
  /** Where a stream begins that was never sent before. */
  readonly from: 'end' | 'beginning';
  /** Of every alert, 1 (highest) to 5; null: by what it is about. */
  readonly priority: number | null;
}

/** How all streams are sent. Times are in milliseconds. */
export interface StreamPace {
  /** Between two looks for new entries. */
  readonly everyMs: number;
  /** The first wait after a failure; it doubles up to the longest. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Longest wait that a receiver may ask for by Retry-After. */
  readonly longestAskedMs: number;
  /** Most dead letters of one stream; then it waits, and loses nothing. */
  readonly deadLetters: number;
  /** How long the cursor may lag behind entries that were looked at and are not wanted. */
  readonly saveEveryMs: number;
}

/** What holds where nothing else is said. */
export const STREAM_PACE: StreamPace = {
  everyMs: 500,
  firstWaitMs: 1_000,
  longestWaitMs: 60_000,
  longestAskedMs: 3_600_000,
  deadLetters: 1_000,
  saveEveryMs: 5_000,
};
