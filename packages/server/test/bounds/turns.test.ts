import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTurns } from '../../src/bounds/turns.ts';

/** Tasks that end when they are told to. */
function tasks(count: number) {
  const begun: number[] = [];
  const gates = Array.from({ length: count }, () => Promise.withResolvers<number>());
  const task = (at: number) => () => {
    begun.push(at);
    return gates[at]?.promise ?? Promise.resolve(at);
  };
  return { begun, gates, task };
}

test('so many go on at a time, the others in the order in which they came', async () => {
  const turns = openTurns({ atOnce: 2 });
  const { begun, gates, task } = tasks(4);
  const all = [0, 1, 2, 3].map((at) => turns(task(at)));
  assert.deepEqual(begun, [0, 1]);
  gates[1]?.resolve(1);
  assert.equal(await all[1], 1);
  assert.deepEqual(begun, [0, 1, 2]);
  for (const [at, gate] of gates.entries()) gate.resolve(at);
  assert.deepEqual(await Promise.all(all), [0, 1, 2, 3]);
  assert.deepEqual(begun, [0, 1, 2, 3]);
});

test('what one task throws does not concern the others', async () => {
  const turns = openTurns({ atOnce: 1 });
  const failing = turns(() => Promise.reject(new Error('no')));
  const next = turns(async () => 'yes');
  await assert.rejects(failing, { message: 'no' });
  assert.equal(await next, 'yes');
});

test('one more than may wait is refused, and nobody else', async () => {
  const turns = openTurns({
    atOnce: 1,
    waiting: { most: 1, tooMany: () => new Error('too many') },
  });
  const { gates, task } = tasks(2);
  const running = turns(task(0));
  const waiting = turns(task(1));
  await assert.rejects(
    turns(async () => 2),
    { message: 'too many' },
  );
  gates[0]?.resolve(0);
  gates[1]?.resolve(1);
  assert.deepEqual(await Promise.all([running, waiting]), [0, 1]);
});
