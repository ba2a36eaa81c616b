import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsedException } from '@bulla/trust/policy/exceptions/document';
import type { CutOverAsk } from '../../src/rollout/service.ts';
import { digestNumber } from '../record/room.ts';
import { ANN, DAY_MS, HOUR_MS, openHouse, policyText } from './house.ts';

const START = { policy: 'prod', owner: 'platform', windowMs: 7 * DAY_MS };
const PLAIN: CutOverAsk = { accept: [], reason: null, quietMs: DAY_MS };
const APP = 'registry.example/prod/app';
const EXCEPTION: UsedException = {
  id: `sha256:${'4'.repeat(64)}`,
  name: 'until-friday',
  kind: 'exception',
  requester: 'ann',
  approver: 'bob',
  reason: 'late',
  expires: new Date('2026-06-01T00:00:00.000Z'),
  policy: 'prod',
  clauses: ['require'],
};

test('from a window to a cut-over that both replicas follow, recorded', async () => {
  await using house = await openHouse();
  const [one, other] = [await house.replica(), await house.replica()];
  await one.look();
  const former = other.current().set;
  await one.rollouts.start(ANN, START);
  await house.decided('warn');
  house.pass(8 * DAY_MS);
  await house.decided('pass');
  await one.rollouts.cutOver(ANN, 'prod', PLAIN);
  for (const replica of [one, other]) {
    await replica.look();
    const { set, warnings } = replica.current();
    assert.equal(set?.policies[0]?.document.mode, 'enforce');
    // What was cached by the policy that only warned ends.
    assert.notEqual(set?.policies[0]?.hash, former?.policies[0]?.hash);
    assert.notEqual(set?.hash, former?.hash);
    assert.ok(warnings.some((warning) => warning.includes('set mode: enforce in')));
    assert.deepEqual([...replica.cutOvers.fileModes()], [['prod', 'warn']]);
  }
  assert.deepEqual(await house.acts(), ['rollout.opened', 'rollout.cut-over']);
  const [act] = (await house.room.record.acts({ act: 'rollout.cut-over' })).acts;
  assert.deepEqual(
    [act?.act.actor.name, act?.act.subject, act?.act.detail['owner'], act?.act.detail['wouldDeny']],
    ['ann', 'prod', 'platform', 1],
  );
  const [standing] = await other.rollouts.list();
  assert.equal(standing?.cutOver?.act, act?.act.id);
  assert.deepEqual([standing?.state, standing?.fileMode], ['enforced', 'warn']);
});

test('a replica that starts after the cut-over enforces from its first moment', async () => {
  await using house = await openHouse('audit');
  const one = await house.replica();
  await one.rollouts.start(ANN, START);
  house.pass(8 * DAY_MS);
  await house.decided('pass');
  await one.rollouts.cutOver(ANN, 'prod', PLAIN);
  const late = await house.replica();
  assert.equal(late.current().set?.policies[0]?.document.mode, 'enforce');
});

test('what would have been denied is told by image and place, with what mended it', async () => {
  await using house = await openHouse();
  const { rollouts } = await house.replica();
  await house.decided('warn', { digest: digestNumber(9) });
  house.pass(1000);
  await rollouts.start(ANN, START);
  await house.decided('warn');
  await house.decided('warn');
  await house.decided('audit', { namespace: 'shop', surface: 'admission' });
  // Another policy refused it: this one would have as well.
  await house.decided('deny', {
    digest: digestNumber(2),
    policies: [
      ...(['deny', 'warn'] as const).map((effect) => {
        const policy = effect === 'deny' ? 'other' : 'prod';
        const finding = { check: 'x', outcome: 'fail', says: '' } as const;
        return { policy, hash: 'sha256:1', mode: 'warn', finding, effect } as const;
      }),
    ],
  });
  house.pass(HOUR_MS);
  await house.decided('pass');
  const { wouldDeny, complete, asked } = await rollouts.status('prod');
  assert.deepEqual([complete, asked], [true, true]);
  assert.deepEqual(
    wouldDeny
      .map(({ digest, namespace, count, code, mendedAt }) => [
        digest === digestNumber(1) ? 1 : 2,
        namespace,
        count,
        code,
        mendedAt !== null,
      ])
      .toSorted(),
    [
      // The pass was in no namespace: who is in `shop` has seen none.
      [1, 'shop', 1, 'signature.none', false],
      [1, null, 2, 'signature.none', true],
      [2, null, 1, 'signature.none', false],
    ].toSorted(),
  );
});

for (const { name, later } of [
  { name: 'at another door', later: { surface: 'pull' } },
  { name: 'by an exception', later: { surface: 'admission', exceptions: [EXCEPTION] } },
  { name: 'in another namespace', later: { surface: 'admission', namespace: 'other' } },
] as const) {
  test(`an image that passed ${name} is not mended`, async () => {
    await using house = await openHouse();
    const { rollouts } = await house.replica();
    await rollouts.start(ANN, START);
    house.pass(8 * DAY_MS);
    const place = { namespace: 'shop', surface: 'admission' } as const;
    await house.decided('warn', place);
    house.pass(1000);
    await house.decided('pass', { ...place, ...later });
    const refused = { code: 'rollout.denials-remain' };
    await assert.rejects(rollouts.cutOver(ANN, 'prod', PLAIN), refused);
    house.pass(1000);
    await house.decided('pass', place);
    await rollouts.cutOver(ANN, 'prod', PLAIN);
  });
}

const REFUSALS: readonly {
  readonly name: string;
  readonly code: string;
  readonly ask?: Partial<CutOverAsk>;
  readonly waits?: number;
  readonly decisions?: readonly ('warn' | 'pass')[];
  readonly file?: string;
}[] = [
  { name: 'before the end of the window', code: 'rollout.window-open', waits: 6 * DAY_MS },
  {
    name: 'before the end of the window, whatever is accepted',
    code: 'rollout.window-open',
    waits: 6 * DAY_MS,
    ask: { accept: [APP], reason: 'soon' },
    decisions: ['warn'],
  },
  { name: 'while images would be denied', code: 'rollout.denials-remain', decisions: ['warn'] },
  {
    name: 'while an image is denied again that had passed',
    code: 'rollout.denials-remain',
    decisions: ['pass', 'warn'],
  },
  {
    name: 'for another image than the one that was accepted',
    code: 'rollout.accept-unknown',
    decisions: ['warn'],
    ask: { accept: [`${APP}@${digestNumber(7)}`], reason: 'known' },
  },
  {
    name: 'by an acceptance without a reason',
    code: 'rollout.accept-unknown',
    decisions: ['warn'],
    ask: { accept: [APP] },
  },
  { name: 'of a policy that was never asked', code: 'rollout.denials-remain', decisions: [] },
  {
    // The window watched a lesser policy.
    name: 'of a policy that asks for more since',
    code: 'rollout.policy-changed',
    file: policyText('warn', '  tags: refuse\n'),
  },
  {
    name: 'of a policy that was renamed',
    code: 'rollout.policy-unknown',
    file: policyText('warn', '', 'production'),
  },
  {
    name: 'of a policy that its file enforces',
    code: 'rollout.state',
    file: policyText('enforce'),
  },
];

const PASSED = ['pass'] as const;

for (const { name, code, ask, waits = 8 * DAY_MS, decisions = PASSED, file } of REFUSALS) {
  test(`no cut-over ${name}: ${code}`, async () => {
    await using house = await openHouse();
    const replica = await house.replica();
    await replica.rollouts.start(ANN, START);
    if (file !== undefined) await house.write(file);
    await replica.look();
    house.pass(waits);
    for (const effect of decisions) {
      house.pass(1000);
      await house.decided(effect);
    }
    const cutOver = replica.rollouts.cutOver(ANN, 'prod', { ...PLAIN, ...ask });
    await assert.rejects(cutOver, { code });
    await replica.look();
    const mode = replica.current().set?.policies[0]?.document.mode;
    assert.equal(mode, file === undefined || code !== 'rollout.state' ? 'warn' : 'enforce');
    assert.ok(!(await house.acts()).includes('rollout.cut-over'));
  });
}

const ALLOWED: readonly {
  readonly name: string;
  readonly ask: Partial<CutOverAsk>;
  readonly decisions: readonly ('warn' | 'pass')[];
  readonly later?: number;
}[] = [
  {
    name: 'an image that is accepted with a reason',
    ask: { accept: [`${APP}@${digestNumber(1)}`], reason: 'ends on Friday' },
    decisions: ['warn'],
  },
  { name: 'an image that was mended', ask: {}, decisions: ['warn', 'pass'] },
  { name: 'an image of long ago', ask: {}, decisions: ['warn'], later: 2 * DAY_MS },
  {
    name: 'a policy that was never asked, in so many words',
    ask: { accept: ['nothing-observed'], reason: 'a new registry' },
    decisions: [],
  },
];

for (const { name, ask, decisions, later = 0 } of ALLOWED) {
  test(`${name} is nothing that stands in the way`, async () => {
    await using house = await openHouse();
    const { rollouts } = await house.replica();
    await rollouts.start(ANN, START);
    house.pass(8 * DAY_MS);
    for (const effect of decisions) {
      house.pass(1000);
      await house.decided(effect);
    }
    house.pass(later);
    const { cutOver } = await rollouts.cutOver(ANN, 'prod', { ...PLAIN, ...ask });
    assert.deepEqual([cutOver?.accepted, cutOver?.reason], [ask.accept ?? [], ask.reason ?? null]);
  });
}

test('a cut-over that the record does not take has not happened', async () => {
  await using house = await openHouse();
  const replica = await house.replica();
  await replica.rollouts.start(ANN, START);
  house.pass(8 * DAY_MS);
  await house.decided('pass');
  await house.room.record.close();
  const cutOver = replica.rollouts.cutOver(ANN, 'prod', PLAIN);
  await assert.rejects(cutOver, { code: 'record.unavailable' });
  await replica.look();
  assert.equal(replica.current().set?.policies[0]?.document.mode, 'warn');
  assert.equal((await replica.rollouts.list())[0]?.cutOver, null);
});

test('a cut-over is taken back on every replica, once that is recorded', async () => {
  await using house = await openHouse();
  const [one, other] = [await house.replica(), await house.replica()];
  await one.rollouts.start(ANN, START);
  house.pass(8 * DAY_MS);
  await house.decided('pass');
  await one.rollouts.cutOver(ANN, 'prod', PLAIN);
  await other.rollouts.back(ANN, 'prod', 'half of the shop is down');
  for (const replica of [one, other]) {
    await replica.look();
    assert.equal(replica.current().set?.policies[0]?.document.mode, 'warn');
    assert.deepEqual(await replica.rollouts.list(), []);
  }
  assert.deepEqual(await house.acts(), ['rollout.opened', 'rollout.cut-over', 'rollout.back']);
  await assert.rejects(one.rollouts.back(ANN, 'prod', 'again'), { code: 'rollout.policy-unknown' });
});

test('what cannot be recorded is not taken back', async () => {
  await using house = await openHouse();
  const replica = await house.replica();
  await replica.rollouts.start(ANN, START);
  house.pass(8 * DAY_MS);
  await house.decided('pass');
  await replica.rollouts.cutOver(ANN, 'prod', PLAIN);
  await house.room.record.close();
  await assert.rejects(replica.rollouts.back(ANN, 'prod', 'quietly'), {
    code: 'record.unavailable',
  });
  await replica.look();
  assert.equal(replica.current().set?.policies[0]?.document.mode, 'enforce');
});

test('of two that cut over at once one does, and it is recorded once', async () => {
  await using house = await openHouse();
  const [one, other] = [await house.replica(), await house.replica()];
  await one.rollouts.start(ANN, START);
  house.pass(8 * DAY_MS);
  await house.decided('pass');
  const both = await Promise.allSettled(
    [one, other].map(({ rollouts }) => rollouts.cutOver(ANN, 'prod', PLAIN)),
  );
  assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  assert.deepEqual(await house.acts(), ['rollout.opened', 'rollout.cut-over']);
});

test('a window is opened only for a policy that is there and does not enforce', async () => {
  await using house = await openHouse('enforce');
  const { rollouts } = await house.replica();
  await assert.rejects(rollouts.start(ANN, START), { code: 'rollout.state' });
  await assert.rejects(rollouts.start(ANN, { ...START, policy: 'other' }), {
    code: 'rollout.policy-unknown',
  });
  await assert.rejects(rollouts.status('prod'), { code: 'rollout.policy-unknown' });
  assert.deepEqual(await house.acts(), []);
});

test('whoever asks for names without end keeps no policy from refusing', async () => {
  await using house = await openHouse();
  const { rollouts } = await house.replica();
  await rollouts.start(ANN, START);
  house.pass(8 * DAY_MS);
  const flood = Array.from({ length: 1002 }, (_, at) => `registry.example/x/${at}`);
  await Promise.all(flood.map((repository) => house.decided('warn', { repository })));
  house.pass(2 * DAY_MS);
  const { complete, wouldDeny } = await rollouts.status('prod');
  assert.deepEqual([complete, wouldDeny.length], [false, 1000]);
  await assert.rejects(rollouts.cutOver(ANN, 'prod', PLAIN), { code: 'rollout.denials-remain' });
  const accept = ['more-than-shown'];
  await rollouts.cutOver(ANN, 'prod', { ...PLAIN, accept, reason: 'somebody guesses names' });
});

test('whoever asks how a policy stands while somebody else does gets the same answer', async () => {
  await using house = await openHouse();
  const { rollouts } = await house.replica();
  await rollouts.start(ANN, START);
  await house.decided('warn');
  const [one, other] = await Promise.all([rollouts.status('prod'), rollouts.status('prod')]);
  assert.equal(one, other);
  await house.decided('warn', { digest: digestNumber(2) });
  assert.equal((await rollouts.status('prod')).wouldDeny.length, 2);
});
