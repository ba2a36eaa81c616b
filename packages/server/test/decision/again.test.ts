import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answered } from '../../src/decision/ask.ts';
import { type Kit, type Outcome, open } from './kit.ts';

/** The answer from the cache to somebody who will ask often. */
async function cachedAnswer(kit: Kit): Promise<Answered> {
  await kit.decisions.decide(kit.ask({ often: true }));
  const answered = await kit.decisions.decide(kit.ask({ often: true }));
  assert.equal(answered.cache, 'hit');
  return answered;
}

test('a pass is given again as it is, and counted each time', async () => {
  const kit = await open('admit');
  const answered = await cachedAnswer(kit);
  for (let n = 1; n <= 3; n++) {
    assert.equal(answered.again?.()?.decision.id, answered.decision.id);
    assert.equal(kit.repeats(), n);
  }
  assert.equal(kit.taken(), 1);
});

/** Semantics 14 and 18: what a cached pass stands on is looked at each time that it is given. */
const OVER: readonly { readonly name: string; readonly change: (kit: Kit) => Promise<void> }[] = [
  { name: 'other policies', change: (kit) => kit.change('sha256:two') },
  { name: 'an hour later', change: async (kit) => kit.pass(3600) },
  { name: 'the clock set ahead', change: async (kit) => kit.setClock(3600) },
  {
    name: 'a revocation, once it is seen',
    async change(kit) {
      await kit.epochs.raise('revocation');
      kit.pass(1);
    },
  },
  {
    name: 'an exception that ended, once it is seen',
    async change(kit) {
      await kit.epochs.raise('exception');
      kit.pass(1);
    },
  },
  { name: 'counters that nobody has read for a second', change: async (kit) => kit.pass(1) },
  { name: 'a record that cannot count it', change: async (kit) => kit.stopCounting() },
];

for (const { name, change } of OVER) {
  test(`it is asked for anew after ${name}`, async () => {
    const kit = await open('admit');
    const answered = await cachedAnswer(kit);
    assert.notEqual(answered.again?.(), null);
    await change(kit);
    assert.equal(answered.again?.(), null);
  });
}

test('it ends with its evidence, at the very instant', async () => {
  const kit = await open('expiring');
  const first = await kit.decisions.decide(kit.ask({ often: true }));
  const until = first.decision.validUntil?.getTime() ?? 0;
  const answered = await kit.decisions.decide(kit.ask({ often: true }));
  const left = until - first.decision.at.getTime();
  assert.ok(left > 1, `the evidence of this test ends in ${left} ms`);
  assert.notEqual(answered.again?.(), null);
  kit.setClock(left / 1000);
  assert.equal(answered.again?.(), null);
});

for (const outcome of ['deny', 'inconclusive'] as const satisfies readonly Outcome[]) {
  test(`what is no pass is never given again: ${outcome}`, async () => {
    const kit = await open(outcome);
    await kit.decisions.decide(kit.ask({ often: true }));
    const { again } = await kit.decisions.decide(kit.ask({ often: true }));
    assert.equal(again, undefined);
  });
}

test('nor an answer that was not asked for often, nor that of a dry run', async () => {
  const kit = await open('admit');
  await cachedAnswer(kit);
  assert.equal((await kit.decisions.decide(kit.ask())).again, undefined);
  const dry = await kit.decisions.decide(kit.ask({ often: true, dryRun: true }));
  assert.equal(dry.again, undefined);
});
