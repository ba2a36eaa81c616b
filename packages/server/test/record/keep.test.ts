import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { MadeDecision } from '../../src/decision/made.ts';
import { again, kindsOf, made, openRoom, refused } from './room.ts';

const warned = (): MadeDecision => made({ warnings: ['not signed'] });

const USED = {
  id: `sha256:${'9'.repeat(64)}`,
  name: 'late-scan',
  kind: 'exception',
  requester: 'dev@acme.example',
  approver: 'sec@acme.example',
  reason: 'the scanner is down',
  expires: new Date('2026-11-24T00:00:00.000Z'),
  policy: 'prod',
  clauses: ['require.all[1]'],
} as const;

// Semantics 18: what is durable before the answer is an entry of its own.
const DURABLE: readonly {
  readonly name: string;
  readonly second: (first: MadeDecision) => MadeDecision;
}[] = [
  { name: 'a refusal from the cache', second: () => refused({}, { cache: 'hit' }) },
  { name: 'a warning from the cache', second: () => again(warned()) },
  {
    name: 'an audited pass from the cache',
    second: () =>
      again(
        made({
          policies: [
            {
              ...(warned().decision
                .policies[0] as never as MadeDecision['decision']['policies'][number]),
              effect: 'audit',
            },
          ],
        }),
      ),
  },
  {
    name: 'a use of an exception from the cache',
    second: () => again(made({ exceptions: [USED] })),
  },
  { name: 'the same pass decided anew', second: (first) => again(first, { cache: 'miss' }) },
  { name: 'the last known good', second: (first) => again(first, { cache: 'last-known-good' }) },
  {
    name: 'another user',
    second: (first) => again(first, { actor: { kind: 'user', id: 'u2', name: 'bob' } }),
  },
  {
    name: 'another namespace',
    second: (first) => again({ ...first, decision: { ...first.decision, namespace: 'prod' } }),
  },
  {
    name: 'another digest',
    second: (first) =>
      again({ ...first, decision: { ...first.decision, digest: `sha256:${'a'.repeat(64)}` } }),
  },
  {
    name: 'another policy set',
    second: (first) =>
      again({
        ...first,
        decision: { ...first.decision, policySetHash: `sha256:${'b'.repeat(64)}` },
      }),
  },
  {
    name: 'another trust root',
    second: (first) =>
      again({ ...first, decision: { ...first.decision, trustRootVersion: 'public-good 15' } }),
  },
  {
    name: 'a tag called as none',
    second: (first) => again({ ...first, decision: { ...first.decision, tag: null } }),
  },
];

for (const { name, second } of DURABLE) {
  test(`${name} is an entry of its own, durable before the answer`, async () => {
    await using room = await openRoom();
    const first = made();
    await room.record.keep(first);
    await room.record.keep(second(first));
    assert.deepEqual(await kindsOf(room.tables), ['decision', 'decision']);
    assert.equal(room.counted.kept, 2);
  });
}

test('repeated passes are counted in one entry with first and last time', async () => {
  await using room = await openRoom({ config: { repeatsMs: 60_000 } });
  const first = made();
  await room.record.keep(first);
  const seconds = [1, 3, 5];
  for (const second of seconds) {
    await room.record.keep(again(first, { at: new Date(first.at.getTime() + second * 100) }));
  }
  assert.deepEqual(await kindsOf(room.tables), ['decision']);
  await room.record.flush();
  assert.deepEqual(await kindsOf(room.tables), ['decision', 'repeats']);
  const { uses } = await room.record.get(first.decision.id);
  assert.deepEqual(uses, { count: 4, last: new Date(first.at.getTime() + 500).toISOString() });
  assert.equal(room.counted.counted, 3);
  await room.record.flush();
  assert.equal((await kindsOf(room.tables)).length, 2, 'nothing is counted twice');
  await room.record.keep(again(first));
  await room.record.flush();
  assert.equal((await room.record.get(first.decision.id)).uses.count, 5);
  const { finding } = await room.record.verify();
  assert.equal(finding.because?.find(({ check }) => check === 'record.index')?.outcome, 'pass');
});

test('counts are written by themselves, and those that wait at the end by close', async () => {
  await using room = await openRoom({ config: { repeatsMs: 5 } });
  const first = made();
  await room.record.keep(first);
  await room.record.keep(again(first));
  while ((await kindsOf(room.tables)).length < 2) await new Promise(setImmediate);
  const other = room.another({ config: { ...room.parts.config, repeatsMs: 60_000 } });
  await other.keep(first);
  for (let n = 0; n < 10; n++) await other.keep(again(first));
  await other.close();
  assert.equal((await room.record.get(first.decision.id)).uses.count, 12);
  await assert.rejects(other.keep(made()), { code: 'record.unavailable' });
});

test('a second pass waits until the first is durable', async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  await using room = await openRoom({
    wrap: (tables) => ({
      db: new Proxy(tables.db, {
        get(db, name) {
          if (name !== 'transaction') return Reflect.get(db, name).bind(db);
          return () => ({
            execute: async (task: never) => {
              await gate;
              return db.transaction().execute(task);
            },
          });
        },
      }),
    }),
  });
  const first = made();
  const order: string[] = [];
  const durable = room.record.keep(first).then(() => order.push('first'));
  const second = room.record.keep(again(first)).then(() => order.push('second'));
  await new Promise(setImmediate);
  assert.deepEqual(order, []);
  open();
  await Promise.all([durable, second]);
  assert.deepEqual(order, ['first', 'second']);
});

test('a pass that was forgotten is recorded as a first one', async () => {
  await using room = await openRoom({ config: { knownPasses: 1 } });
  const [one, two] = [made(), made({ tag: 'v2' })];
  for (const each of [one, two, again(one), again(two), again(two)]) await room.record.keep(each);
  await room.record.flush();
  assert.deepEqual(await kindsOf(room.tables), [
    ...['decision', 'decision', 'decision', 'decision'],
    'repeats',
  ]);
});

test('entries that arrive together share a transaction', async () => {
  let transactions = 0;
  await using room = await openRoom({
    config: { gatherMs: 2 },
    wrap: (tables) => ({
      db: new Proxy(tables.db, {
        get(db, name) {
          if (name === 'transaction') transactions += 1;
          return Reflect.get(db, name).bind(db);
        },
      }),
    }),
  });
  await Promise.all(Array.from({ length: 100 }, () => room.record.keep(made())));
  assert.equal(transactions, 1);
  assert.equal((await kindsOf(room.tables)).length, 100);
  const { finding, entries } = await room.record.verify();
  assert.equal(entries, 100);
  assert.equal(finding.because?.find(({ check }) => check === 'record.chain')?.outcome, 'pass');
});

test('more than one statement can take is written all the same', async () => {
  await using room = await openRoom({ config: { groupEntries: 5000, gatherMs: 5 } });
  await Promise.all(Array.from({ length: 4000 }, () => room.record.keep(made())));
  assert.equal((await room.record.head()).seq, 4000);
});

test('a repeated pass is counted without a wait, as often as it is given', async () => {
  await using room = await openRoom();
  const first = made();
  await room.record.keep(first);
  const count = room.record.repeat(again(first));
  assert.ok(count !== null);
  for (let n = 0; n < 3; n++) assert.equal(count(new Date(room.time.ms)), true);
  await room.record.flush();
  const { uses } = await room.record.get(first.decision.id);
  assert.equal(uses.count, 4);
});

test('what is no repeated pass of one that is durable has to be kept', async () => {
  await using room = await openRoom();
  // Nothing of it was kept yet.
  assert.equal(room.record.repeat(again(made()))?.(new Date(room.time.ms)), false);
  for (const other of [refused({}, { cache: 'hit' }), again(warned()), made()]) {
    assert.equal(room.record.repeat(other), null);
  }
});

test('counts that cannot be written for a second let no further pass go by', async () => {
  let fails = false;
  let now = 0;
  const room = await openRoom({
    config: { repeatsMs: 1_000_000 },
    wrap: (tables) => ({
      get db() {
        if (fails) throw new TrustFault('storage.failed', 'no disk');
        return tables.db;
      },
    }),
  });
  await using _ = room;
  const record = room.another({ now: () => now });
  const first = made();
  await record.keep(first);
  const count = record.repeat(again(first));
  fails = true;
  assert.equal(count?.(new Date(room.time.ms)), true);
  now += 1001;
  assert.equal(count?.(new Date(room.time.ms)), false);
  fails = false;
});
