import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answered } from '../../src/decision/ask.ts';
import { seenNamespaces } from '../../src/reach/namespaces.ts';
import { type Often, openOften } from '../../src/reach/often.ts';
import type { Reached, ReachQuestion } from '../../src/reach/question.ts';
import { asking } from './kit.ts';
import { openWorld } from './world.ts';

const REFERENCE = 'registry.example/app:1';

/** A memory that remembers one answer by a tag, for a second, by a clock that the test moves. */
async function open(question: ReachQuestion = asking(REFERENCE)) {
  await using world = await openWorld();
  const reached = await world.ask(asking(`${world.image}:v1`));
  const time = { ms: 0 };
  const state = { holds: true };
  const seen = seenNamespaces();
  const often: Often = openOften({ tagMs: 1000, seen, now: () => time.ms });
  const answered: Answered = {
    decision: reached.decision,
    cache: 'hit',
    again: () => (state.holds ? answered : null),
  };
  const remember = (asked: ReachQuestion, more: Partial<Reached> = {}) =>
    often.remember(asked, {
      reached: { ...reached, ...more },
      answered,
      repository: 'registry.example/app',
    });
  remember(question);
  return { often, time, state, seen, remember };
}

test('the same question has the same answer, and its namespace is seen', async () => {
  const { often, seen } = await open();
  assert.equal(often.again(asking(REFERENCE))?.decision.outcome, 'admit');
  assert.deepEqual(seen.of('registry.example/app'), ['default']);
});

const OTHERS: readonly { readonly name: string; readonly question: ReachQuestion }[] = [
  { name: 'another image', question: asking('registry.example/app:2') },
  { name: 'another namespace', question: asking(REFERENCE, { namespace: 'prod' }) },
  { name: 'no namespace', question: asking(REFERENCE, { namespace: null }) },
  {
    name: 'another user',
    question: asking(REFERENCE, {
      actor: { kind: 'kubernetes', id: 'kubernetes:bob', name: 'bob' },
    }),
  },
  {
    // Semantics 14: what their secrets open is asked about with them.
    name: 'somebody with pull secrets',
    question: asking(REFERENCE, {
      credentials: [{ registry: 'registry.example', username: 'u', password: 'p' }],
    }),
  },
  { name: 'a dry run', question: asking(REFERENCE, { dryRun: true }) },
  { name: 'another door', question: asking(REFERENCE, { surface: 'node' }) },
];

for (const { name, question } of OTHERS) {
  test(`${name} has to ask`, async () => {
    const { often } = await open();
    assert.equal(often.again(question), null);
  });
}

test('parts that run into one another are no other question', async () => {
  const question = asking('b/c:1', { namespace: 'a', actor: actor('x y') });
  const { often } = await open(question);
  for (const [namespace, id, reference] of [
    ['a 3:x y', '', 'b/c:1'],
    ['a', 'x', 'y b/c:1'],
    ['', 'a 3:x y', 'b/c:1'],
  ] as const) {
    assert.equal(often.again(asking(reference, { namespace, actor: actor(id) })), null);
  }
});

function actor(id: string) {
  return { kind: 'kubernetes', id, name: id } as const;
}

test('what a tag led to is taken for that for a second, and a digest for good', async () => {
  const { often, time, remember } = await open();
  const byDigest = `${REFERENCE}@sha256:${'a'.repeat(64)}`;
  remember(asking(byDigest), { byDigest: true });
  time.ms = 999;
  assert.notEqual(often.again(asking(REFERENCE)), null);
  time.ms = 1000;
  assert.equal(often.again(asking(REFERENCE)), null);
  time.ms = 1e9;
  assert.notEqual(often.again(asking(byDigest)), null);
});

test('an answer that does not hold any more has to be asked for', async () => {
  const { often, state } = await open();
  state.holds = false;
  assert.equal(often.again(asking(REFERENCE)), null);
});

test('an answer of which nobody can say whether it holds is not remembered', async () => {
  await using world = await openWorld();
  const reached = await world.ask(asking(`${world.image}:v1`));
  const often = openOften({ tagMs: 1000, seen: seenNamespaces(), now: () => 0 });
  const { decision, cache } = reached;
  const came = { reached, answered: { decision, cache }, repository: 'registry.example/app' };
  often.remember(asking(REFERENCE), came);
  assert.equal(often.again(asking(REFERENCE)), null);
});
