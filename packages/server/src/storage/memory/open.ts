import type { Store } from '../store.ts';
import { memoryObjects } from './objects.ts';
import { memoryRegisters } from './registers.ts';
import { memoryRoom } from './room.ts';

/** How much a memory room may hold. */
export interface MemoryOptions {
  /** All objects, staged bytes and cells together. Default 4 GiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 4 * 2 ** 30;

/** An empty store in this process's memory; it is gone when the process is. */
export function openMemory(options: MemoryOptions = {}): Store {
  const room = memoryRoom(options.maxBytes ?? DEFAULT_MAX_BYTES);
  return {
    objects: memoryObjects(room),
    registers: memoryRegisters(room),
    async [Symbol.asyncDispose]() {
      room.close();
    },
  };
}
