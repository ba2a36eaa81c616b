import type { MadeDecision } from '../decision/made.ts';
import type { Metrics } from '../http/metrics.ts';
import { effectOf } from './entry.ts';

/** What the record counts. */
export interface RecordMetrics {
  /** A decision that was kept; `waitedMs` until it was durable, null for a counted repetition. */
  kept(made: MadeDecision, waitedMs: number | null): void;
  /** A decision that could not be kept. */
  unavailable(): void;
  /** A head that could not be signed or stored, or retention that could not be kept up. */
  upkeepFailed(): void;
}

// From a quiet disk to the deadline of a write.
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Registers the record's metrics: `bulla_decisions_total` and the `bulla_record_*`. */
export function recordMetrics(metrics: Metrics): RecordMetrics {
  const decisions = metrics.counter({
    name: 'bulla_decisions_total',
    help: 'Decisions that were recorded, repeated ones included.',
    labels: ['outcome', 'effect', 'surface', 'cache'],
  });
  const waits = metrics.histogram({
    name: 'bulla_record_keep_duration_seconds',
    help: 'Until a decision was durable.',
    buckets: SECONDS,
  });
  const unavailable = metrics.counter({
    name: 'bulla_record_unavailable_total',
    help: 'Decisions that could not be recorded, and that an enforcing door then refused.',
  });
  const upkeep = metrics.counter({
    name: 'bulla_record_upkeep_failures_total',
    help: 'Heads that could not be signed or stored, and prunings that failed.',
  });
  return {
    kept(made, waitedMs) {
      const { outcome, surface } = made.decision;
      decisions.add({ outcome, effect: effectOf(made.decision), surface, cache: made.cache });
      if (waitedMs !== null) waits.observe(waitedMs / 1000);
    },
    unavailable: () => unavailable.add(),
    upkeepFailed: () => upkeep.add(),
  };
}
