import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openQueue } from '../../src/hooks/queue.ts';

interface Item {
  readonly lane: string;
  readonly says: string;
}

/** A queue whose work goes on until it is let go. */
function openHeld(most: number, atOnce: number) {
  const begun: string[] = [];
  const dropped: string[] = [];
  const failures: string[] = [];
  let held: (() => void)[] = [];
  const queue = openQueue<Item>({
    most,
    atOnce,
    laneOf: ({ lane }) => lane,
    async run({ says }) {
      begun.push(says);
      await new Promise<void>((resolve) => held.push(resolve));
      if (says === 'fails') throw new Error('failed');
    },
    failed: (_error, { says }) => failures.push(says),
    dropped: ({ says }) => dropped.push(says),
  });
  const release = () => {
    const all = held;
    held = [];
    for (const go of all) go();
  };
  const drain = async () => {
    const ended = queue.idle();
    const timer = setInterval(release, 1);
    await ended;
    clearInterval(timer);
  };
  return { queue, begun, dropped, failures, release, drain };
}

test('one lane does one after the other, and so many lanes go on at once', async () => {
  const { queue, begun, drain } = openHeld(10, 2);
  for (const [key, lane] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
    ['c1', 'c'],
  ] as const) {
    queue.add(key, { lane, says: key });
  }
  assert.deepEqual(begun, ['a1', 'b1']);
  await drain();
  assert.equal(begun.indexOf('a2') > begun.indexOf('a1'), true);
  assert.deepEqual([...begun].sort(), ['a1', 'a2', 'b1', 'c1']);
});

test('what waits already is replaced and keeps its turn', async () => {
  const { queue, begun, drain } = openHeld(10, 1);
  queue.add('a', { lane: 'a', says: 'first' });
  queue.add('a', { lane: 'a', says: 'second' });
  queue.add('b', { lane: 'b', says: 'other' });
  queue.add('a', { lane: 'a', says: 'third' });
  await drain();
  assert.deepEqual(begun, ['first', 'third', 'other']);
});

test('the oldest that waits makes room', async () => {
  const { queue, begun, dropped, drain } = openHeld(2, 1);
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key, { lane: key, says: key });
  assert.deepEqual(dropped, ['b']);
  await drain();
  assert.deepEqual(begun, ['a', 'c', 'd']);
});

test('a failure is told and ends nothing', async () => {
  const { queue, begun, failures, drain } = openHeld(10, 1);
  queue.add('a', { lane: 'a', says: 'fails' });
  queue.add('b', { lane: 'b', says: 'goes on' });
  await drain();
  assert.deepEqual([begun, failures], [['fails', 'goes on'], ['fails']]);
});

test('disposal forgets what waits and awaits what goes on', async () => {
  const { queue, begun, release } = openHeld(10, 1);
  queue.add('a', { lane: 'a', says: 'a' });
  queue.add('b', { lane: 'b', says: 'b' });
  const ended = queue[Symbol.asyncDispose]();
  release();
  await ended;
  assert.deepEqual(begun, ['a']);
});
