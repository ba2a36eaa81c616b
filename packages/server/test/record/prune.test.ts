import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GENESIS } from '../../src/record/chain.ts';
import { isEvidenceWanted } from '../../src/record/evidence.ts';
import { openAnchorNote } from '../../src/record/signed-head.ts';
import { verifyExport } from '../../src/record/verify-export.ts';
import {
  again,
  BEGIN,
  kindsOf,
  linesOf,
  made,
  openRoom,
  type RoomUnderTest,
  recordSigner,
} from './room.ts';

const DAY_MS = 24 * 3600_000;
const day = (n: number) => new Date(BEGIN + n * DAY_MS);

/** A decision on each of `days` days, each given once more. */
async function fillDays(room: RoomUnderTest, days: number): Promise<void> {
  for (let n = 0; n < days; n++) {
    room.time.ms = day(n).getTime();
    const decision = made({ tag: `v${n}` }, { at: day(n) });
    await room.record.keep(decision);
    await room.record.keep(again(decision));
    await room.record.flush();
  }
}

async function anchorOf({ tables, record }: RoomUnderTest) {
  const row = await tables.db.selectFrom('record_anchors').selectAll().executeTakeFirst();
  return openAnchorNote(row?.note ?? '', record.keys);
}

test('what is too old goes, and the chain stays provable', async () => {
  await using room = await openRoom();
  await fillDays(room, 5);
  const kept = await room.record.head();
  assert.deepEqual(await room.record.prune(day(3)), { entries: 6, through: 6 });
  assert.deepEqual(await kindsOf(room.tables), [
    ...['decision', 'repeats', 'decision', 'repeats'],
    'pruned',
  ]);
  const { finding, entries } = await room.record.verify({ head: kept.note });
  assert.equal(finding.outcome, 'pass', JSON.stringify(finding));
  assert.equal(entries, 5);
  const anchor = await anchorOf(room);
  assert.deepEqual([anchor.seq, anchor.count, anchor.from, anchor.to], [6, 6, day(0), day(2)]);
  for (const table of ['record_terms', 'record_repeats'] as const) {
    const rows = await room.tables.db.selectFrom(table).select('seq').execute();
    assert.ok(
      rows.every(({ seq }) => seq > 6),
      table,
    );
  }
});

test('pruning again adds up, and pruning nothing does nothing', async () => {
  await using room = await openRoom();
  await fillDays(room, 4);
  await room.record.prune(day(1));
  await room.record.prune(day(3));
  assert.deepEqual(await room.record.prune(day(3)), { entries: 0, through: 0 });
  const anchor = await anchorOf(room);
  assert.deepEqual([anchor.seq, anchor.count, anchor.from, anchor.to], [6, 6, day(0), day(2)]);
  assert.equal((await room.tables.db.selectFrom('record_anchors').selectAll().execute()).length, 1);
  assert.equal((await room.record.verify()).finding.outcome, 'pass');
});

test('the newest entry stays, whatever its age', async () => {
  await using room = await openRoom();
  await fillDays(room, 2);
  await room.record.prune(day(100));
  const kinds = await kindsOf(room.tables);
  assert.deepEqual(kinds, ['repeats', 'pruned']);
  const { finding } = await room.record.verify();
  assert.equal(finding.outcome, 'pass');
  await using empty = await openRoom();
  assert.deepEqual(await empty.record.prune(day(100)), { entries: 0, through: 0 });
});

test('more than one transaction removes is removed, and stays provable', async () => {
  await using room = await openRoom({ config: { groupEntries: 1000 } });
  await Promise.all(Array.from({ length: 4500 }, () => room.record.keep(made())));
  await room.record.keep(made({}, { at: day(2) }));
  assert.deepEqual(await room.record.prune(day(1)), { entries: 4500, through: 4500 });
  assert.deepEqual(await kindsOf(room.tables), ['decision', 'pruned', 'pruned', 'pruned']);
  assert.equal((await anchorOf(room)).count, 4500);
  assert.equal((await room.record.verify()).finding.outcome, 'pass');
});

test('an export of a pruned record begins at its anchor', async () => {
  await using room = await openRoom();
  await fillDays(room, 4);
  await room.record.prune(day(2));
  const lines = await linesOf(room.record.exportJsonLines({}));
  const ask = { keys: room.record.keys.keys, origin: null, at: day(4), headAgeMs: null };
  assert.equal((await verifyExport(lines, ask)).finding.outcome, 'pass');
  const without = await verifyExport(lines.toSpliced(1, 1), ask);
  assert.equal(without.finding.code, 'record.gap');
  const late = await verifyExport(lines.toSpliced(1, 1).toSpliced(2, 0, lines[1] ?? ''), ask);
  assert.equal(late.finding.outcome, 'fail');
});

test('removing more than the anchor says is found', async () => {
  await using room = await openRoom();
  await fillDays(room, 4);
  await room.record.prune(day(2));
  await room.tables.db.deleteFrom('record_entries').where('seq', '=', 5).execute();
  assert.equal((await room.record.verify()).finding.code, 'record.gap');
});

test('a head of what was pruned does not compare, and the verification says so', async () => {
  await using room = await openRoom();
  await fillDays(room, 1);
  const early = await room.record.head();
  await fillDays(room, 4);
  const last = await room.tables.db
    .selectFrom('record_entries')
    .select('hash')
    .where('seq', '=', 6)
    .executeTakeFirst();
  await room.record.prune(day(2));
  const { finding } = await room.record.verify({ head: early.note });
  assert.equal(finding.code, 'record.head-pruned');
  assert.notEqual(last?.hash, GENESIS);
});

test('an anchor that is not the record’s own stops pruning', async () => {
  await using room = await openRoom();
  await fillDays(room, 3);
  await room.record.prune(day(1));
  await room.tables.db.updateTable('record_anchors').set({ note: 'forged' }).execute();
  await assert.rejects(room.record.prune(day(2)), { code: 'record.anchor-invalid' });
  const stranger = room.another({ signer: await recordSigner(true) });
  await assert.rejects(stranger.prune(day(2)), { code: 'record.anchor-invalid' });
  assert.equal((await kindsOf(room.tables)).length, 5, 'nothing was removed');
});

test('retention prunes by itself', async () => {
  await using room = await openRoom({ config: { retentionMs: DAY_MS, pruneEveryMs: 5 } });
  await room.record.keep(made());
  room.time.ms = day(3).getTime();
  await room.record.keep(made({}, { at: day(3) }));
  while (!(await kindsOf(room.tables)).includes('pruned')) await new Promise(setImmediate);
  assert.deepEqual(await kindsOf(room.tables), ['decision', 'pruned']);
});

test('evidence goes with the last decision that refers to it', async () => {
  await using room = await openRoom();
  const [shared, alone] = [Buffer.from('shared'), Buffer.from('alone')];
  await room.record.keep(made({}, { dossier: shared }));
  await room.record.keep(made({}, { dossier: alone }));
  await room.record.keep(made({}, { at: day(2), dossier: shared }));
  const names = await room.objects.list('evidence/');
  assert.equal(names.length, 2);
  await room.record.prune(day(1));
  const at = new Date(day(3).getTime() + DAY_MS);
  const wanted = async (name: string) => (await isEvidenceWanted(room.tables, name)) ?? true;
  await room.objects.sweep({ at, graceMs: 0, stagedMs: DAY_MS, wanted });
  const left = await room.objects.list('evidence/');
  assert.equal(left.length, 1);
  assert.deepEqual(await room.objects.bytes(left[0] ?? ''), shared);
  assert.equal(await isEvidenceWanted(room.tables, 'content/sha256/aa/bb'), null);
});
