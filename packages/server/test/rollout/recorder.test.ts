import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requirePeer } from '../../../../test/peers.ts';
import { startPostgres } from '../../../../test/postgres.ts';
import { openRecorder } from '../../src/rollout/recorder.ts';
import type { CutOverAsk, RolloutService } from '../../src/rollout/service.ts';
import { createRollouts } from '../../src/rollout/service.ts';
import { leasesOf } from '../../src/storage/lease.ts';
import { openPostgres } from '../../src/storage/postgres/open.ts';
import { ANN, DAY_MS, type House, openHouse, policyText, type Replica } from './house.ts';

const START = { policy: 'prod', owner: 'platform', windowMs: 7 * DAY_MS };
const PLAIN: CutOverAsk = { accept: [], reason: null, quietMs: DAY_MS };
const KEY = 'rollouts/policies';

/** A house in which a cut-over could be made. */
async function ready(house: House): Promise<Replica> {
  const replica = await house.replica();
  await replica.look();
  await replica.rollouts.start(ANN, START);
  house.pass(8 * DAY_MS);
  await house.decided('pass');
  return replica;
}

/** Rollouts of a server that ends at a place of its cut-over: nothing that comes after it happens. */
function ending(house: House, replica: Replica, at: 'before' | 'after'): RolloutService {
  const ended = new Promise<never>(() => undefined);
  return createRollouts({
    cell: replica.cutOvers.cell,
    record: house.room.record,
    recorder: {
      ...replica.cutOvers.recorder,
      async recorded(_policy, cutOver, write) {
        const written = await write();
        if (at === 'after' && written?.cutOver?.unrecorded !== undefined) {
          const { openedAt } = written;
          await house.room.record.note({
            ...{ actor: ANN, act: 'rollout.cut-over', subject: 'prod', says: 'as it was said' },
            detail: { openedAt, at: cutOver.at },
          });
        }
        return ended;
      },
    },
    policies: () => replica.current().set,
    fileModes: replica.cutOvers.fileModes,
    reload: async () => undefined,
    clock: () => new Date(house.room.time.ms),
  });
}

async function written(house: House): Promise<void> {
  for (;;) {
    const cell = await house.rows.registers.read(KEY);
    if (cell !== null && Buffer.from(cell.value).includes('unrecorded')) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const at of ['before', 'after'] as const) {
  test(`a cut-over whose server ends ${at} it was recorded is recorded once by whoever looks next`, async () => {
    await using house = await openHouse();
    const dead = await ready(house);
    void ending(house, dead, at).cutOver(ANN, 'prod', PLAIN);
    await written(house);
    if (at === 'after') {
      while (!(await house.acts()).includes('rollout.cut-over')) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const others = [await house.replica(), await house.replica(), await house.replica()];
    await Promise.all(others.map((replica) => replica.look()));
    for (const replica of others) await replica.look();
    const { acts } = await house.room.record.acts({ act: 'rollout.cut-over' });
    assert.equal(acts.length, 1);
    const [standing] = await dead.rollouts.list();
    assert.deepEqual(
      [standing?.state, standing?.cutOver?.act, standing?.cutOver?.unrecorded],
      ['enforced', acts[0]?.act.id, undefined],
    );
    assert.deepEqual([acts[0]?.act.actor.id, acts[0]?.act.subject], [ANN.id, 'prod']);
    if (at === 'before') assert.equal(acts[0]?.act.detail['from'], 'warn');
  });
}

test('of many replicas on one PostgreSQL one records what a server left, and what a file changed', async (t) => {
  const program = requirePeer(t, 'postgresql');
  if (program === null) return;
  await using postgres = await startPostgres(program);
  const rows = await openPostgres({ url: await postgres.database() });
  await using house = await openHouse('warn', rows);
  const dead = await ready(house);
  void ending(house, dead, 'before').cutOver(ANN, 'prod', PLAIN);
  await written(house);
  await house.write(policyText('audit'));
  const others: Replica[] = [];
  for (let count = 0; count < 6; count++) others.push(await house.replica());
  for (let round = 0; round < 3; round++) {
    await Promise.all(others.map((replica) => replica.look()));
  }
  const acts = await house.acts();
  for (const act of ['rollout.cut-over', 'policy.mode-changed']) {
    assert.equal(acts.filter((one) => one === act).length, 1, acts.join());
  }
  const [standing] = await dead.rollouts.list();
  assert.equal(typeof standing?.cutOver?.act, 'string');
});

test('what the record refuses stays to be recorded, and is by the next look', async () => {
  await using house = await openHouse();
  const dead = await ready(house);
  void ending(house, dead, 'before').cutOver(ANN, 'prod', PLAIN);
  await written(house);
  const refusing = { note: () => Promise.reject(new Error('full')), acts: house.room.record.acts };
  const clock = () => new Date(house.room.time.ms);
  const leases = leasesOf(house.rows.registers, { clock });
  const { cell } = dead.cutOvers;
  const recorder = openRecorder({ cell, record: refusing, leases });
  await assert.rejects(recorder.complete((await cell.read()).rollouts), { message: 'full' });
  await dead.look();
  assert.equal((await house.acts()).filter((act) => act === 'rollout.cut-over').length, 1);
  assert.notEqual((await dead.rollouts.list())[0]?.cutOver?.act, null);
});

test('a mode whose change was recorded and not kept is not recorded again; one that was neither is', async () => {
  await using house = await openHouse('enforce');
  const one = await house.replica();
  await one.look();
  const { registers } = house.rows;
  const kept = await registers.read('rollouts/modes');
  assert.ok(kept !== null);
  // The server noted it, and ended before it kept it.
  const act = { actor: ANN, act: 'policy.mode-changed', subject: 'prod', says: 'so it did' };
  const detail = { from: 'enforce', to: 'warn', change: kept.version };
  await house.room.record.note({ ...act, detail });
  await house.write(policyText('warn'));
  await one.look();
  assert.equal((await house.acts()).length, 1);
  // The same change once more is one of its own.
  await house.write(policyText('enforce'));
  await one.look();
  await house.write(policyText('warn'));
  await one.look();
  assert.equal((await house.acts()).length, 3);
});
