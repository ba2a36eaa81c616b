import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPath } from '../../on-path.ts';
import type { RunningBulla } from './running.ts';

/** What was counted, and what the work answered. */
export interface Counted<T> {
  readonly fsyncs: number;
  readonly result: T;
}

/**
 * Counts the calls of fsync and fdatasync that a server makes while `work` runs, by strace from its
 * start on; null without strace. Only these calls are stopped at, so the others run at full speed.
 */
export async function countFsyncs<T>(
  start: (under: readonly string[]) => Promise<RunningBulla>,
  work: (bulla: RunningBulla) => Promise<T>,
): Promise<Counted<T> | null> {
  const strace = onPath('strace');
  if (strace === null) return null;
  const folder = await mkdtemp(join(tmpdir(), 'bulla-fsyncs-'));
  const log = join(folder, 'calls');
  const only = ['-e', 'trace=fsync,fdatasync', '-e', 'signal=none'];
  try {
    // -D: the server is the child itself, and is told to stop.
    const under = [strace, '-D', '--seccomp-bpf', '-f', '-qq', '-ttt', ...only, '-o', log];
    const { result, from, to } = await timed(await start(under), work);
    // Written by then: strace keeps some lines to itself while it runs.
    return { fsyncs: await callsIn(log, from, to), result };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The work's answer, and the seconds of the clock between which it ran; ends the server. */
async function timed<T>(started: RunningBulla, work: (bulla: RunningBulla) => Promise<T>) {
  await using bulla = started;
  const from = Date.now() / 1000;
  const result = await work(bulla);
  return { result, from, to: Date.now() / 1000 };
}

async function callsIn(log: string, from: number, to: number): Promise<number> {
  const text = await readFile(log, 'utf8');
  // A call that others interrupt stands on two lines, of which the second does not match.
  const calls = [...text.matchAll(/^\d+ +(\d+\.\d+) (?:fsync|fdatasync)\(/gm)];
  return calls.filter(([, at]) => Number(at) >= from && Number(at) <= to).length;
}
