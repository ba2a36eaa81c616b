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
  // -D: the server is the child itself, and is told to stop.
  const only = [
    '-D',
    '--seccomp-bpf',
    '-f',
    '-qq',
    '-e',
    'trace=fsync,fdatasync',
    '-e',
    'signal=none',
  ];
  try {
    await using bulla = await start([strace, ...only, '-o', log]);
    const before = await callsIn(log);
    const result = await work(bulla);
    return { fsyncs: (await callsIn(log)) - before, result };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function callsIn(log: string): Promise<number> {
  const lines = (await readFile(log, 'utf8')).split('\n');
  // A call that others interrupt stands on two lines.
  return lines.filter((line) => /\b(?:fsync|fdatasync)\(/.test(line)).length;
}
