import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Observe } from './observe.ts';

/** Label values by label name. Values must come from a small set: each is kept for good. */
export type Labels = Readonly<Record<string, string>>;

/** Values of a gauge, each with its labels. */
export type Labelled = readonly (readonly [Labels, number])[];

/** What a metric is called: `bulla_http_requests_total`, one sentence, and its label names. */
export interface MetricSpec {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** A number that only grows. */
export interface CounterMetric {
  add(labels?: Labels, by?: number): void;
}

/** A distribution of values in buckets. */
export interface HistogramMetric {
  observe(value: number, labels?: Labels): void;
}

/** Where services register what they count. Names are unique; a second one of a name is a defect. */
export interface Metrics {
  counter(spec: MetricSpec): CounterMetric;
  /** `buckets` are upper bounds in the metric's unit, ascending. */
  histogram(spec: MetricSpec & { readonly buckets: readonly number[] }): HistogramMetric;
  /** `read` is asked whenever the metrics are; with labels it answers a value for each set of them. */
  gauge(spec: MetricSpec, read: () => number | Labelled): void;
  /** Everything in Prometheus' text format, and its media type. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

interface Total {
  readonly labels: Labels;
  total: number;
}

/** Metrics with those of the process: memory, event-loop lag, garbage collection. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const shared = ({ name, help, labels = [] }: MetricSpec) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter(spec) {
      const { labels: names = [] } = spec;
      const totals = new Map<string, Total>();
      const collect = (): void => {
        counter.reset();
        for (const { labels, total } of totals.values()) counter.inc(labels, total);
      };
      const counter = new Counter({ ...shared(spec), collect });
      return {
        add(labels = {}, by = 1) {
          // The library sorts and hashes the labels of each call; this many are counted a second.
          let key = '';
          for (const name of names) key += `${labels[name]}\0`;
          const known = totals.get(key);
          if (known !== undefined) {
            known.total += by;
            return;
          }
          // Which also refuses labels that were not registered.
          counter.inc(labels, 0);
          totals.set(key, { labels, total: by });
        },
      };
    },
    histogram(spec) {
      const histogram = new Histogram({ ...shared(spec), buckets: [...spec.buckets] });
      return { observe: (value, labels = {}) => histogram.observe(labels, value) };
    },
    gauge(spec, read) {
      const collect = (): void => {
        const found = read();
        // What is there no more is not told of as it was last.
        gauge.reset();
        const all: Labelled = typeof found === 'number' ? [[{}, found]] : found;
        for (const [labels, value] of all) gauge.set(labels, value);
      };
      const gauge = new Gauge({ ...shared(spec), collect });
    },
    async render() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

// From a cached decision to a large layer.
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** Counts requests and their durations by door and class of status (`2xx`); no path is a label. */
export function measureRequests(metrics: Metrics): Observe {
  const labels = ['door', 'status'];
  const requests = metrics.counter({
    name: 'bulla_http_requests_total',
    help: 'Requests that were answered.',
    labels,
  });
  const durations = metrics.histogram({
    name: 'bulla_http_request_duration_seconds',
    help: 'From the end of the headers to the last byte of the answer.',
    labels,
    buckets: SECONDS,
  });
  return ({ door, status, durationMs }) => {
    const named = { door: door ?? 'none', status: `${Math.floor(status / 100)}xx` };
    requests.add(named);
    durations.observe(durationMs / 1000, named);
  };
}
