import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { TrustFault } from '@bulla/trust/fault/fault';
import { textTrial, trial } from '../tools/fuzz/parser.ts';
import { PARSERS } from '../tools/fuzz/parsers.ts';
import { fuzz } from '../tools/fuzz/run.ts';

const ROOT = join(import.meta.dirname, '..');
const run = promisify(execFile);

// A process each, so that a parser that hangs or exhausts the memory is named by its test.
test('a second of mutations on each parser', { concurrency: 2 }, async (t) => {
  const trials = PARSERS.map(({ name }) =>
    t.test(name, { timeout: 60_000 }, async () => {
      const args = ['--conditions=@bulla/source', 'tools/fuzz.ts', '--seconds', '1', name];
      const { stdout } = await run(process.execPath, args, { cwd: ROOT, timeout: 60_000 });
      const [, runs, accepted] = /: (\d+) inputs, (\d+) accepted/.exec(stdout) ?? [];
      assert.ok(Number(runs) > 100, stdout);
      assert.ok(Number(accepted) > 0, `no seed of ${name} parses: ${stdout}`);
    }),
  );
  await Promise.all(trials);
});

const PLANTED = [
  {
    name: 'an error that is no TrustFault',
    attempt: trial((bytes) => {
      if (bytes.includes(0xff)) throw new RangeError('planted');
    }),
    expect: /RangeError: planted/,
  },
  {
    name: 'a defect that calls itself a fault',
    attempt: trial((bytes) => {
      if (bytes.includes(0xff)) throw new TrustFault('internal.defect', 'planted');
    }),
    expect: /planted/,
  },
  {
    name: 'two spellings of one value',
    attempt: textTrial((text) => text.trim(), { encode: (text) => text, law: 'identical' }),
    expect: /written back as/,
  },
  {
    name: 'a writer that is not stable',
    attempt: textTrial((text) => text, { encode: (text) => `${text}!`, law: 'stable' }),
    expect: /written as .*, then as/,
  },
  {
    name: 'a reader that refuses its own writer',
    attempt: textTrial(
      (text) => {
        if (text.startsWith('!')) throw new TrustFault('json.malformed', 'planted');
        return text;
      },
      { encode: (text) => `!${text}`, law: 'stable' },
    ),
    expect: /refuses what it wrote itself/,
  },
];

test('the fuzzer sees planted defects', async (t) => {
  for (const { name, attempt, expect } of PLANTED) {
    await t.test(name, async () => {
      const subject = { name, seeds: [{ text: 'seed' }], load: async () => attempt };
      const { failure } = await fuzz(ROOT, subject, { seconds: 5, seed: 1 });
      assert.match(failure?.why ?? 'nothing was seen', expect);
    });
  }
});

test('a seed pattern without a file is an error', async () => {
  const subject = {
    name: 'none',
    seeds: [{ files: 'vectors/none/*' }],
    load: async () => () => {},
  };
  await assert.rejects(fuzz(ROOT, subject, { seconds: 1, seed: 1 }), /no seed file matches/);
});
