import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MODULE = new URL('../../src/server/young-generation.ts', import.meta.url).href;

/** The size of the space for new objects, in MiB, after work of which much outlives a collection. */
function youngAfterWork(bounded: boolean): number {
  const program = `
    import { boundYoungGeneration, youngBytes } from ${JSON.stringify(MODULE)};
    import { setImmediate as nextTurn } from 'node:timers/promises';
    const bound = ${bounded} ? boundYoungGeneration() : null;
    const kept = [];
    for (let turn = 0; turn < 400; turn++) {
      for (let n = 0; n < 10_000; n++) kept[(turn * 10_000 + n) % 400_000] = { turn, n, text: [n] };
      await nextTurn();
    }
    console.log(youngBytes() / 2 ** 20);
    bound?.[Symbol.dispose]();`;
  const args = ['--conditions=@bulla/source', '--input-type=module', '-e', program];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: here() });
  assert.equal(run.status, 0, run.stderr);
  return Number(run.stdout);
}

function here(): string {
  return fileURLToPath(new URL('.', import.meta.url));
}

test('the space for new objects stays small under a load that would let V8 grow it', () => {
  const grown = youngAfterWork(false);
  // Or this proves nothing.
  assert.ok(grown > 32, `V8 grew it to ${grown} MiB only`);
  const bounded = youngAfterWork(true);
  assert.ok(bounded <= 32, `found ${bounded} MiB`);
});
