import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFiles } from '../../src/storage/files/open.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import type { RoomUnderTest } from './contract.ts';

/** A folder that is gone at the end of the test. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'bulla-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Every room there is. */
export const ROOMS: readonly RoomUnderTest[] = [
  {
    name: 'memory',
    durable: false,
    place: async () => ({ open: async () => openMemory(), [Symbol.asyncDispose]: async () => {} }),
  },
  {
    name: 'files',
    durable: true,
    async place() {
      const folder = await temporaryFolder();
      return {
        open: () => openFiles(folder.path),
        [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
      };
    },
  },
];
