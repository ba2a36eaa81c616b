import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStripes, type Stripes } from '../../../src/storage/files/stripes.ts';
import { faultOf } from '../expectations.ts';
import { temporaryFolder } from '../rooms.ts';

/** Two on one folder exclude one another as those of two processes do: each has locks of its own. */
async function withTwo(work: (one: Stripes, two: Stripes) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder();
  const [one, two] = [openStripes(folder.path), openStripes(folder.path, { waitMs: 50 })];
  await work(one, two);
  one.close();
  two.close();
}

test('tasks of one key never overlap, and those that fail let go', async () => {
  await using folder = await temporaryFolder();
  const all = [openStripes(folder.path), openStripes(folder.path), openStripes(folder.path)];
  let inside = 0;
  let done = 0;
  const task = async () => {
    assert.equal(++inside, 1);
    await sleep(1);
    inside -= 1;
    done += 1;
    if (done % 3 === 0) throw new Error('a task that fails');
  };
  const running = all.flatMap((stripes) =>
    Array.from({ length: 10 }, () => stripes.run('k', task)),
  );
  const ends = await Promise.allSettled(running);
  assert.equal(ends.filter(({ status }) => status === 'rejected').length, 10);
  assert.equal(done, 30);
  for (const stripes of all) stripes.close();
});

test('who gets no turn in time is told so, and runs nothing', () =>
  withTwo(async (one, two) => {
    const gate = Promise.withResolvers<void>();
    const holding = one.run('k', () => gate.promise);
    let ran = false;
    const refused = two.run('k', async () => {
      ran = true;
    });
    await assert.rejects(refused, faultOf('storage.busy'));
    assert.equal(ran, false);
    gate.resolve();
    await holding;
    assert.equal(await two.run('k', async () => 'mine'), 'mine');
  }));

test('who always has work lets others have a turn', async () => {
  await using folder = await temporaryFolder();
  const [greedy, other] = [openStripes(folder.path), openStripes(folder.path)];
  let isOver = false;
  const workers = Array.from({ length: 4 }, async () => {
    while (!isOver) await greedy.run('k', () => sleep(5));
  });
  for (let turn = 0; turn < 5; turn++) await other.run('k', async () => undefined);
  isOver = true;
  await Promise.all(workers);
  greedy.close();
  other.close();
});

test('a folder that is gone is an error, and the next task is tried again', async () => {
  await using folder = await temporaryFolder();
  const stripes = openStripes(`${folder.path}/missing`);
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(
      stripes.run('k', async () => undefined),
      /unable to open/,
    );
  }
  stripes.close();
});
