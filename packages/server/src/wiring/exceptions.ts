import { asFault } from '@bulla/trust/fault/fault';
import { every } from '../bounds/every.ts';
import type { Epochs } from '../decision/epochs.ts';
import type { PoliciesInForce } from '../decision/policies.ts';
import { type ExceptionCounts, exceptionMetrics } from '../exceptions/metrics.ts';
import { refusalOf } from '../exceptions/refusal.ts';
import { createExceptions, type ExceptionService } from '../exceptions/service.ts';
import type { Log } from '../http/log.ts';
import type { Metrics } from '../http/metrics.ts';
import type { RecordService } from '../record/service.ts';
import type { Tables } from '../storage/tables.ts';
import type { Clocks } from './clocks.ts';

/** What exceptions are wired to. */
export interface ExceptionWiring {
  readonly tables: Tables;
  readonly record: Pick<RecordService, 'note'>;
  readonly epochs: Epochs;
  readonly inForce: PoliciesInForce;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clocks: Clocks;
}

/** Exceptions, and the counting of them for metrics, which disposal ends. */
export interface WiredExceptions extends AsyncDisposable {
  readonly exceptions: ExceptionService;
}

const COUNT_EVERY_MS = 15_000;

/** The exceptions of a server: on its tables, in its record, by its policies. */
export function wireExceptions(wiring: ExceptionWiring): WiredExceptions {
  const { tables, record, epochs, inForce, metrics, log, clocks } = wiring;
  let counts: ExceptionCounts = { inForce: 0, breakGlassInForce: 0, openReviews: 0 };
  const exceptions = createExceptions({
    tables,
    note: (act) => record.note(act),
    raiseEpoch: () => epochs.raise('exception'),
    refusalOf: (document, at) => refusalOf(document, inForce.current().set, at),
    metrics: exceptionMetrics(metrics, () => counts),
    alarm: (message, fields) => log.error(`BREAK-GLASS: ${message}`, fields),
    clock: clocks.clock,
  });
  const counting = every(
    { everyMs: COUNT_EVERY_MS, atOnce: true },
    async () => {
      counts = await exceptions.counts();
    },
    (error) => log.warn('exceptions cannot be counted', { fault: asFault(error) }),
  );
  return { exceptions, [Symbol.asyncDispose]: () => counting[Symbol.asyncDispose]() };
}
