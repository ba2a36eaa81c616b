import type { ServerConfig } from '../config/config.ts';
import {
  isAlertFormat,
  type StreamEntry,
  type StreamFilter,
  signingKey,
} from '../config/streams.ts';
import type { Log } from '../http/log.ts';
import type { Metrics } from '../http/metrics.ts';
import { readEnd } from '../record/read.ts';
import type { RecordService } from '../record/service.ts';
import type { ServerStore } from '../storage/store.ts';
import type { Tables } from '../storage/tables.ts';
import { STREAM_PACE, type StreamConfig } from '../stream/config.ts';
import { NO_FILTER } from '../stream/filter.ts';
import type { RecordSource } from '../stream/gather.ts';
import { openStreams, type StreamService } from '../stream/service.ts';
import type { Clocks } from './clocks.ts';

/** The streams of the configuration, on the record's tables. Close them before the record. */
export function wireStreams(
  config: Pick<ServerConfig, 'streams'>,
  { tables, registers }: Pick<ServerStore, 'tables' | 'registers'>,
  record: Pick<RecordService, 'note' | 'keys'>,
  { version, log }: { readonly version: string; readonly log: Log },
  metrics: Metrics,
  clocks: Clocks,
): Promise<StreamService> {
  return openStreams({
    ...clocks,
    streams: config.streams.map(streamConfigOf),
    pace: STREAM_PACE,
    source: recordSource(tables),
    tables,
    registers,
    note: (act) => record.note(act),
    facts: { origin: record.keys.origin, version },
    metrics,
    log,
    random: Math.random,
  });
}

/** The record's entries as its tables have them. */
export function recordSource({ db }: Tables): RecordSource {
  return {
    entries: (after, limit) =>
      db
        .selectFrom('record_entries')
        .select(['seq', 'previous', 'hash', 'body'])
        .where('seq', '>', after)
        .orderBy('seq')
        .limit(limit)
        .execute(),
    end: () => readEnd(db),
  };
}

/** What people are called for unless the configuration says otherwise: every act, no pass. */
const ALERT_FILTER: StreamFilter = { ...NO_FILTER, effects: ['deny', 'warn'], acts: ['**'] };

/** A stream as the service takes it, with its secrets at hand. */
export function streamConfigOf(entry: StreamEntry): StreamConfig {
  const { url, headers, headersEnv, signing, ca, filter, ...rest } = entry;
  const secrets = Object.entries(headersEnv).map(([name, secret]) => [name, secret.reveal()]);
  return {
    ...rest,
    url: new URL(typeof url === 'string' ? url : url.reveal()),
    headers: { ...headers, ...Object.fromEntries(secrets) },
    signingKeys: signing.flatMap((secret) => signingKey(secret) ?? []),
    filter: filter ?? (isAlertFormat(rest.format) ? ALERT_FILTER : NO_FILTER),
    caFile: ca,
  };
}
