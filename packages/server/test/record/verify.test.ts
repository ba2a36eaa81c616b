import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '@bulla/trust/fault/codes';
import type { Finding } from '@bulla/trust/finding/finding';
import { sql } from 'kysely';
import { GENESIS } from '../../src/record/chain.ts';
import type { SignedHead } from '../../src/record/heads.ts';
import { signHeadNote } from '../../src/record/signed-head.ts';
import type { VerifyAsk } from '../../src/record/verify.ts';
import { again, HOST, made, openRoom, type RoomUnderTest, recordSigner, refused } from './room.ts';

/** Six entries: decisions, one entry of repeats, and a signed head after the third and the last. */
async function filled(room: RoomUnderTest): Promise<SignedHead> {
  const first = made();
  await room.record.keep(first);
  await room.record.keep(refused({ tag: 'v2' }));
  await room.record.keep(made({ tag: 'v3', covers: [`sha256:${'c'.repeat(64)}`] }));
  await room.record.head();
  await room.record.keep(again(first));
  await room.record.flush();
  await room.record.keep(made({ tag: 'v4' }));
  await room.record.keep(refused({ tag: 'v5' }));
  return room.record.head();
}

function codesOf(finding: Finding): ReadonlySet<Code> {
  const own = finding.code === undefined ? [] : [finding.code];
  return new Set([...own, ...(finding.because ?? []).flatMap((child) => [...codesOf(child)])]);
}

function outcomes(finding: Finding): Readonly<Record<string, string>> {
  return Object.fromEntries((finding.because ?? []).map(({ check, outcome }) => [check, outcome]));
}

test('a record that nobody touched passes every check', async () => {
  await using room = await openRoom();
  const head = await filled(room);
  const { finding, entries, end } = await room.record.verify({ head: head.note });
  assert.equal(finding.outcome, 'pass', JSON.stringify(finding, null, 1));
  assert.equal(entries, 6);
  assert.deepEqual(end, { seq: 6, hash: head.hash });
  assert.ok(finding.because?.every(({ outcome }) => outcome === 'pass'));
});

test('a record without an entry passes once its head was signed', async () => {
  await using room = await openRoom();
  assert.equal((await room.record.verify()).finding.code, 'record.head-missing');
  const head = await room.record.head();
  assert.deepEqual([head.seq, head.hash], [0, GENESIS]);
  assert.equal((await room.record.verify({ head: head.note })).finding.outcome, 'pass');
});

type Tamper = (room: RoomUnderTest, head: SignedHead) => Promise<unknown>;

const run =
  (text: string): Tamper =>
  ({ tables }) =>
    sql.raw(text).execute(tables.db);

const many =
  (...texts: string[]): Tamper =>
  async (room, head) => {
    for (const text of texts) await run(text)(room, head);
  };

const setEnd = (seq: number) =>
  `update record_head set seq = ${seq}, hash = (select hash from record_entries where seq = ${seq})`;

/** What somebody who can write to the database may try, and what it is found by. */
const ATTACKS: readonly {
  readonly name: string;
  readonly tamper: Tamper;
  readonly code: Code;
  readonly ask?: Partial<VerifyAsk>;
  /** With the head that was kept outside. */
  readonly kept?: boolean;
}[] = [
  {
    name: 'a changed body',
    tamper: run(`update record_entries set body = replace(body, 'alice', 'mallory') where seq = 3`),
    code: 'record.chain-broken',
  },
  {
    name: 'a refusal that is made a pass, with its column',
    tamper: run(
      `update record_entries set effect = 'pass', body = replace(body, '"outcome":"deny"', '"outcome":"admit"') where seq = 2`,
    ),
    code: 'record.chain-broken',
  },
  {
    name: 'a changed hash',
    tamper: run(`update record_entries set hash = previous where seq = 3`),
    code: 'record.chain-broken',
  },
  {
    name: 'a changed link',
    tamper: run(`update record_entries set previous = '${'0'.repeat(64)}' where seq = 3`),
    code: 'record.chain-broken',
  },
  {
    name: 'a hash that is no hash',
    tamper: run(`update record_entries set previous = 'none' where seq = 1`),
    code: 'record.chain-broken',
  },
  {
    name: 'a body that is no text',
    tamper: run(`update record_entries set body = x'00ff', hash = x'00', at = 5 where seq = 3`),
    code: 'record.chain-broken',
  },
  {
    name: 'a head that is no text',
    tamper: run(`update record_signed_heads set note = x'00ff'`),
    code: 'record.head-invalid',
  },
  {
    name: 'a body that is no JSON',
    tamper: run(`update record_entries set body = '{' where seq = 3`),
    code: 'record.entry-malformed',
  },
  {
    name: 'a body of another kind',
    tamper: run(`update record_entries set body = '{"kind":"other"}' where seq = 3`),
    code: 'record.entry-malformed',
  },
  {
    name: 'a missing entry',
    tamper: run('delete from record_entries where seq = 3'),
    code: 'record.gap',
  },
  {
    name: 'a missing beginning',
    tamper: run('delete from record_entries where seq < 3'),
    code: 'record.gap',
  },
  {
    name: 'an inserted entry',
    tamper: many(
      'update record_entries set seq = seq + 100 where seq > 3',
      'update record_entries set seq = seq - 99 where seq > 100',
      `insert into record_entries (seq, kind, at, previous, hash, body)
       select 4, kind, at, previous, hash, body from record_entries where seq = 3`,
      setEnd(7),
    ),
    code: 'record.chain-broken',
  },
  {
    name: 'two entries exchanged',
    tamper: many(
      'update record_entries set seq = 99 where seq = 2',
      'update record_entries set seq = 2 where seq = 3',
      'update record_entries set seq = 3 where seq = 99',
    ),
    code: 'record.chain-broken',
  },
  {
    name: 'a column that search uses',
    tamper: run(`update record_entries set effect = 'pass' where seq = 2`),
    code: 'record.index-altered',
  },
  {
    name: 'an id under which a decision is found',
    tamper: run(`update record_entries set id = 'X' where seq = 2`),
    code: 'record.index-altered',
  },
  {
    name: 'a term taken away',
    tamper: run(`delete from record_terms where kind = 'digest' and seq = 3`),
    code: 'record.index-altered',
  },
  {
    name: 'a term added',
    tamper: run(`insert into record_terms (kind, value, seq) values ('policy', 'other', 2)`),
    code: 'record.index-altered',
  },
  {
    name: 'another count of repeats',
    tamper: run('update record_repeats set count = count - 1'),
    code: 'record.index-altered',
  },
  {
    name: 'the last entries removed, the end left as it was',
    tamper: run('delete from record_entries where seq > 4'),
    code: 'record.truncated',
  },
  {
    name: 'the last entries removed with the end, the signed heads left',
    tamper: many('delete from record_entries where seq > 4', setEnd(4)),
    code: 'record.truncated',
  },
  {
    name: 'the last entries removed with the end and the heads, against a head that was kept',
    tamper: many(
      'delete from record_entries where seq > 4',
      'delete from record_signed_heads where seq > 4',
      setEnd(4),
    ),
    kept: true,
    code: 'record.truncated',
  },
  {
    name: 'every entry removed, against a head that was kept',
    tamper: many(
      'delete from record_entries',
      'delete from record_signed_heads',
      `update record_head set seq = 0, hash = '${GENESIS}'`,
    ),
    kept: true,
    code: 'record.truncated',
  },
  {
    name: 'another history by the same program, against a head that was kept',
    tamper: async (room, head) => {
      await run('delete from record_entries where seq > 4')(room, head);
      await run('delete from record_terms where seq > 4')(room, head);
      await run('delete from record_signed_heads')(room, head);
      await run(setEnd(4))(room, head);
      for (const tag of ['x', 'y', 'z']) await room.record.keep(made({ tag }));
      await room.record.head();
    },
    kept: true,
    code: 'record.head-mismatch',
  },
  {
    name: 'an entry beyond the end',
    tamper: run(
      `insert into record_entries (seq, kind, at, previous, hash, body)
       select 9, kind, at, previous, hash, body from record_entries where seq = 3`,
    ),
    code: 'record.order',
  },
  {
    name: 'a head without a signature',
    tamper: run(`update record_signed_heads set note = substr(note, 1, 40)`),
    code: 'record.head-invalid',
  },
  {
    name: 'a head by another key',
    tamper: async ({ tables }, { seq, hash, at }) => {
      const signer = await recordSigner(true);
      const note = await signHeadNote(signer, `${HOST}/record`, { seq, hash, at });
      await tables.db
        .updateTable('record_signed_heads')
        .set({ note })
        .where('seq', '=', seq)
        .execute();
    },
    code: 'record.head-invalid',
  },
  {
    name: 'a head of another record by the same key',
    tamper: async ({ tables, parts }, { seq, hash, at }) => {
      const note = await signHeadNote(parts.signer, 'other.example/record', { seq, hash, at });
      await tables.db
        .updateTable('record_signed_heads')
        .set({ note })
        .where('seq', '=', seq)
        .execute();
    },
    code: 'record.head-invalid',
  },
  {
    name: 'a head moved to another entry',
    tamper: run('update record_signed_heads set seq = 5 where seq = 3'),
    code: 'record.head-mismatch',
  },
  {
    name: 'the signed heads removed',
    tamper: run('delete from record_signed_heads'),
    code: 'record.head-missing',
  },
  {
    name: 'an anchor that nobody signed',
    tamper: many(
      'delete from record_entries where seq < 3',
      `insert into record_anchors (seq, at, note) values (2, '2026', 'pruned')`,
    ),
    code: 'record.anchor-invalid',
  },
  {
    name: 'a head given out as an anchor',
    tamper: async (room, head) => {
      await run('delete from record_entries where seq <= 3')(room, head);
      await run(
        'insert into record_anchors (seq, at, note) select seq, at, note from record_signed_heads where seq = 3',
      )(room, head);
    },
    code: 'record.anchor-invalid',
  },
  {
    name: 'heads that stopped',
    tamper: async ({ time }) => {
      time.ms += 3600_000;
    },
    code: 'record.head-stale',
  },
  {
    name: 'a kept head that is none',
    tamper: async () => {},
    ask: { head: 'no note' },
    code: 'record.head-invalid',
  },
];

for (const { name, tamper, code, ask, kept } of ATTACKS) {
  test(`${name} is found: ${code}`, async () => {
    await using room = await openRoom();
    const head = await filled(room);
    await tamper(room, head);
    const { finding } = await room.record.verify({
      ...(kept === true ? { head: head.note } : {}),
      ...ask,
    });
    assert.equal(finding.outcome, 'fail');
    assert.ok(codesOf(finding).has(code), `${[...codesOf(finding)]}`);
  });
}

test('only a kept head tells that end, heads and all were removed', async () => {
  await using room = await openRoom();
  const head = await filled(room);
  await many(
    'delete from record_entries where seq > 4',
    'delete from record_terms where seq > 4',
    'delete from record_repeats where seq > 4',
    'delete from record_signed_heads where seq > 4',
    setEnd(4),
  )(room, head);
  assert.equal((await room.record.verify()).finding.outcome, 'pass');
  assert.equal((await room.record.verify({ head: head.note })).finding.code, 'record.truncated');
});

test('a range is checked by itself, and says what it leaves out', async () => {
  await using room = await openRoom();
  const head = await filled(room);
  const part = await room.record.verify({ from: 2, to: 4 });
  assert.equal(part.finding.outcome, 'pass');
  assert.equal(part.entries, 3);
  assert.equal(outcomes(part.finding)['record.end'], 'skipped');
  await run(`update record_entries set body = '{}' where seq = 5`)(room, head);
  assert.equal((await room.record.verify({ from: 2, to: 4 })).finding.outcome, 'pass');
  assert.equal((await room.record.verify({ from: 2, to: 5 })).finding.outcome, 'fail');
});

test('a range without an entry is not enough', async () => {
  await using room = await openRoom();
  await filled(room);
  const { finding, entries } = await room.record.verify({ from: 100, to: 200 });
  assert.equal(entries, 0);
  assert.equal(finding.code, 'record.gap');
});

test('heads of a former key stay valid after a rotation', async () => {
  await using room = await openRoom();
  await filled(room);
  const signer = await recordSigner(true);
  const former = [room.parts.signer.publicKey];
  const rotated = room.another({ signer, formerKeys: former });
  await rotated.keep(made());
  await rotated.head();
  assert.equal((await rotated.verify()).finding.outcome, 'pass');
  assert.equal((await room.record.verify()).finding.code, 'record.head-invalid');
});

test('a quiet record keeps one head, and it stays young', async () => {
  await using room = await openRoom({ config: { headEveryMs: 5 } });
  await room.record.keep(made());
  const first = await room.record.head();
  room.time.ms += 3600_000;
  const newest = async () =>
    await room.tables.db
      .selectFrom('record_signed_heads')
      .selectAll()
      .where('seq', '=', 1)
      .execute();
  while ((await newest())[0]?.at === first.at.toISOString()) await new Promise(setImmediate);
  assert.equal((await newest()).length, 1);
  assert.equal((await room.record.verify()).finding.outcome, 'pass');
});

test('a record whose end has no row is not read as an empty one', async () => {
  await using room = await openRoom();
  await run('delete from record_head')(room, await filled(room));
  await assert.rejects(room.record.verify(), { code: 'record.entry-malformed' });
  await assert.rejects(room.record.keep(made()), { code: 'record.unavailable' });
});
