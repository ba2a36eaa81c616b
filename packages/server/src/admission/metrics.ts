import type { Code } from '@bulla/trust/fault/codes';
import type { Metrics } from '../http/metrics.ts';

/** What admission counts. */
export interface AdmissionMetrics {
  /** A review that was answered; `outcome` is that of its audit annotation. */
  answered(hook: 'mutate' | 'validate', operation: string, outcome: string, tookMs: number): void;
  /** A request that was no review, or could not be answered. */
  refused(code: Code): void;
}

// From a cached decision to the longest that the API server waits.
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5, 10, 30];

/** Registers `bulla_admission_*`. */
export function admissionMetrics(metrics: Metrics): AdmissionMetrics {
  const reviews = metrics.counter({
    name: 'bulla_admission_reviews_total',
    help: 'AdmissionReviews that were answered.',
    labels: ['hook', 'operation', 'outcome'],
  });
  const durations = metrics.histogram({
    name: 'bulla_admission_review_duration_seconds',
    help: 'From the headers of an AdmissionReview to its answer.',
    labels: ['hook'],
    buckets: SECONDS,
  });
  const refused = metrics.counter({
    name: 'bulla_admission_refused_requests_total',
    help: 'Requests to the webhook that were no AdmissionReview, or could not be answered.',
    labels: ['code'],
  });
  return {
    answered(hook, operation, outcome, tookMs) {
      reviews.add({ hook, operation, outcome });
      durations.observe(tookMs / 1000, { hook });
    },
    refused: (code) => refused.add({ code }),
  };
}
