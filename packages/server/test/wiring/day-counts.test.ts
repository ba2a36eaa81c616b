import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayCounts } from '../../src/wiring/day-counts.ts';
import { BEGIN, made, openRoom } from '../record/room.ts';

type Effect = 'pass' | 'warn' | 'audit' | 'deny';

/** A decision by two policies, of which one is satisfied. */
function withEffect(effect: Effect, at: Date) {
  const { decision } = made();
  const policies = decision.policies.flatMap((one) => [
    one,
    { ...one, policy: 'other', mode: effect === 'audit' ? ('audit' as const) : one.mode, effect },
  ]);
  return made({ policies, outcome: effect === 'deny' ? 'deny' : 'admit', at }, { at });
}

test('decisions of the last day are counted by what came of them, each once', async () => {
  await using room = await openRoom();
  const at = new Date(BEGIN);
  const keep = (effect: Effect, when = at) => room.record.keep(withEffect(effect, when));
  for (const effect of ['pass', 'audit', 'audit', 'warn', 'deny', 'deny', 'deny'] as const) {
    await keep(effect);
  }
  await keep('deny', new Date(BEGIN - 25 * 3600_000));
  assert.deepEqual(await dayCounts(room.tables, at), {
    admitted24h: 1,
    audited24h: 2,
    warned24h: 1,
    denied24h: 3,
  });
});
