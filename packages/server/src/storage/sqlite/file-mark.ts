import { statSync } from 'node:fs';

/**
 * Device and inode of the file at `path`, by which it is known when another takes its name; null when
 * none has it. A database that was removed or replaced can still be written by those who have it open,
 * and nobody would ever read what they wrote.
 */
export function fileMark(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
}
