import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MODULE = new URL('../../src/server/heap.ts', import.meta.url).href;

interface Sizes {
  /** Of the space for new objects at the end, in MiB. */
  readonly young: number;
  /** The largest of the space for old ones, in MiB. */
  readonly old: number;
}

/** What V8 holds in a process of its own that does `work` over and over. */
function sizesOf(bounded: boolean, work: string): Sizes {
  const program = `
    import { boundHeap, oldBytes, youngBytes } from ${JSON.stringify(MODULE)};
    import { setImmediate as nextTurn } from 'node:timers/promises';
    const bound = ${bounded} ? boundHeap() : null;
    const kept = [];
    let old = 0;
    for (let turn = 0; turn < 400; turn++) {
      ${work}
      await nextTurn();
      old = Math.max(old, oldBytes() / 2 ** 20);
    }
    console.log(JSON.stringify({ young: youngBytes() / 2 ** 20, old }));
    bound?.[Symbol.dispose]();`;
  const args = ['--conditions=@bulla/source', '--input-type=module', '-e', program];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: here() });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(run.stdout);
}

function here(): string {
  return fileURLToPath(new URL('.', import.meta.url));
}

test('the space for new objects stays small under a load that would let V8 grow it', () => {
  // Much of it outlives a collection.
  const work =
    'for (let n = 0; n < 10_000; n++) kept[(turn * 10_000 + n) % 400_000] = { turn, n, text: [n] };';
  const { young: grown } = sizesOf(false, work);
  // Or this proves nothing.
  assert.ok(grown > 32, `V8 grew it to ${grown} MiB only`);
  const { young: bounded } = sizesOf(true, work);
  // The bound is told of a collection a moment after it: a part of a MiB-sized page may be on top.
  assert.ok(bounded < 0.75 * grown, `found ${bounded} MiB, without the bound ${grown} MiB`);
});

test('old objects that nobody uses are collected before they are as many as those in use', () => {
  // Each turn replaces some objects that have long been there, out of order.
  const work =
    'for (let n = 0; n < 10_000; n++) kept[((turn * 10_000 + n) * 7919) % 500_000] = { turn, n, text: [n] };';
  const { old: grown } = sizesOf(false, work);
  const { old: bounded } = sizesOf(true, work);
  assert.ok(bounded < 0.8 * grown, `found ${bounded} MiB, without the bound ${grown} MiB`);
});
