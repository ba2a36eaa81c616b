import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeService, type NodeAct } from '@bulla/server/node/service';
import type { Reached, ReachQuestion } from '@bulla/server/reach/question';
import { computeDigest } from '@bulla/trust/oci/digest';
import { DIGEST, ID, reached, type Told } from '../gatekeeper/kit.ts';
import { faultOf } from '../storage/expectations.ts';

const OTHER = computeDigest(Buffer.from('other'));
const CALLER = {
  id: 'T1',
  name: 'token node of ann',
  request: { id: 'r', remoteAddress: '10.0.0.1', userAgent: 'bulla-node (worker-1)' },
};

function open(told: Told = {}, change: Partial<Reached> = {}) {
  const asked: ReachQuestion[] = [];
  const acts: NodeAct[] = [];
  let generation = 'g1';
  const nodes = createNodeService({
    ask: async (question) => {
      asked.push(question);
      generation = 'g2';
      return { ...reached(question, told), ...change };
    },
    generation: async () => generation,
    note: async (act) => acts.push(act),
  });
  return { nodes, asked, acts };
}

test('a node asks on its surface about the digest; its tag and name only place it', async () => {
  const { nodes, asked } = open();
  const name = 'registry.example/app:v1';
  const answer = await nodes.decide({ name, digest: DIGEST }, CALLER);
  const [question] = asked;
  assert.equal(question?.reference, `${name}@${DIGEST}`);
  assert.equal(question?.surface, 'node');
  assert.deepEqual(question?.actor, { kind: 'node', id: 'T1', name: 'token node of ann' });
  assert.deepEqual(question?.credentials, []);
  assert.equal(answer.outcome, 'admit');
  assert.equal(answer.digest, DIGEST);
  assert.equal(answer.decision, ID);
  assert.equal(answer.mayStandIn, true);
  assert.ok(answer.freshForMs > 0 && answer.freshForMs <= 60_000);
});

test('a name with the digest itself is the same question, one with another is refused', async () => {
  const { nodes, asked } = open();
  await nodes.decide({ name: `registry.example/app@${DIGEST}`, digest: DIGEST }, CALLER);
  assert.equal(asked[0]?.reference, `registry.example/app@${DIGEST}`);
  await assert.rejects(
    nodes.decide({ name: `registry.example/app@${OTHER}`, digest: DIGEST }, CALLER),
    faultOf('node.digest-mismatch'),
  );
  assert.equal(asked.length, 1);
});

test('an answer holds under what was in force before it was asked for', async () => {
  const { nodes } = open();
  const question = { name: 'a', digest: DIGEST };
  assert.equal((await nodes.decide(question, CALLER)).generation, 'g1');
  assert.equal((await nodes.decide(question, CALLER)).generation, 'g2');
});

test('a decision about another digest lets nothing through (semantics 5)', async () => {
  const { nodes } = open({ digest: OTHER });
  const answer = await nodes.decide({ name: 'a', digest: DIGEST }, CALLER);
  assert.equal(answer.outcome, 'deny');
  assert.equal(answer.code, 'node.digest-mismatch');
});

const question: ReachQuestion = {
  ...{ reference: `a@${DIGEST}`, surface: 'node', namespace: null, credentials: [] },
  ...{ actor: { kind: 'node', id: '', name: '' }, request: CALLER.request, dryRun: false },
};
const pass = reached(question, {});
const audited = {
  ...pass.decision,
  policies: pass.decision.policies.map((policy) => ({ ...policy, effect: 'audit' as const })),
};

const KEPT: readonly {
  readonly name: string;
  readonly told: Told;
  readonly change: Partial<Reached>;
  readonly outcome: 'admit' | 'deny';
  readonly mayStandIn: boolean;
}[] = [
  { name: 'a pass', told: {}, change: {}, outcome: 'admit', mayStandIn: true },
  {
    name: 'a pass of the cache',
    told: {},
    change: { cache: 'hit' },
    outcome: 'admit',
    mayStandIn: true,
  },
  // Semantics 3: an outage must not hand itself on.
  {
    name: 'what stood in at the server',
    told: {},
    change: { cache: 'last-known-good' },
    outcome: 'admit',
    mayStandIn: false,
  },
  {
    name: 'what an auditing policy lets through',
    told: {},
    change: { decision: audited },
    outcome: 'admit',
    mayStandIn: false,
  },
  { name: 'a refusal', told: { outcome: 'deny' }, change: {}, outcome: 'deny', mayStandIn: false },
];

for (const { name, told, change, outcome, mayStandIn } of KEPT) {
  test(`${name} ${mayStandIn ? 'may' : 'may not'} be kept by a node`, async () => {
    const { nodes } = open(told, change);
    const answer = await nodes.decide({ name: 'a', digest: DIGEST }, CALLER);
    assert.equal(answer.outcome, outcome);
    assert.equal(answer.mayStandIn, mayStandIn);
    assert.equal(answer.freshForMs > 0, mayStandIn);
    assert.equal(answer.message === '', outcome === 'admit');
  });
}

test('what stood in is an act of the record each, and so is how many were lost', async () => {
  const { nodes, acts } = open();
  const first = new Date('2026-11-21T12:00:00Z');
  const last = new Date('2026-11-21T12:05:00Z');
  const standIn = { name: 'app:v1', digest: DIGEST, decision: ID, count: 3, first, last };
  await nodes.report({ standIns: [standIn], dropped: 7 }, CALLER);
  assert.deepEqual(
    acts.map(({ act, subject, actor }) => [act, subject, actor.id]),
    [
      ['node.stood-in', DIGEST, 'T1'],
      ['node.stand-ins-lost', 'T1', 'T1'],
    ],
  );
  assert.match(acts[0]?.says ?? '', /3 times, from 2026-11-21T12:00:00.000Z/);
  assert.equal(acts[0]?.detail['decision'], ID);
});
