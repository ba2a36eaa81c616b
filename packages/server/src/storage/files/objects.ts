import { Readable } from 'node:stream';
import { checkPrefix, pageOf } from '../name.ts';
import type { ByteRange, Objects, Sweep } from '../objects.ts';
import { type OpenFile, unlessAbsent } from './operations.ts';
import { folderOf, pathOf } from './path.ts';
import type { Room } from './room.ts';
import { openStaging } from './staging.ts';

/** Where objects, and the marks of deleted ones, lie in the data folder. */
export const OBJECTS = 'objects';
export const DELETED = 'deleted';

/** Objects as one file each, named by an atomic rename. Reads the marks of deleted ones first. */
export async function fileObjects(room: Room): Promise<Objects> {
  const staging = openStaging(room);
  const deleted = await readMarks(room);
  const locate = (name: string) => room.at(OBJECTS, pathOf(name));

  async function unmark(name: string): Promise<void> {
    if (!deleted.has(name)) return;
    // A mark that comes back after a power cut only makes the next sweep ask `wanted` again.
    await unlessAbsent(room.files.unlink(room.at(DELETED, pathOf(name))));
    deleted.delete(name);
  }

  async function isThere(path: string): Promise<boolean> {
    return (await unlessAbsent(room.files.stat(path))) !== null;
  }

  /** Brings an object to its name by `move`, or keeps the one that is there. */
  function place(name: string, move: (path: string) => Promise<void>): Promise<void> {
    const path = locate(name);
    return room.writers.run(path, async () => {
      if (await isThere(path)) {
        // Its own writer may have failed between the rename and the end: make it durable here.
        await syncFile(room, path);
        await room.settle(path);
      } else {
        await move(path);
      }
      await unmark(name);
    });
  }

  async function openObject(name: string): Promise<OpenFile | null> {
    return unlessAbsent(room.files.open(locate(name), 'read'));
  }

  return {
    begin: (id, like = 'sha256') => room.run(() => staging.begin(id, like)),
    staged: (id) => room.run(() => staging.staged(id)),
    append: (id, offset, content, options = {}) =>
      room.run(() => staging.append(id, offset, content, options)),
    commit: (id, name, digest) =>
      room.run(() =>
        staging.complete(id, digest, async (staged) => {
          await room.makeFolderOf(locate(name));
          await place(name, async (path) => {
            await room.files.rename(staged, path);
            await room.settle(path);
          });
          // Left over when the object was there before.
          await unlessAbsent(room.files.unlink(staged));
        }),
      ),
    abort: (id) => room.run(() => staging.abort(id)),
    put: (name, bytes) => room.run(() => place(name, (path) => room.replace(path, bytes))),
    stat: (name) =>
      room.run(async () => {
        const found = await unlessAbsent(room.files.stat(locate(name)));
        return found === null ? null : { sizeBytes: found.sizeBytes };
      }),
    bytes: (name, range) =>
      room.run(async () => {
        const file = await openObject(name);
        if (file === null) return null;
        try {
          const { from, length } = range ?? { from: 0, length: await file.size() };
          return await file.read(length, from);
        } finally {
          await file.close();
        }
      }),
    stream: (name, range) =>
      room.run(async () => {
        const file = await openObject(name);
        return file === null ? null : streamOf(file, range);
      }),
    list: (prefix, page = {}) =>
      room.run(async () => {
        checkPrefix(prefix);
        return pageOf(await room.names(OBJECTS, folderOf(prefix)), prefix, page);
      }),
    keep: (name) =>
      room.run(async () => {
        const path = locate(name);
        return room.writers.run(path, async () => {
          if (!(await isThere(path))) return false;
          await unmark(name);
          return true;
        });
      }),
    delete: (name, at) =>
      room.run(async () => {
        const path = locate(name);
        return room.writers.run(path, async () => {
          if (!(await isThere(path))) return false;
          if (!deleted.has(name)) {
            await room.replace(room.at(DELETED, pathOf(name)), Buffer.from(at.toISOString()));
            deleted.set(name, at);
          }
          return true;
        });
      }),
    sweep: (sweep) =>
      room.run(async () => ({
        objects: await sweepObjects(room, deleted, unmark, sweep),
        staged: await staging.expire(new Date(sweep.at.getTime() - sweep.stagedMs)),
      })),
  };
}

async function streamOf(file: OpenFile, range: ByteRange | undefined): Promise<Readable> {
  try {
    const { from, length } = range ?? { from: 0, length: await file.size() };
    if (length > 0) return file.stream(length, from);
    await file.close();
    return Readable.from([], { objectMode: false });
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function syncFile(room: Room, path: string): Promise<void> {
  const file = await room.files.open(path, 'read');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
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

async function sweepObjects(
  room: Room,
  deleted: Map<string, Date>,
  unmark: (name: string) => Promise<void>,
  { at, graceMs, wanted }: Sweep,
): Promise<number> {
  let removed = 0;
  for (const [name, since] of [...deleted]) {
    if (at.getTime() - since.getTime() < graceMs) continue;
    const path = room.at(OBJECTS, pathOf(name));
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
}
