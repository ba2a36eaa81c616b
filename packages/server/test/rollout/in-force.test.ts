import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { CutOverAsk } from '../../src/rollout/service.ts';
import { openRolloutCell } from '../../src/rollout/state.ts';
import { ANN, DAY_MS, openHouse, policyText } from './house.ts';

const START = { policy: 'prod', owner: 'platform', windowMs: 7 * DAY_MS };
const PLAIN: CutOverAsk = { accept: [], reason: null, quietMs: DAY_MS };
const APP = 'registry.example/prod/app';

test('a policy that is renamed after its cut-over is told of, and another inherits nothing', async () => {
  await using house = await openHouse();
  const replica = await house.replica();
  await replica.look();
  await replica.rollouts.start(ANN, START);
  house.pass(8 * DAY_MS);
  await house.decided('pass');
  await replica.rollouts.cutOver(ANN, 'prod', PLAIN);
  await house.write(policyText('warn', '', 'production'));
  await replica.look();
  const { set, warnings } = replica.current();
  assert.deepEqual(
    set?.policies.map(({ document }) => [document.name, document.mode]),
    [['production', 'warn']],
  );
  assert.ok(warnings.some((warning) => /prod was cut over and is not there/.test(warning)));
  assert.equal((await replica.rollouts.status('prod')).state, 'gone');
  assert.equal((await house.acts()).at(-1), 'rollout.policy-gone');
  // It comes back, and is enforced as before.
  await house.write(policyText('audit'));
  await replica.look();
  assert.equal(replica.current().set?.policies[0]?.document.mode, 'enforce');
});

test('a cut-over makes no policy do less, and none speak where it did not', async () => {
  await using house = await openHouse();
  const replica = await house.replica();
  await house.write(policyText('warn', '  namespaces: [{ exact: shop }]\n'));
  await replica.look();
  await replica.rollouts.start(ANN, START);
  house.pass(8 * DAY_MS);
  await house.decided('pass');
  await replica.rollouts.cutOver(ANN, 'prod', PLAIN);
  const scope = { repository: APP, surface: 'pull', environment: null } as const;
  const [policy] = replica.current().set?.policies ?? [];
  assert.equal(policy?.document.mode, 'enforce');
  assert.equal(policy?.covers({ ...scope, namespace: 'shop' }), true);
  // An image that nothing covers is refused: it must not begin to be admitted by this.
  assert.equal(policy?.covers({ ...scope, namespace: null }), false);
  // Where the file itself enforces, the file's word is the whole word.
  await house.write(policyText('enforce', '  namespaces: [{ exact: shop }]\n'));
  await replica.look();
  const [own] = replica.current().set?.policies ?? [];
  assert.equal(own?.covers({ ...scope, namespace: null }), true);
  assert.equal(replica.cutOvers.fileModes().size, 0);
});

for (const value of [
  'half a do',
  '[{"policy":"prod","mode":"warn"}]',
  '[{"policy":"prod","owner":"o","openedAt":"2026-05-01T12:00:00.000Z","openedBy":"a","endsAt":"2026-05-01T12:00:00.000Z","demands":"x","cutOver":null,"mode":"audit"}]',
]) {
  test(`cut-overs that cannot be read leave in force what is enforced: ${value.slice(0, 30)}`, async () => {
    await using house = await openHouse();
    const replica = await house.replica();
    await replica.rollouts.start(ANN, START);
    house.pass(8 * DAY_MS);
    await house.decided('pass');
    await replica.rollouts.cutOver(ANN, 'prod', PLAIN);
    const { registers } = house.rows;
    const cell = await registers.read('rollouts/policies');
    await registers.swap('rollouts/policies', cell?.version ?? null, Buffer.from(value));
    await replica.look();
    const { set, problem } = replica.current();
    assert.equal(set?.policies[0]?.document.mode, 'enforce');
    assert.ok(problem instanceof TrustFault);
    // One that starts now knows of nothing, and admits nothing.
    assert.equal((await house.replica()).current().set, null);
  });
}

test('a mode that changes in a file is recorded once, also over a restart', async () => {
  await using house = await openHouse('enforce');
  const replicas = [await house.replica(), await house.replica()];
  for (const replica of replicas) await replica.look();
  await house.write(policyText('audit'));
  for (const replica of replicas) await replica.look();
  await house.write(policyText('warn'));
  // Nobody ran when it changed.
  const later = await house.replica();
  await later.look();
  for (const replica of replicas) await replica.look();
  const { acts } = await house.room.record.acts({ act: 'policy.mode-changed' });
  assert.deepEqual(
    acts.map(({ act: { actor, subject, detail } }) => [
      actor.kind,
      subject,
      detail['from'],
      detail['to'],
      detail['file'],
    ]),
    [
      ['system', 'prod', 'audit', 'warn', house.file],
      ['system', 'prod', 'enforce', 'audit', house.file],
    ],
  );
});

test('changes of many replicas at once are all kept', async () => {
  await using house = await openHouse();
  const names = Array.from({ length: 12 }, (_, at) => `p${at}`);
  await Promise.all(
    names.map((policy) =>
      openRolloutCell(house.rows.registers).change(policy, () => ({
        ...{ policy, owner: 'o', openedBy: 'ann', demands: 'x', cutOver: null },
        ...{ openedAt: '2026-05-01T12:00:00.000Z', endsAt: '2026-05-01T12:00:00.000Z' },
      })),
    ),
  );
  const { rollouts } = await openRolloutCell(house.rows.registers).read();
  assert.deepEqual([...rollouts.keys()].toSorted(), names.toSorted());
});
