import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SIZES = [1 << 20, 1 << 16, 1 << 12, 1 << 8, 1] as const;

/** A small file system of its own. Disposing it takes it away. */
export interface SmallDisk extends AsyncDisposable {
  /** Takes all of its room but so many bytes, in whole pages. */
  readonly fill: (leftBytes?: number) => Promise<void>;
  /** Gives the room back. */
  readonly empty: () => Promise<void>;
}

/** Mounts a disk at a folder, for those who may; null when the test is skipped. */
export async function mountSmallDisk(
  t: TestContext,
  folder: string,
  size: string,
): Promise<SmallDisk | null> {
  await mkdir(folder);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  } catch {
    t.skip('a small file system cannot be mounted here');
    return null;
  }
  const filler = join(folder, 'filler');
  return {
    async fill(leftBytes = 0) {
      for (const bytes of SIZES) while (await isWritten(filler, bytes));
      await truncate(filler, (await stat(filler)).size - leftBytes);
    },
    empty: () => rm(filler),
    [Symbol.asyncDispose]: async () => void (await run('umount', [folder])),
  };
}

async function isWritten(path: string, bytes: number): Promise<boolean> {
  try {
    await writeFile(path, Buffer.alloc(bytes, 'x'), { flag: 'a' });
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    assert.equal(code, 'ENOSPC', String(error));
    return false;
  }
}
