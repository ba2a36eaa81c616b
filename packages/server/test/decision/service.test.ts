import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ask, Resolved } from '@bulla/server/decision/ask';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { PolicyMode } from '@bulla/trust/policy/document';
import type { Rollback } from '@bulla/trust/policy/evaluate/rollback';
import {
  ANOTHER_USER,
  ASK,
  IMAGE,
  type Kit,
  LEAF,
  OTHER,
  type Outcome,
  open,
  REPOSITORY,
  START,
} from './kit.ts';

const cases: readonly {
  readonly name: string;
  readonly outcome: Outcome;
  readonly mode?: PolicyMode;
  readonly first?: Partial<Ask>;
  readonly second?: Partial<Ask>;
  readonly between?: (kit: Kit) => Promise<void> | void;
  /** How often evidence was looked at for both questions. */
  readonly taken: 1 | 2;
}[] = [
  { name: 'a pass is used again', outcome: 'admit', taken: 1 },
  { name: 'a pass is used for an hour', outcome: 'admit', between: (k) => k.pass(3599), taken: 1 },
  { name: 'and no longer', outcome: 'admit', between: (k) => k.pass(3600), taken: 2 },
  {
    name: 'a clock that is set back keeps no pass for longer',
    outcome: 'admit',
    between: (k) => {
      k.setClock(-400 * 24 * 3600);
      k.pass(3600);
    },
    taken: 2,
  },
  {
    name: 'nor a refusal',
    outcome: 'deny',
    between: (k) => {
      k.setClock(-60);
      k.pass(10);
    },
    taken: 2,
  },
  {
    name: 'a clock that is set forward ends a pass',
    outcome: 'admit',
    between: (k) => k.setClock(3600),
    taken: 2,
  },
  {
    name: 'a pass ends with its evidence',
    outcome: 'expiring',
    between: (k) => k.pass(60),
    taken: 2,
  },
  {
    name: 'a refusal is used for ten seconds',
    outcome: 'deny',
    between: (k) => k.pass(9),
    taken: 1,
  },
  { name: 'and no longer', outcome: 'deny', between: (k) => k.pass(10), taken: 2 },
  {
    name: 'a refusal ends with a push to the repository',
    outcome: 'deny',
    between: (k) => k.decisions.pushed(REPOSITORY),
    taken: 2,
  },
  {
    name: 'also with one that another replica took',
    outcome: 'deny',
    between: (k) => k.epochs.raise(`push/${REPOSITORY}`),
    taken: 2,
  },
  {
    name: 'a push to another repository ends nothing',
    outcome: 'deny',
    between: (k) => k.decisions.pushed(`${REPOSITORY}/web`),
    taken: 1,
  },
  {
    name: 'a pass outlives a push',
    outcome: 'admit',
    between: (k) => k.decisions.pushed(REPOSITORY),
    taken: 1,
  },
  {
    name: 'what is only audited is used for ten seconds, like a refusal',
    outcome: 'deny',
    mode: 'audit',
    between: (k) => k.pass(10),
    taken: 2,
  },
  {
    name: 'what is only warned of ends with a push: it may be a signature',
    outcome: 'deny',
    mode: 'warn',
    between: (k) => k.decisions.pushed(REPOSITORY),
    taken: 2,
  },
  { name: 'inconclusive is not cached', outcome: 'inconclusive', taken: 2 },
  {
    name: 'a revocation ends every pass within a second',
    outcome: 'admit',
    between: async (k) => {
      await k.epochs.raise('revocation');
      k.pass(1);
    },
    taken: 2,
  },
  {
    name: 'so does an exception that came or went (semantics 14)',
    outcome: 'admit',
    between: async (k) => {
      await k.epochs.raise('exception');
      k.pass(1);
    },
    taken: 2,
  },
  {
    name: 'another trust root ends every pass, under the same policies (semantics 14)',
    outcome: 'admit',
    between: (k) => k.changeTrustRoots('acme sha256:2'),
    taken: 2,
  },
  {
    name: 'another policy set ends every pass',
    outcome: 'admit',
    between: (k) => k.change('sha256:two'),
    taken: 2,
  },
  {
    name: 'another digest is another question',
    outcome: 'admit',
    second: resolved({ digest: OTHER }),
    taken: 2,
  },
  {
    name: 'another repository is',
    outcome: 'admit',
    second: { repository: 'registry.example/b' },
    taken: 2,
  },
  { name: 'another surface is', outcome: 'admit', second: { surface: 'admission' }, taken: 2 },
  { name: 'another namespace is', outcome: 'admit', second: { namespace: 'prod' }, taken: 2 },
  {
    name: 'the digest of an admitted tag is not',
    outcome: 'admit',
    second: { tag: null },
    taken: 1,
  },
  {
    name: 'the tag of an admitted digest is',
    outcome: 'admit',
    first: { tag: null },
    taken: 2,
  },
  { name: 'a tag that went back is', outcome: 'admit', second: { rollback: back() }, taken: 2 },
  { name: 'another user is not', outcome: 'admit', second: { actor: ANOTHER_USER }, taken: 1 },
  {
    name: 'credentials of another are',
    outcome: 'admit',
    first: { access: 'of ann' },
    second: { access: 'of bob', actor: ANOTHER_USER },
    taken: 2,
  },
  {
    name: 'no credentials are, after somebody with some: what they opened is theirs (semantics 14)',
    outcome: 'admit',
    first: { access: 'of ann', tag: null },
    second: { tag: null, actor: ANOTHER_USER },
    taken: 2,
  },
  {
    name: 'nor does a child of an index that credentials opened answer without them',
    outcome: 'admit',
    first: { access: 'of ann' },
    second: { ...resolved({ digest: LEAF }), tag: null, parents: [IMAGE] },
    taken: 2,
  },
  {
    name: 'the same credentials are not',
    outcome: 'admit',
    first: { access: 'of ann' },
    second: { access: 'of ann', actor: ANOTHER_USER },
    taken: 1,
  },
  {
    name: 'what everybody is told is told to who has credentials',
    outcome: 'admit',
    second: { access: 'of ann' },
    taken: 1,
  },
  {
    name: 'but a refusal of everybody is none of theirs',
    outcome: 'deny',
    second: { access: 'of ann' },
    taken: 2,
  },
  {
    name: 'a leaf of an admitted index is decided with it',
    outcome: 'admit',
    second: { ...resolved({ digest: LEAF }), tag: null, parents: [IMAGE] },
    taken: 1,
  },
  {
    name: 'a leaf that the index does not cover is not',
    outcome: 'admit',
    second: { ...resolved({ digest: OTHER }), tag: null, parents: [IMAGE] },
    taken: 2,
  },
  {
    name: 'a leaf that another index lists as well is another question',
    outcome: 'deny',
    first: { ...resolved({ digest: LEAF }), tag: null },
    second: { ...resolved({ digest: LEAF }), tag: null, parents: [OTHER] },
    taken: 2,
  },
  {
    name: 'a leaf of a refused index is not',
    outcome: 'deny',
    second: { ...resolved({ digest: LEAF }), tag: null, parents: [IMAGE] },
    taken: 2,
  },
];

function resolved(to: Resolved): Partial<Ask> {
  return { resolved: to };
}

function back(): Rollback {
  return { newer: OTHER, newerSince: new Date(START - 1000) };
}

describe('decisions of a server', () => {
  for (const { name, outcome, mode, first, second, between, taken } of cases) {
    test(`${outcome} ${mode ?? 'enforce'}: ${name}`, async () => {
      const kit = await open(outcome, mode);
      await kit.decisions.decide(kit.ask(first));
      await between?.(kit);
      const again = await kit.decisions.decide(kit.ask(second));
      assert.equal(kit.taken(), taken);
      assert.equal(kit.kept.length, 2, 'both uses are recorded');
      assert.equal(again.cache, taken === 1 ? 'hit' : 'miss');
      const asked: Digest | undefined =
        second?.resolved !== undefined && 'digest' in second.resolved
          ? second.resolved.digest
          : IMAGE;
      assert.equal(again.decision.digest, asked, 'the answer is about what was asked');
    });
  }

  test('one question that many ask at once is answered once, and recorded for each', async () => {
    const kit = await open('admit');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => kit.decisions.decide(kit.ask())),
    );
    assert.equal(kit.taken(), 1);
    assert.equal(kit.kept.length, 20);
    assert.equal(new Set(answers.map(({ decision }) => decision.id)).size, 1);
  });

  test('who asks after a push does not get what was begun before it', async () => {
    const kit = await open('deny');
    const before = kit.decisions.decide(kit.ask());
    // As far as the taking of the decision, which then waits.
    while (kit.taken() === 0) await new Promise((resolve) => process.nextTick(resolve));
    await kit.decisions.pushed(REPOSITORY);
    const after = await kit.decisions.decide(kit.ask());
    assert.notEqual(after.decision.id, (await before).decision.id);
    assert.equal(kit.taken(), 2);
  });

  test('each user has a decision id of their own', async () => {
    const kit = await open('admit');
    const first = await kit.decisions.decide(kit.ask());
    const other = await kit.decisions.decide(kit.ask({ actor: ANOTHER_USER }));
    const otherAgain = await kit.decisions.decide(kit.ask({ actor: ANOTHER_USER }));
    assert.notEqual(first.decision.id, other.decision.id);
    assert.equal(other.decision.id, otherAgain.decision.id);
  });

  test('a tag that cannot be resolved is never answered from the cache', async () => {
    const kit = await open('admit');
    await kit.decisions.decide(kit.ask());
    const problem = new TrustFault('registry.unreachable', 'gone');
    await kit.decisions.decide(kit.ask(resolved({ problem, remembered: IMAGE })));
    assert.equal(kit.taken(), 2);
  });

  test('without a record an enforcing door refuses, from the cache as well', async () => {
    const kit = await open('admit');
    await kit.decisions.decide(kit.ask());
    kit.failRecord();
    await assert.rejects(kit.decisions.decide(kit.ask()), { code: 'storage.full' });
    await assert.rejects(kit.decisions.decide(kit.ask(resolved({ digest: OTHER }))), {
      code: 'storage.full',
    });
  });

  test('without a record a door that only audits goes on', async () => {
    const kit = await open('deny', 'audit');
    kit.failRecord();
    const { decision } = await kit.decisions.decide(kit.ask());
    assert.equal(decision.outcome, 'admit');
  });
});

test('a question about no image is refused whatever policies say, and recorded', async () => {
  const { decisions, kept, taken } = await open('admit', 'audit');
  const { surface, namespace, actor, request } = ASK;
  const question = { reference: 'Foo//bar\u0007', surface, namespace, actor, request };
  const fault = new TrustFault('reference.malformed', 'expected a reference');
  const { decision } = await decisions.refuse(question, fault);
  assert.deepEqual(
    [decision.outcome, decision.finding.code, decision.repository, taken()],
    ['deny', 'reference.malformed', '', 0],
  );
  assert.ok(!decision.reference.includes('\u0007'));
  assert.deepEqual(
    kept.map((made) => made.decision.id),
    [decision.id],
  );
  await decisions.refuse({ ...question, dryRun: true }, fault);
  assert.equal(kept.length, 1);
});

test('a dry run leaves nothing: no record, no cached answer, no use', async (t) => {
  for (const outcome of ['admit', 'deny'] as const) {
    await t.test(outcome, async () => {
      const kit = await open(outcome);
      const dry = await kit.decisions.decide(kit.ask({ dryRun: true }));
      assert.equal(dry.decision.outcome, outcome);
      assert.deepEqual([kit.kept.length, kit.decisions.cached()], [0, 0]);
      // The next answer is taken anew, and is recorded as the first.
      const { cache } = await kit.decisions.decide(kit.ask());
      assert.deepEqual([cache, kit.taken(), kit.kept.length], ['miss', 2, 1]);
    });
  }
});

test('a dry run is answered from the cache, and that is no use of it either', async () => {
  const kit = await open('admit');
  await kit.decisions.decide(kit.ask());
  const dry = await kit.decisions.decide(kit.ask({ dryRun: true, actor: ANOTHER_USER }));
  assert.deepEqual([dry.cache, kit.taken(), kit.kept.length], ['hit', 1, 1]);
  // Had the dry run counted as that user's first use, this one would have its id.
  const { decision } = await kit.decisions.decide(kit.ask({ actor: ANOTHER_USER }));
  assert.notEqual(decision.id, dry.decision.id);
  assert.equal(kit.kept.length, 2);
});

test('a dry run is answered though the record cannot be written', async () => {
  const kit = await open('admit');
  kit.failRecord();
  assert.equal((await kit.decisions.decide(kit.ask({ dryRun: true }))).decision.outcome, 'admit');
  await assert.rejects(kit.decisions.decide(kit.ask()), { code: 'storage.full' });
});
