import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const MAIN = join(ROOT, 'packages/cli/src/main.ts');

/**
 * What every run has of the environment: no home, and so no credentials; and the folder for compiled
 * code, with which a command starts in a third of the time. `npm test` names one.
 */
export const ENV: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  ...(process.env['NODE_COMPILE_CACHE'] === undefined
    ? {}
    : { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] }),
};

/** What one run of the command came to. */
export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A path of this repository's cosign fixtures. */
export function vector(path: string): string {
  return join(ROOT, 'vectors/cosign', path);
}

/**
 * Runs `bulla` from its source, with no credentials, no terminal and at most 60 seconds; `limit` is
 * a command of the shell that the process is to be started under (`ulimit -f 0`).
 */
export async function bulla(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  limit?: string,
): Promise<Run> {
  const command = [process.execPath, '--conditions=@bulla/source', MAIN, ...args];
  const shell = limit === undefined ? [] : ['sh', '-c', `${limit}; exec "$@"`, 'sh'];
  const [program = '', ...rest] = [...shell, ...command];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    env: { ...ENV, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

/**
 * Runs `bulla` with a standard input that stays open, interrupts it when `ready` resolves, and
 * answers how many milliseconds later it ended.
 */
export async function interruptedBulla(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ready: Promise<void>,
): Promise<Run & { readonly afterMs: number }> {
  const child = spawn(process.execPath, ['--conditions=@bulla/source', MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
    env: { ...ENV, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  await Promise.race([ready, closed]);
  const started = Date.now();
  child.kill('SIGINT');
  const code = await closed;
  return { code, out, err, afterMs: Date.now() - started };
}

/** An empty folder that is removed when it is disposed. */
export async function emptyFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'bulla-cli-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
