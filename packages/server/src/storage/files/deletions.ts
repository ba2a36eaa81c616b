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

/** The deletions of a room, read from its marks. */
export async function openDeletions(room: Room): Promise<Deletions> {
  const deleted = await readMarks(room);
  const markOf = (name: string) => room.at(DELETED, pathOf(name));

  async function unmark(name: string): Promise<void> {
    if (!deleted.has(name)) return;
    // A mark that comes back after a power cut only makes a later sweep ask `wanted` again.
    await unlessAbsent(room.files.unlink(markOf(name)));
    deleted.delete(name);
  }

  return {
    unmark,
    async mark(name, at) {
      if (deleted.has(name)) return;
      await room.replace(markOf(name), Buffer.from(at.toISOString()));
      deleted.set(name, at);
    },
    async sweep({ at, graceMs, wanted }, locate) {
      let removed = 0;
      for (const [name, since] of [...deleted]) {
        if (at.getTime() - since.getTime() < graceMs) continue;
        const path = locate(name);
        await room.writers.run(path, async () => {
          if (deleted.get(name) !== since) return;
          if (!(await wanted(name))) {
            await unlessAbsent(room.files.unlink(path));
            // Before the mark goes: an object that comes back after a power cut is marked still.
            await room.settle(path);
            removed += 1;
          }
          await unmark(name);
        });
      }
      return removed;
    },
  };
}

async function readMarks(room: Room): Promise<Map<string, Date>> {
  const marks = new Map<string, Date>();
  for (const name of await room.names(DELETED, '')) {
    const text = Buffer.from(await room.files.readFile(room.at(DELETED, pathOf(name))));
    const at = new Date(text.toString('latin1'));
    // A mark that cannot be read would make an object go too early; drop it, and the object stays.
    if (Number.isNaN(at.getTime())) await room.files.unlink(room.at(DELETED, pathOf(name)));
    else marks.set(name, at);
  }
  return marks;
}
