import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import type { Act } from '../../src/record/acts.ts';
import { made, openRoom } from './room.ts';

function act(change: Partial<Act> = {}): Act {
  return {
    actor: { kind: 'user', id: 'u1', name: 'ann' },
    act: 'exception.approved',
    subject: 'hotfix-4711',
    says: 'ann approved hotfix-4711 until noon',
    detail: {
      expires: '2026-05-01T13:00:00.000Z',
      clauses: ['require.all[1]'],
      hours: 1,
      lifts: true,
    },
    ...change,
  };
}

test('an act is durable when it resolves, is read back as it was, and stands in the chain', async () => {
  await using room = await openRoom();
  await room.record.keep(made());
  const id = await room.record.note(act());
  const [found] = (await room.another().acts({})).acts;
  const { kind, at, ...rest } = found?.act ?? {};
  assert.deepEqual(rest, { ...act(), id });
  assert.deepEqual([kind, at, found?.seq], ['act', '2026-05-01T12:00:00.000Z', 2]);
  await room.record.head();
  const report = await room.record.verify();
  assert.deepEqual([report.finding.outcome, report.entries], ['pass', 2]);
});

test('an act that somebody altered is told by a verification', async () => {
  await using room = await openRoom();
  await room.record.note(act());
  await room.record.head();
  await sql`update record_entries set body = replace(body, 'ann', 'bob')`.execute(room.tables.db);
  assert.equal((await room.record.verify()).finding.outcome, 'fail');
});

test('an act whose columns somebody altered is told by a verification', async () => {
  await using room = await openRoom();
  await room.record.note(act());
  await room.record.head();
  await sql`update record_terms set value = 'other' where kind = 'subject'`.execute(room.tables.db);
  assert.equal((await room.record.verify()).finding.outcome, 'fail');
});

const WANTED = [
  {
    name: 'all',
    filter: {},
    expect: ['rollout.opened', 'exception.revoked', 'exception.approved'],
  },
  {
    name: 'a room',
    filter: { act: 'exception' },
    expect: ['exception.revoked', 'exception.approved'],
  },
  { name: 'one act', filter: { act: 'exception.revoked' }, expect: ['exception.revoked'] },
  { name: 'a subject', filter: { subject: 'production' }, expect: ['rollout.opened'] },
  { name: 'both', filter: { act: 'exception', subject: 'production' }, expect: [] },
] as const;

test('acts are found by their room, their name and their subject', async (t) => {
  await using room = await openRoom();
  await room.record.note(act());
  await room.record.note(act({ act: 'exception.revoked' }));
  await room.record.note(act({ act: 'rollout.opened', subject: 'production' }));
  await room.record.keep(made());
  for (const { name, filter, expect } of WANTED) {
    await t.test(name, async () => {
      const { acts } = await room.record.acts(filter);
      assert.deepEqual(
        acts.map((found) => found.act.act),
        expect,
      );
    });
  }
});

test('pages of acts follow one another without a gap', async () => {
  await using room = await openRoom();
  for (let n = 0; n < 5; n++) await room.record.note(act({ subject: `s${n}` }));
  const seen: string[] = [];
  let before: number | null | undefined;
  while (before !== null) {
    const page = await room.record.acts({ limit: 2, ...(before === undefined ? {} : { before }) });
    seen.push(...page.acts.map((found) => found.act.subject));
    before = page.next;
  }
  assert.deepEqual(seen, ['s4', 's3', 's2', 's1', 's0']);
});

test('what is too long, too much or no Unicode is cut, and the act is kept', async () => {
  await using room = await openRoom();
  await room.record.note(
    act({
      subject: `${'s'.repeat(5000)}`,
      says: 'half a character \ud800 and \0',
      detail: { list: Array.from({ length: 1000 }, (_, n) => `${n}`), text: 'x'.repeat(10_000) },
    }),
  );
  const [found] = (await room.record.acts({})).acts;
  assert.equal(found?.act.subject.length, 512);
  assert.equal(found?.act.detail['list']?.toString().split(',').length, 256);
  assert.equal(String(found?.act.detail['text']).length, 4096);
  assert.ok(found?.act.says.isWellFormed());
});

test('an act of a record that was closed is not taken', async () => {
  await using room = await openRoom();
  await room.record.close();
  await assert.rejects(room.record.note(act()), { code: 'record.unavailable' });
});
