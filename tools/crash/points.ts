import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The system calls that change a disk, by who makes them: the thread of the database, and the one that
 * works on files. Each thread counts its own.
 */
export const KINDS_OF_CALLS = {
  database: 'pwrite64,ftruncate,fdatasync',
  files: 'mkdir,rename,link,unlink',
  both: 'fsync',
} as const;

/** The largest number that strace counts to: more calls than a run makes. */
export const NEVER = 65_535;

/**
 * A kill at the n-th of these calls that one thread makes: of a first start, of the first start on the
 * folder of an older version, or of work.
 */
export interface CrashPoint {
  readonly at: 'start' | 'upgrade' | 'work';
  readonly calls: string;
  readonly nth: number;
}

/** How many calls the busiest thread makes in a run that is given the path of strace's log. */
export async function countCalls(run: (log: string) => Promise<void>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-crash-'));
  const log = join(folder, 'calls');
  try {
    await run(log);
    const counts = new Map<string, number>();
    for (const line of (await readFile(log, 'utf8')).split('\n')) {
      // A call that others interrupt stands on two lines, of which the second says "resumed".
      const thread = /^(\d+) +\w+\(/.exec(line)?.[1];
      if (thread !== undefined) counts.set(thread, (counts.get(thread) ?? 0) + 1);
    }
    return Math.max(0, ...counts.values());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** So many of the points, in an order that is drawn. */
export function choosePoints(
  points: readonly CrashPoint[],
  wanted: number,
  random: () => number,
): readonly CrashPoint[] {
  const left = [...points];
  const chosen: CrashPoint[] = [];
  while (left.length > 0 && chosen.length < wanted) {
    chosen.push(...left.splice(Math.floor(random() * left.length), 1));
  }
  return chosen;
}
