import type { Metrics } from '../http/metrics.ts';

/** What exceptions count. */
export interface ExceptionMetrics {
  /** An act: `requested`, `approved`, `revoked`, `broken`, `reviewed`. */
  done(act: string): void;
}

/** What is counted whenever metrics are asked for. */
export interface ExceptionCounts {
  /** In force now, break-glass among them. */
  readonly inForce: number;
  readonly breakGlassInForce: number;
  readonly openReviews: number;
}

/** Registers `bulla_exceptions_*` and `bulla_break_glass_*`; `counts` answers of the last look. */
export function exceptionMetrics(
  metrics: Metrics,
  counts: () => ExceptionCounts,
): ExceptionMetrics {
  const acts = metrics.counter({
    name: 'bulla_exception_acts_total',
    help: 'What was done to exceptions and break-glass documents.',
    labels: ['act'],
  });
  metrics.gauge(
    { name: 'bulla_exceptions_in_force', help: 'Exceptions that doors are handed now.' },
    () => counts().inForce,
  );
  metrics.gauge(
    { name: 'bulla_break_glass_in_force', help: 'Break-glass documents that hold now.' },
    () => counts().breakGlassInForce,
  );
  metrics.gauge(
    {
      name: 'bulla_break_glass_reviews_open',
      help: 'Uses of break-glass that nobody has looked at yet.',
    },
    () => counts().openReviews,
  );
  return { done: (act) => acts.add({ act }) };
}
