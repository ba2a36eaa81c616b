import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordFilter } from '../../src/record/search.ts';
import type { RecordService } from '../../src/record/service.ts';
import { again, BEGIN, digestNumber, made, openRoom, refused } from './room.ts';

const LEAF = digestNumber(55);
const minute = (n: number) => new Date(BEGIN + n * 60_000);

/** Tags `a` to `h`, a minute apart, each told apart by something. */
async function fill(record: RecordService): Promise<void> {
  const entries = [
    made({ tag: 'a' }, { at: minute(0) }),
    refused({ tag: 'b' }, { at: minute(1) }),
    made({ tag: 'c', repository: 'registry.example/prod/app/sub' }, { at: minute(2) }),
    made({ tag: 'd', repository: 'registry.example/prodigy' }, { at: minute(3) }),
    made({ tag: 'e', digest: digestNumber(2), covers: [LEAF] }, { at: minute(4) }),
    made({ tag: 'f', surface: 'gate', digest: LEAF }, { at: minute(5) }),
    made({ tag: 'g', warnings: ['w'], policies: policies('staging', 'warn') }, { at: minute(6) }),
    made(
      { tag: 'h', policies: policies('canary', 'audit') },
      { at: minute(7), actor: { kind: 'token', id: 't9', name: 'token ci of bob' } },
    ),
  ];
  for (const entry of entries) await record.keep(entry);
}

function policies(policy: string, effect: 'warn' | 'audit') {
  const finding = {
    check: 'policy',
    outcome: 'fail',
    says: 'not signed',
    code: 'signature.none',
  } as const;
  return [{ policy, hash: digestNumber(9), mode: effect, finding, effect }];
}

async function tagsOf(record: RecordService, filter: RecordFilter): Promise<string> {
  const { decisions, next } = await record.search(filter);
  assert.equal(next, null);
  return decisions.map(({ decision }) => decision.tag).join('');
}

const FILTERS: readonly { readonly filter: RecordFilter; readonly expect: string }[] = [
  { filter: {}, expect: 'hgfedcba' },
  { filter: { outcome: 'deny' }, expect: 'b' },
  { filter: { outcome: 'admit' }, expect: 'hgfedca' },
  { filter: { effect: 'warn' }, expect: 'g' },
  { filter: { effect: 'pass' }, expect: 'fedca' },
  { filter: { effect: 'deny', outcome: 'admit' }, expect: '' },
  { filter: { surface: 'gate' }, expect: 'f' },
  { filter: { repository: 'registry.example/prod/app' }, expect: 'hgfecba' },
  { filter: { repository: 'registry.example/prod' }, expect: 'hgfecba' },
  { filter: { repository: 'registry.example' }, expect: 'hgfedcba' },
  { filter: { repository: 'registry.example/pro' }, expect: '' },
  { filter: { repository: 'registry.example/prod*' }, expect: 'd' },
  { filter: { repository: 'registry.example/prod/*' }, expect: 'hgfeba' },
  { filter: { repository: '**/sub' }, expect: 'c' },
  { filter: { tag: 'c' }, expect: 'c' },
  { filter: { digest: LEAF }, expect: 'fe' },
  { filter: { digest: digestNumber(2) }, expect: 'e' },
  { filter: { policy: 'staging' }, expect: 'g' },
  { filter: { policy: 'prod' }, expect: 'fedcba' },
  { filter: { actor: 't9' }, expect: 'h' },
  { filter: { actor: 'token ci of bob' }, expect: 'h' },
  { filter: { actor: 'alice' }, expect: 'gfedcba' },
  { filter: { code: 'signature.none' }, expect: 'b' },
  { filter: { code: 'signature.other' }, expect: '' },
  { filter: { from: minute(2), to: minute(4) }, expect: 'dc' },
  { filter: { from: minute(6) }, expect: 'hg' },
  { filter: { to: minute(1) }, expect: 'a' },
  { filter: { from: minute(60 * 24) }, expect: '' },
  {
    filter: { policy: 'prod', surface: 'pull', digest: digestNumber(1), to: minute(2) },
    expect: 'ba',
  },
  { filter: { tag: "' or 1=1 --" }, expect: '' },
  { filter: { tag: 'a\0' }, expect: '' },
];

test('a search finds what passes every filter, newest first', async (t) => {
  await using room = await openRoom();
  await fill(room.record);
  for (const { filter, expect } of FILTERS) {
    await t.test(JSON.stringify(filter), async () => {
      assert.equal(await tagsOf(room.record, filter), expect);
    });
  }
  await t.test('an id and a part of it, in any case', async () => {
    const { decisions } = await room.record.search({ tag: 'c' });
    const id = decisions[0]?.decision.id ?? '';
    assert.equal(await tagsOf(room.record, { id }), 'c');
    assert.equal(await tagsOf(room.record, { id: id.slice(-6).toLowerCase(), tag: 'c' }), 'c');
    assert.equal(await tagsOf(room.record, { id: 'ZZZZZZ' }), '');
  });
});

const INVALID: readonly RecordFilter[] = [
  { tag: '' },
  { repository: 'x'.repeat(513) },
  { digest: 'sha256:12' },
  { id: '%' },
  { id: 'A_B' },
  { id: 'A'.repeat(27) },
];

test('a filter that means nothing is refused', async () => {
  await using room = await openRoom();
  for (const filter of INVALID) {
    await assert.rejects(room.record.search(filter), { code: 'record.filter-invalid' });
  }
});

test('pages follow one another without a gap or a repetition', async () => {
  await using room = await openRoom();
  for (let n = 0; n < 23; n++) {
    const repository = `registry.example/${n % 2 === 0 ? 'even' : 'odd'}`;
    await room.record.keep(made({ tag: `v${n}`, repository }));
  }
  for (const filter of [{}, { repository: 'registry.example/even' }, { repository: '**/*e*n' }]) {
    const seen: (string | null)[] = [];
    let before: number | undefined;
    for (;;) {
      const page = await room.record.search(filter, {
        limit: 5,
        ...(before === undefined ? {} : { before }),
      });
      assert.ok(page.decisions.length <= 5);
      seen.push(...page.decisions.map(({ decision }) => decision.tag));
      if (page.next === null) break;
      before = page.next;
    }
    const all = Array.from({ length: 23 }, (_, n) => 22 - n);
    const wanted = 'repository' in filter ? all.filter((n) => n % 2 === 0) : all;
    assert.deepEqual(
      seen,
      wanted.map((n) => `v${n}`),
    );
  }
});

test('a page is never longer than configured', async () => {
  await using room = await openRoom({ config: { pageEntries: 3 } });
  for (let n = 0; n < 5; n++) await room.record.keep(made());
  const { decisions, next } = await room.record.search({}, { limit: 1000 });
  assert.deepEqual([decisions.length, next], [3, 3]);
});

test('clocks of replicas that differ hide nothing from a search by time', async () => {
  await using room = await openRoom();
  const skewed = [0, 30, -20, 10, 45, -5, 20].map((n) =>
    made({ tag: `at${n}` }, { at: minute(n) }),
  );
  for (const decision of skewed) await room.record.keep(decision);
  const { decisions } = await room.record.search({ from: minute(-5), to: minute(21) });
  assert.deepEqual(decisions.map(({ decision }) => decision.tag).sort(), [
    'at-5',
    'at0',
    'at10',
    'at20',
  ]);
});

test('one decision is found by its id, with its uses', async () => {
  await using room = await openRoom();
  const first = made();
  await room.record.keep(first);
  await room.record.keep(again(first));
  await room.record.flush();
  const found = await room.record.get(first.decision.id.toLowerCase());
  assert.equal(found.decision.id, first.decision.id);
  assert.equal(found.uses.count, 2);
  assert.equal((await room.record.search({})).decisions[0]?.uses.count, 2);
  await assert.rejects(room.record.get('nothing'), { code: 'record.decision-unknown' });
  await assert.rejects(room.record.explain('nothing'), { code: 'record.decision-unknown' });
});

test('an explanation shows the answer, who asked, and the tree with its remedy', async () => {
  await using room = await openRoom();
  const denied = refused(
    { namespace: 'prod', warnings: ['evil\u001b[2J'] },
    { request: { id: 'r', remoteAddress: '10.0.0.9', userAgent: 'podman' } },
  );
  await room.record.keep(denied);
  const text = await room.record.explain(denied.decision.id);
  for (const part of [
    `DENY  registry.example/prod/app:v1@${digestNumber(1)}   decision ${denied.decision.id}`,
    'pull by alice from 10.0.0.9, namespace prod   decided in 15 ms',
    'policy prod (enforce): deny',
    'fail  signature  no signature was found',
    'remedy: ',
  ]) {
    assert.ok(text.includes(part), `${part} in\n${text}`);
  }
  assert.ok(!text.includes('\u001b'));
});
