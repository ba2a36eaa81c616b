import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type EventData, run } from 'node:test';
import { inspect } from 'node:util';

/** The slow ones come first, so that no process stays alone with them at the end. */
const PATTERNS = [
  'journeys/**/*.test.ts',
  'test/*.test.ts',
  // The console's are on vitest, a step of its own.
  'packages/{trust,server,cli}/test/**/*.test.ts',
];

const FILE_TIMEOUT_MS = 300_000;
const FAILURE_LINES = 40;
const SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

/** The part of the runner's stream that is read here; its events are those of `node:test`. */
interface TestEvents {
  on(event: 'test:pass', listener: (data: EventData.TestPass) => void): this;
  on(event: 'test:fail', listener: (data: EventData.TestFail) => void): this;
  on(event: 'test:diagnostic', listener: (data: EventData.TestDiagnostic) => void): this;
  on(event: 'test:summary', listener: (data: EventData.TestSummary) => void): this;
  on(event: 'test:stderr', listener: (data: EventData.TestStderr) => void): this;
}

/**
 * Runs every test file of the repository, one process each and as many at a time as the machine has
 * cores, and prints only what failed and what was skipped (with its reason), then the runner's
 * summary lines. False when a test failed or when none ran to its end.
 */
export async function runTests(root: string): Promise<boolean> {
  // Hundreds of processes load the same modules, each of which is stripped of its types and compiled once.
  const compiled = await mkdtemp(join(tmpdir(), 'bulla-compiled-'));
  try {
    return await runFiles(root, { ...process.env, NODE_COMPILE_CACHE: compiled });
  } finally {
    await rm(compiled, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function runFiles(root: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const stream = run({
    cwd: root,
    files: PATTERNS.flatMap((pattern) => globSync(pattern, { cwd: root }).sort()),
    execArgv: ['--conditions=@bulla/source'],
    concurrency: Math.max(2, availableParallelism()),
    timeout: FILE_TIMEOUT_MS,
    env,
  });
  let passed = false;
  const events: TestEvents = stream;
  events.on('test:pass', (event) => printSkipped(root, event));
  events.on('test:fail', (event) => printFailed(root, event));
  events.on('test:stderr', ({ message }) => process.stderr.write(message));
  events.on('test:diagnostic', ({ message, nesting }) => {
    if (nesting === 0 && SUMMARY.test(message)) console.log(`ℹ ${message}`);
  });
  events.on('test:summary', ({ file, success, counts }) => {
    // Each file has a summary as well; the one without a file is about all of them.
    if (file !== undefined) return;
    passed = success && counts.tests > counts.skipped;
    if (counts.tests === counts.skipped) console.error('no test ran');
  });
  await new Promise((resolve) => stream.on('end', resolve).resume());
  return passed;
}

function printSkipped(root: string, { name, file, skip }: EventData.TestPass): void {
  if (skip === undefined || skip === false) return;
  console.log(`﹣ ${place(root, file)}: ${name} # ${skip === true ? 'skipped' : skip}`);
}

function printFailed(root: string, { name, file, line, details }: EventData.TestFail): void {
  const { cause } = details.error;
  // A parent fails with its children, and they have said why.
  if (Reflect.get(details.error, 'failureType') === 'subtestsFailed') return;
  const why = inspect(cause ?? details.error, { depth: 4 }).split('\n');
  const shown = why.slice(0, FAILURE_LINES).map((text) => `    ${text}`);
  console.log(`✖ ${place(root, file)}:${line ?? 0}: ${name}\n${shown.join('\n')}`);
}

function place(root: string, file: string | undefined): string {
  return file === undefined ? '(no file)' : relative(root, file);
}
