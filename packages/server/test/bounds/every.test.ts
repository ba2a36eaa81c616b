import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { every } from '../../src/bounds/every.ts';

test('turns never overlap, and disposal waits for the one under way', async () => {
  const events = new EventTarget();
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  let ended = 0;
  const running = every(
    { everyMs: 1 },
    async () => {
      begun += 1;
      events.dispatchEvent(new Event('begun'));
      await gate.promise;
      ended += 1;
    },
    () => undefined,
  );
  // Its timer does not keep the process alive; this one does.
  const alive = setInterval(() => undefined, 1000);
  await once(events, 'begun');
  // Many turns are due meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(begun, 1);
  const disposed = running[Symbol.asyncDispose]();
  gate.resolve();
  await disposed;
  clearInterval(alive);
  assert.deepEqual([begun, ended], [1, 1]);
});

test('a turn that fails is told of, and the next one comes', async () => {
  const events = new EventTarget();
  const failures: unknown[] = [];
  let turns = 0;
  await using _running = every(
    { everyMs: 1 },
    async () => {
      turns += 1;
      if (turns === 1) throw new Error('first');
      events.dispatchEvent(new Event('second'));
    },
    (error) => failures.push(error),
  );
  const alive = setInterval(() => undefined, 1000);
  await once(events, 'second');
  clearInterval(alive);
  assert.equal(failures.length, 1);
});

test('the first turn comes at once when asked to, and no other before its time', async () => {
  const asked: string[] = [];
  const never = 2 ** 31 - 1;
  const work = (name: string) => async () => void asked.push(name);
  const failed = () => undefined;
  await using _now = every({ everyMs: never, atOnce: true }, work('now'), failed);
  await using _later = every({ everyMs: never }, work('later'), failed);
  assert.deepEqual(asked, ['now']);
});
