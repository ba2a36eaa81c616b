import type { Sweep } from '../objects.ts';
import { unlessAbsent } from './operations.ts';
import { pathOf } from './path.ts';
import type { Room } from './room.ts';

/** Where the marks of deleted objects lie in the data folder. */
export const DELETED = 'deleted';

/** The marks of deleted objects. `mark` and `unmark` are called by who holds the object's name. */
export interface Deletions {
  mark(name: string, at: Date): Promise<void>;
  unmark(name: string): Promise<void>;
  /** Removes the objects whose grace is over, `locate` telling their paths, and counts them. */
  sweep(sweep: Sweep, locate: (name: string) => string): Promise<number>;
}

/** The marks as they are known. `get`, `set` and `drop` are called by who holds the name. */
interface Marks {
  get(name: string): Promise<Date | null>;
  set(name: string, at: Date): Promise<void>;
  drop(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
}

/** The deletions of a room, read from its marks. */
export async function openDeletions(room: Room): Promise<Deletions> {
  // Where other processes write marks as well, only the disk knows them.
  const disk = marksOnDisk(room);
  const marks = room.sharing === null ? await remembered(disk) : disk;

  return {
    unmark: (name) => marks.drop(name),
    async mark(name, at) {
      if ((await marks.get(name)) === null) await marks.set(name, at);
    },
    async sweep({ at, graceMs, wanted }, locate) {
      let removed = 0;
      for (const name of await marks.names()) {
        const since = await marks.get(name);
        if (since === null || at.getTime() - since.getTime() < graceMs) continue;
        const path = locate(name);
        await room.writers.run(path, async () => {
          // Kept, or deleted anew, since it was looked at.
          if ((await marks.get(name))?.getTime() !== since.getTime()) return;
          if (!(await wanted(name))) {
            await unlessAbsent(room.files.unlink(path));
            // Before the mark goes: an object that comes back after a power cut is marked still.
            await room.settle(path);
            removed += 1;
          }
          await marks.drop(name);
        });
      }
      return removed;
    },
  };
}

function marksOnDisk(room: Room): Marks {
  const markOf = (name: string) => room.at(DELETED, pathOf(name));
  const drop = async (name: string): Promise<void> => {
    // A mark that comes back after a power cut only makes a later sweep ask `wanted` again.
    await unlessAbsent(room.files.unlink(markOf(name)));
  };
  return {
    drop,
    async get(name) {
      const bytes = await unlessAbsent(room.files.readFile(markOf(name)));
      if (bytes === null) return null;
      const at = new Date(Buffer.from(bytes).toString('latin1'));
      if (!Number.isNaN(at.getTime())) return at;
      // A mark that cannot be read would make an object go too early; drop it, and the object stays.
      await drop(name);
      return null;
    },
    set: (name, at) => room.replace(markOf(name), Buffer.from(at.toISOString())),
    names: () => room.names(DELETED, ''),
  };
}

/** The marks in memory, and on the disk as before. */
async function remembered(disk: Marks): Promise<Marks> {
  const known = new Map<string, Date>();
  for (const name of await disk.names()) {
    const at = await disk.get(name);
    if (at !== null) known.set(name, at);
  }
  return {
    get: async (name) => known.get(name) ?? null,
    async set(name, at) {
      await disk.set(name, at);
      known.set(name, at);
    },
    async drop(name) {
      if (!known.has(name)) return;
      await disk.drop(name);
      known.delete(name);
    },
    names: async () => [...known.keys()],
  };
}
