import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultConfig } from '../../src/config/parse.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { openStore } from '../../src/store.ts';
import { SYSTEM_CLOCKS } from '../../src/wiring/clocks.ts';
import { wireRecord } from '../../src/wiring/record.ts';
import { made } from '../record/room.ts';

const DAY_MS = 24 * 3600_000;

test('a server prunes by record.retention when it starts, and the chain stays provable', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-retention-'));
  t.after(() => rm(folder, { recursive: true }));
  await using store = await openStore({ store: 'embedded', folder }, SYSTEM_CLOCKS);
  const at = new Date();
  const wire = (retentionMs: number | null, ageMs: number) => {
    const clock = () => new Date(at.getTime() - ageMs);
    const config = { record: { ...defaultConfig(folder).record, retentionMs } };
    const clocks = { ...SYSTEM_CLOCKS, clock };
    return wireRecord(config, folder, 'bulla.example', store, createMetrics(), clocks);
  };
  const seqs = async () => {
    const rows = await store.tables.db.selectFrom('record_entries').select('seq').execute();
    return rows.map(({ seq }) => seq).sort((a, b) => a - b);
  };

  const former = await wire(null, 3 * DAY_MS);
  await former.keep(made({}, { at: new Date(at.getTime() - 3 * DAY_MS) }));
  await former.keep(made({}, { at }));
  await former.close();
  assert.deepEqual(await seqs(), [1, 2]);

  const record = await wire(DAY_MS, 0);
  while ((await seqs()).includes(1)) await sleep(5);
  assert.deepEqual(await seqs(), [2, 3], 'the young one, and what says that another was removed');
  assert.equal((await record.verify()).finding.outcome, 'pass');
  await record.close();
});
