import { asFault } from '@bulla/trust/fault/fault';
import { every } from '../bounds/every.ts';
import type { Epochs } from '../decision/epochs.ts';
import type { PoliciesInForce } from '../decision/policies.ts';
import { type ExceptionCounts, exceptionMetrics } from '../exceptions/metrics.ts';
import { refusalOf } from '../exceptions/refusal.ts';
import { tellOpenReviews } from '../exceptions/reviews.ts';
import { openRevokedMarks } from '../exceptions/revoked.ts';
import { createExceptions, type ExceptionService } from '../exceptions/service.ts';
import type { Log } from '../http/log.ts';
import type { Metrics } from '../http/metrics.ts';
import type { RecordService } from '../record/service.ts';
import type { ServerStore } from '../storage/store.ts';
import type { Clocks } from './clocks.ts';

/** What exceptions are wired to. */
export interface ExceptionWiring {
  readonly store: Pick<ServerStore, 'tables' | 'objects'>;
  readonly record: Pick<RecordService, 'note'>;
  readonly epochs: Epochs;
  readonly inForce: PoliciesInForce;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clocks: Clocks;
}

/** Exceptions, with the counting of them and the asking for reviews, which disposal ends. */
export interface WiredExceptions extends AsyncDisposable {
  readonly exceptions: ExceptionService;
}

const COUNT_EVERY_MS = 15_000;
const ASK_EVERY_MS = 3600_000;

/**
 * The exceptions of a server: on its tables, in its record, by its policies. What a kill or a restored
 * backup left is settled before they are handed out. Throws `storage.*`.
 */
export async function wireExceptions(wiring: ExceptionWiring): Promise<WiredExceptions> {
  const { store, record, epochs, inForce, metrics, log, clocks } = wiring;
  let counts: ExceptionCounts = { inForce: 0, breakGlassInForce: 0, openReviews: 0 };
  const exceptions = createExceptions({
    tables: store.tables,
    revokedMarks: openRevokedMarks(store.objects),
    note: (act) => record.note(act),
    raiseEpoch: () => epochs.raise('exception'),
    refusalOf: (document, at) => refusalOf(document, inForce.current().set, at),
    metrics: exceptionMetrics(metrics, () => counts),
    alarm: (message, fields) => log.error(`BREAK-GLASS: ${message}`, fields),
    clock: clocks.clock,
  });
  const again = await exceptions.settle();
  if (again > 0) {
    log.warn('exceptions that the database had lost the revocation of are revoked again', {
      again,
    });
  }
  await using opened = new AsyncDisposableStack();
  opened.use(
    every(
      { everyMs: ASK_EVERY_MS, atOnce: true },
      () => tellOpenReviews(exceptions, log, clocks.clock()),
      (error) => log.warn('open reviews cannot be told', { fault: asFault(error) }),
    ),
  );
  const counting = every(
    { everyMs: COUNT_EVERY_MS, atOnce: true },
    async () => {
      counts = await exceptions.counts();
    },
    (error) => log.warn('exceptions cannot be counted', { fault: asFault(error) }),
  );
  opened.use(counting);
  const life = opened.move();
  return { exceptions, [Symbol.asyncDispose]: () => life.disposeAsync() };
}
