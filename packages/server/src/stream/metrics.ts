import type { Labelled, Metrics } from '../http/metrics.ts';

/** What the streams count; each by the stream's name. */
export interface StreamMetrics {
  delivered(stream: string, events: number): void;
  /** An attempt that was not taken. */
  failed(stream: string): void;
  dead(stream: string): void;
  /** Entries that a receiver was told it will not get. */
  missed(stream: string, entries: number): void;
  /** A look at the store that failed. */
  broken(stream: string): void;
}

/** Registers `bulla_stream_*`. `lag` answers the entries by which each stream is behind. */
export function streamMetrics(metrics: Metrics, lag: () => Labelled): StreamMetrics {
  const labels = ['stream'];
  const counter = (name: string, help: string) =>
    metrics.counter({ name: `bulla_stream_${name}_total`, help, labels });
  const delivered = counter('delivered', 'Events that a receiver took.');
  const failed = counter('failed', 'Requests that a receiver did not take, tried again or not.');
  const dead = counter('dead_letters', 'Events that became dead letters.');
  const missed = counter('missed', 'Entries that were gone before they could be sent.');
  const broken = counter('broken', 'Turns that the store or a defect ended.');
  metrics.gauge(
    {
      name: 'bulla_stream_lag_entries',
      help: 'Entries of the record that a stream of this process is behind its end.',
      labels,
    },
    lag,
  );
  return {
    delivered: (stream, events) => delivered.add({ stream }, events),
    failed: (stream) => failed.add({ stream }),
    dead: (stream) => dead.add({ stream }),
    missed: (stream, entries) => missed.add({ stream }, entries),
    broken: (stream) => broken.add({ stream }),
  };
}
