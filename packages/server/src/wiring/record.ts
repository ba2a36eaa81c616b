import type { ServerConfig } from '../config/config.ts';
import type { Metrics } from '../http/metrics.ts';
import { RECORD_CONFIG } from '../record/config.ts';
import { recordedHost } from '../record/heads.ts';
import { openRecordKey } from '../record/key.ts';
import { recordMetrics } from '../record/metrics.ts';
import { createRecord, type RecordService } from '../record/service.ts';
import type { ServerStore } from '../storage/store.ts';
import type { Clocks } from './clocks.ts';

/**
 * The record of a server on its store. Its key lies in the data folder, or beside the objects that
 * belong to a database: who goes on with both has to sign with the same one.
 */
export async function wireRecord(
  config: Pick<ServerConfig, 'record'>,
  keyFolder: string,
  host: string,
  { tables, objects }: ServerStore,
  metrics: Metrics,
  { clock, now }: Clocks,
): Promise<RecordService> {
  const { headEveryMs, retentionMs, groupMs } = config.record;
  const named = await recordedHost(tables);
  const record = createRecord({
    tables,
    objects,
    signer: await openRecordKey(keyFolder),
    // Heads that were signed under one name would not hold under another.
    host: named ?? host,
    config: {
      ...RECORD_CONFIG,
      headEveryMs,
      headAgeMs: Math.max(RECORD_CONFIG.headAgeMs, 5 * headEveryMs),
      retentionMs,
      gatherMs: groupMs,
    },
    metrics: recordMetrics(metrics),
    clock,
    now,
  });
  // With its first head the record has its name, and whoever looks at it offline finds it there.
  if (named === null) await record.head();
  return record;
}
