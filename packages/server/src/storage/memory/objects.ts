import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import { checkPrefix, pageOf } from '../name.ts';
import type { ByteRange, Objects, Sweep, Swept } from '../objects.ts';
import type { Room } from './room.ts';

interface Held {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  deletedAt: Date | null;
}

interface Staged {
  readonly chunks: Uint8Array[];
  sizeBytes: number;
  readonly algorithm: 'sha256' | 'sha512';
  readonly hash: Hash;
  busy: boolean;
  touchedAt: number;
}

/**
 * Objects as lists of chunks in Maps. A commit moves the list in one turn of the event loop, so it
 * is atomic; chunks are never changed after they came in, so readers need no copy.
 */
export function memoryObjects(room: Room): Objects {
  const objects = new Map<string, Held>();
  const staging = new Map<string, Staged>();

  function open(id: string): Staged {
    const write = staging.get(id);
    if (write === undefined) {
      throw new TrustFault('storage.staging-unknown', `no staged write ${quote(id)} is open`);
    }
    if (write.busy) {
      throw new TrustFault('storage.staging-busy', `staged write ${quote(id)} is being written`);
    }
    return write;
  }

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
      staging.set(id, {
        chunks: [],
        sizeBytes: 0,
        algorithm: like,
        hash: createHash(like),
        busy: false,
        touchedAt: Date.now(),
      });
    },
    async staged(id) {
      room.enter(id);
      const write = staging.get(id);
      return write === undefined ? null : { sizeBytes: write.sizeBytes };
    },
    async append(id, offset, content, options = {}) {
      room.enter(id);
      const write = open(id);
      if (write.sizeBytes !== offset) {
        throw new TrustFault(
          'storage.offset-conflict',
          `expected bytes from ${write.sizeBytes} on, found an offset of ${offset}`,
        );
      }
      write.busy = true;
      try {
        for await (const chunk of content) {
          room.enter();
          if (write.sizeBytes + chunk.length > (options.maxBytes ?? Number.POSITIVE_INFINITY)) {
            throw new TrustFault('storage.too-large', `more than ${options.maxBytes} bytes`);
          }
          room.reserve(chunk.length);
          write.chunks.push(new Uint8Array(chunk));
          write.hash.update(chunk);
          write.sizeBytes += chunk.length;
        }
      } finally {
        write.busy = false;
        write.touchedAt = Date.now();
      }
      return write.sizeBytes;
    },
    async commit(id, name, digest) {
      room.enter(id);
      room.enter(name);
      const write = open(id);
      const found = digestOfStaged(write, digest);
      if (found !== digest) {
        throw new TrustFault('storage.digest-mismatch', `expected ${digest}, found ${found}`);
      }
      staging.delete(id);
      place(name, write.chunks, write.sizeBytes);
      return write.sizeBytes;
    },
    async abort(id) {
      room.enter(id);
      if (!staging.has(id)) return false;
      const write = open(id);
      staging.delete(id);
      room.reserve(-write.sizeBytes);
      return true;
    },
    async put(name, bytes) {
      room.enter(name);
      room.reserve(bytes.length);
      place(name, [bytes.slice()], bytes.length);
    },
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
      return sweepMemory(room, objects, staging, sweep);
    },
  };
}

function digestOfStaged(write: Staged, wanted: Digest): Digest {
  if (wanted.startsWith(`${write.algorithm}:`)) {
    return `${write.algorithm}:${write.hash.copy().digest('hex')}`;
  }
  const algorithm = wanted.startsWith('sha512:') ? 'sha512' : 'sha256';
  const hash = createHash(algorithm);
  for (const chunk of write.chunks) hash.update(chunk);
  return `${algorithm}:${hash.digest('hex')}`;
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

async function sweepMemory(
  room: Room,
  objects: Map<string, Held>,
  staging: Map<string, Staged>,
  { at, graceMs, stagedMs, wanted }: Sweep,
): Promise<Swept> {
  let removed = 0;
  for (const [name, held] of objects) {
    const { deletedAt } = held;
    if (deletedAt === null || at.getTime() - deletedAt.getTime() < graceMs) continue;
    const stays = await wanted(name);
    // A keep or a put may have come while `wanted` looked; it cleared the mark.
    if (held.deletedAt === null || objects.get(name) !== held) continue;
    if (stays) {
      held.deletedAt = null;
    } else {
      objects.delete(name);
      room.reserve(-held.sizeBytes);
      removed += 1;
    }
  }
  let abandoned = 0;
  for (const [id, write] of staging) {
    if (write.busy || at.getTime() - write.touchedAt < stagedMs) continue;
    staging.delete(id);
    room.reserve(-write.sizeBytes);
    abandoned += 1;
  }
  return { objects: removed, staged: abandoned };
}
