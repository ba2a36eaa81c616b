import { Readable } from 'node:stream';
import { checkPrefix, pageOf } from '../name.ts';
import type { ByteRange, Objects } from '../objects.ts';
import { type Deletions, openDeletions } from './deletions.ts';
import { type OpenFile, unlessAbsent } from './operations.ts';
import { folderOf, pathOf } from './path.ts';
import type { Room } from './room.ts';
import { openStaging, type Staging } from './staging.ts';

/** Where objects lie in the data folder. */
export const OBJECTS = 'objects';

type Writing = Pick<Objects, 'begin' | 'staged' | 'append' | 'commit' | 'abort' | 'put'>;
type Reading = Pick<Objects, 'stat' | 'bytes' | 'stream' | 'list'>;
type Deleting = Pick<Objects, 'keep' | 'delete' | 'sweep'>;

/** Objects as one file each, named by an atomic rename. */
export async function fileObjects(room: Room): Promise<Objects> {
  const staging = openStaging(room);
  const deletions = await openDeletions(room);
  return {
    ...writing(room, staging, deletions),
    ...reading(room),
    ...deleting(room, staging, deletions),
  };
}

function locate(room: Room, name: string): string {
  return room.at(OBJECTS, pathOf(name));
}

function writing(room: Room, staging: Staging, deletions: Deletions): Writing {
  /** Brings an object to its name by `move`, or keeps the one that is there. */
  function place(name: string, move: (path: string) => Promise<void>): Promise<void> {
    const path = locate(room, name);
    return room.writers.run(path, async () => {
      if (await isThere(room, path)) {
        // Its own writer may have failed between the rename and the end: make it durable here.
        await syncFile(room, path);
        await room.settle(path);
      } else {
        await move(path);
      }
      await deletions.unmark(name);
    });
  }

  return {
    begin: (id, like = 'sha256') => room.run(() => staging.begin(id, like)),
    staged: (id) => room.run(() => staging.staged(id)),
    append: (id, offset, content, options = {}) =>
      room.run(() => staging.append(id, offset, content, options)),
    commit: (id, name, digest) =>
      room.run(() =>
        staging.complete(id, digest, async (staged) => {
          await room.makeFolderOf(locate(room, name));
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
  };
}

function reading(room: Room): Reading {
  const openObject = (name: string): Promise<OpenFile | null> =>
    unlessAbsent(room.files.open(locate(room, name), 'read'));

  return {
    stat: (name) =>
      room.run(async () => {
        const found = await unlessAbsent(room.files.stat(locate(room, name)));
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
  };
}

function deleting(room: Room, staging: Staging, deletions: Deletions): Deleting {
  /** Does `act` while no writer has the name; false when the object is not there. */
  const whenThere = (name: string, act: () => Promise<void>): Promise<boolean> =>
    room.run(async () => {
      const path = locate(room, name);
      return room.writers.run(path, async () => {
        if (!(await isThere(room, path))) return false;
        await act();
        return true;
      });
    });

  return {
    keep: (name) => whenThere(name, () => deletions.unmark(name)),
    delete: (name, at) => whenThere(name, () => deletions.mark(name, at)),
    sweep: (sweep) =>
      room.run(async () => ({
        objects: await deletions.sweep(sweep, (name) => locate(room, name)),
        staged: await staging.expire(new Date(sweep.at.getTime() - sweep.stagedMs)),
      })),
  };
}

async function isThere(room: Room, path: string): Promise<boolean> {
  return (await unlessAbsent(room.files.stat(path))) !== null;
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
