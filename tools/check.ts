/**
 * `npm test`: every check of the repository in order, each under a heading of its own, then the
 * tests. All of them run even when one fails, so that one run shows everything; the exit code is 0
 * only when all passed and at least one test ran. The last lines are the test runner's summary.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { runTests } from './check/tests.ts';

const ROOT = join(import.meta.dirname, '..');
const SOURCE = '--conditions=@bulla/source';

interface Step {
  readonly heading: string;
  /** A program of `node_modules`, run by this Node. */
  readonly program: string;
  readonly args: readonly string[];
}

const STEPS: readonly Step[] = [
  {
    heading: 'format and lint (biome)',
    program: 'node_modules/@biomejs/biome/bin/biome',
    args: ['check', '--error-on-warnings', '.'],
  },
  {
    heading: 'promises and switches (oxlint, type-aware)',
    program: 'node_modules/oxlint/bin/oxlint',
    args: ['--type-aware', '--quiet'],
  },
  {
    heading: 'types (tsc)',
    program: 'node_modules/typescript/bin/tsc',
    args: ['--noEmit', '-p', 'tsconfig.json'],
  },
  {
    // Markup and a browser's globals are known there only.
    heading: 'types of the console (tsc)',
    program: 'node_modules/typescript/bin/tsc',
    args: ['--noEmit', '-p', 'packages/console/tsconfig.json'],
  },
  {
    heading: 'unused files, exports and dependencies (knip)',
    program: 'node_modules/knip/bin/knip.js',
    // The build configurations say which source a file of a `dist` comes from.
    args: ['--no-config-hints', '--tsConfig', 'tsconfig.build.json'],
  },
  {
    heading: 'generated documents (drift)',
    program: 'tools/generate.ts',
    args: ['--check'],
  },
  { heading: 'lock file', program: 'tools/lock.ts', args: [] },
  { heading: 'licences', program: 'tools/licences.ts', args: [] },
  { heading: 'build', program: 'tools/build.ts', args: [] },
  {
    heading: 'console (vitest)',
    program: 'node_modules/vitest/vitest.mjs',
    args: ['run', '--root', 'packages/console', '--reporter', 'dot'],
  },
];

const failed = STEPS.filter((step) => !passes(step)).map(({ heading }) => heading);
console.log('== tests');
if (!(await runTests(ROOT))) failed.push('tests');
if (failed.length > 0) {
  console.error(`npm test: FAILED: ${failed.join(' · ')}`);
  process.exitCode = 1;
}

function passes({ heading, program, args }: Step): boolean {
  console.log(`== ${heading}`);
  const run = spawnSync(process.execPath, [SOURCE, program, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (run.status !== 0) console.error(`FAILED: ${heading} (exit ${run.status ?? run.signal})\n`);
  return run.status === 0;
}
