import { Readable } from 'node:stream';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { checkPrefix, pageOf } from '../name.ts';
import type { ByteRange, Objects, Sweep, Swept } from '../objects.ts';
import type { Room } from './room.ts';
import { appendStaged, checkStaged, emptyStaged, requireStaged, type Staged } from './staging.ts';

interface Held {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  deletedAt: Date | null;
}

type Writing = Pick<Objects, 'begin' | 'staged' | 'append' | 'commit' | 'abort' | 'put'>;
type Reading = Pick<Objects, 'stat' | 'bytes' | 'stream' | 'list'>;
type Deleting = Pick<Objects, 'keep' | 'delete' | 'sweep'>;

/**
 * Objects as lists of chunks in Maps. A commit moves the list in one turn of the event loop, so it
 * is atomic; chunks are never changed after they came in, so readers need no copy.
 */
export function memoryObjects(room: Room): Objects {
  const objects = new Map<string, Held>();
  const staging = new Map<string, Staged>();
  return {
    ...writing(room, objects, staging),
    ...reading(room, objects),
    ...deleting(room, objects, staging),
  };
}

function writing(room: Room, objects: Map<string, Held>, staging: Map<string, Staged>): Writing {
  function place(name: string, chunks: readonly Uint8Array[], sizeBytes: number): void {
    const before = objects.get(name);
    if (before === undefined) {
      objects.set(name, { chunks, sizeBytes, deletedAt: null });
    } else {
      before.deletedAt = null;
      room.reserve(-sizeBytes);
    }
  }

  return {
    async begin(id, like = 'sha256') {
      room.enter(id);
      if (staging.has(id)) {
        throw new TrustFault('storage.staging-taken', `staged write ${quote(id)} was begun before`);
      }
      staging.set(id, emptyStaged(like));
    },
    async staged(id) {
      room.enter(id);
      const write = staging.get(id);
      return write === undefined ? null : { sizeBytes: write.sizeBytes };
    },
    async append(id, offset, content, options = {}) {
      room.enter(id);
      return appendStaged(room, requireStaged(staging, id), offset, content, options);
    },
    async commit(id, name, digest) {
      room.enter(id);
      room.enter(name);
      const write = requireStaged(staging, id);
      checkStaged(write, digest);
      staging.delete(id);
      place(name, write.chunks, write.sizeBytes);
      return write.sizeBytes;
    },
    async abort(id) {
      room.enter(id);
      if (!staging.has(id)) return false;
      const write = requireStaged(staging, id);
      staging.delete(id);
      room.reserve(-write.sizeBytes);
      return true;
    },
    async put(name, bytes) {
      room.enter(name);
      room.reserve(bytes.length);
      place(name, [bytes.slice()], bytes.length);
    },
  };
}

function reading(room: Room, objects: ReadonlyMap<string, Held>): Reading {
  return {
    async stat(name) {
      room.enter(name);
      const held = objects.get(name);
      return held === undefined ? null : { sizeBytes: held.sizeBytes };
    },
    async bytes(name, range) {
      room.enter(name);
      const held = objects.get(name);
      return held === undefined ? null : Buffer.concat([...cut(held, range)]);
    },
    async stream(name, range) {
      room.enter(name);
      const held = objects.get(name);
      return held === undefined ? null : Readable.from(cut(held, range), { objectMode: false });
    },
    async list(prefix, page = {}) {
      room.enter();
      checkPrefix(prefix);
      return pageOf(objects.keys(), prefix, page);
    },
  };
}

function deleting(room: Room, objects: Map<string, Held>, staging: Map<string, Staged>): Deleting {
  return {
    async keep(name) {
      room.enter(name);
      const held = objects.get(name);
      if (held === undefined) return false;
      held.deletedAt = null;
      return true;
    },
    async delete(name, at) {
      room.enter(name);
      const held = objects.get(name);
      if (held === undefined) return false;
      held.deletedAt ??= at;
      return true;
    },
    async sweep(sweep) {
      room.enter();
      const removed = await sweepObjects(room, objects, sweep);
      return { objects: removed, staged: expire(room, staging, sweep) };
    },
  };
}

function* cut(held: Held, range: ByteRange | undefined): Generator<Uint8Array> {
  let skip = range?.from ?? 0;
  let left = range?.length ?? held.sizeBytes;
  for (const chunk of held.chunks) {
    if (left <= 0) return;
    if (skip >= chunk.length) {
      skip -= chunk.length;
      continue;
    }
    const part = chunk.subarray(skip, skip + left);
    skip = 0;
    left -= part.length;
    yield part;
  }
}

async function sweepObjects(
  room: Room,
  objects: Map<string, Held>,
  { at, graceMs, wanted }: Sweep,
): Promise<Swept['objects']> {
  let removed = 0;
  for (const [name, held] of objects) {
    const since = held.deletedAt;
    if (since === null || at.getTime() - since.getTime() < graceMs) continue;
    const stays = await wanted(name);
    // A keep or a put may have come while `wanted` looked (it cleared the mark), and a deletion
    // after it: then the grace begins anew.
    if (held.deletedAt !== since || objects.get(name) !== held) continue;
    if (stays) {
      held.deletedAt = null;
    } else {
      objects.delete(name);
      room.reserve(-held.sizeBytes);
      removed += 1;
    }
  }
  return removed;
}

function expire(
  room: Room,
  staging: Map<string, Staged>,
  { at, stagedMs }: Sweep,
): Swept['staged'] {
  let abandoned = 0;
  for (const [id, write] of staging) {
    if (write.busy || at.getTime() - write.touchedAt < stagedMs) continue;
    staging.delete(id);
    room.reserve(-write.sizeBytes);
    abandoned += 1;
  }
  return abandoned;
}
