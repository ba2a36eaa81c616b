import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requirePeer } from '../../../../test/peers.ts';
import { startPostgres } from '../../../../test/postgres.ts';
import type { RecordService } from '../../src/record/service.ts';
import { verifyExport } from '../../src/record/verify-export.ts';
import { openPostgres } from '../../src/storage/postgres/open.ts';
import {
  again,
  BEGIN,
  kindsOf,
  linesOf,
  made,
  openRoom,
  type RoomUnderTest,
  recordSigner,
  refused,
} from './room.ts';

const EACH = 120;

/** Keeps decisions as several doors of one replica do. */
async function keepMany(record: RecordService): Promise<readonly string[]> {
  const decisions = Array.from({ length: EACH }, (_, n) => (n % 2 === 0 ? made() : refused()));
  await Promise.all(
    [0, 1, 2, 3].map(async (door) => {
      for (let n = door; n < EACH; n += 4) {
        const decision = decisions[n] ?? made();
        await record.keep(decision);
        if (decision.decision.outcome === 'admit') await record.keep(again(decision));
      }
    }),
  );
  await record.flush();
  return decisions.map(({ decision }) => decision.id);
}

async function checkOneChain(room: RoomUnderTest, ids: readonly string[]): Promise<void> {
  await room.record.head();
  const { finding, entries } = await room.record.verify();
  assert.equal(finding.outcome, 'pass', JSON.stringify(finding));
  const kinds = await kindsOf(room.tables);
  assert.equal(entries, kinds.length);
  assert.equal(kinds.filter((kind) => kind === 'decision').length, ids.length);
  for (const id of ids) assert.equal((await room.record.get(id)).decision.id, id);
}

test('two services on one store write one chain', async () => {
  await using room = await openRoom();
  const other = room.another();
  const ids = await Promise.all([keepMany(room.record), keepMany(other)]);
  await checkOneChain(room, ids.flat());
});

test('two replicas on one PostgreSQL write one chain, sign it, search it and prune it', async (t) => {
  const program = requirePeer(t, 'postgresql');
  if (program === null) return;
  await using postgres = await startPostgres(program);
  const url = await postgres.database();
  await using first = await openRoom({ rows: await openPostgres({ url }) });
  await using second = await openRoom({ rows: await openPostgres({ url }) });
  const ids = await Promise.all([keepMany(first.record), keepMany(second.record)]);
  await checkOneChain(first, ids.flat());
  await Promise.all([first.record.head(), second.record.head()]);
  await t.test('what one wrote the other finds', async () => {
    const { decisions } = await second.record.search({ outcome: 'deny', actor: 'alice' });
    assert.equal(decisions.length, EACH);
    const admitted = await second.record.search({ repository: '**/app', outcome: 'admit' });
    assert.equal(admitted.decisions.length, EACH);
    // Each was given once, and each replica counted as many repetitions.
    const given = admitted.decisions.reduce((sum, { uses }) => sum + uses.count, 0);
    assert.equal(given, 2 * EACH);
    const id = ids[0]?.[3] ?? '';
    assert.equal((await second.record.search({ id: id.slice(4, -1) })).decisions.length > 0, true);
  });
  await t.test('both prune at once, and the chain stays provable', async () => {
    const late = made({}, { at: new Date(BEGIN + 3600_000) });
    await first.record.keep(late);
    const before = new Date(BEGIN + 1800_000);
    const pruned = await Promise.all([first.record.prune(before), second.record.prune(before)]);
    const count = pruned.reduce((sum, { entries }) => sum + entries, 0);
    assert.ok(count >= 2 * EACH);
    const { finding } = await second.record.verify();
    assert.equal(finding.outcome, 'pass', JSON.stringify(finding));
    const lines = await linesOf(second.record.exportJsonLines({}));
    const keys = [(await recordSigner()).publicKey];
    const ask = { keys, origin: null, at: new Date(BEGIN), headAgeMs: null };
    assert.equal((await verifyExport(lines, ask)).finding.outcome, 'pass');
  });
  await t.test('a name with a NUL, which PostgreSQL has not, is recorded', async () => {
    const odd = made({ tag: 'a\0b', repository: 'x\0y' });
    await first.record.keep(odd);
    assert.equal((await first.record.get(odd.decision.id)).decision.tag, 'a\0b');
    assert.equal((await first.record.search({ tag: 'a\0b' })).decisions.length, 1);
  });
  await t.test('a database that crashes is record.unavailable, then works again', async () => {
    await postgres.crash();
    await assert.rejects(first.record.keep(made()), { code: 'record.unavailable' });
    await postgres.restart();
    await keepWhenBack(first.record);
    await first.record.head();
    assert.equal((await first.record.verify()).finding.outcome, 'pass');
  });
});

/** A pool may have to find out first that its connections are gone. */
async function keepWhenBack(record: RecordService): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await record.keep(made());
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}
