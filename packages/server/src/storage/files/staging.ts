import { createHash, type Hash } from 'node:crypto';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { AppendOptions, Extent } from '../objects.ts';
import { isSystemError, type OpenFile, unlessAbsent } from './operations.ts';
import { nameOf, pathOf } from './path.ts';
import type { Room } from './room.ts';

/** Where staged writes lie in the data folder. */
export const STAGED = 'staged';

/** Staged writes: one growing file each. What this process knows of one is a saving, never needed. */
export interface Staging {
  begin(id: string, like: 'sha256' | 'sha512'): Promise<void>;
  staged(id: string): Promise<Extent | null>;
  append(
    id: string,
    offset: number,
    content: AsyncIterable<Uint8Array>,
    options: AppendOptions,
  ): Promise<number>;
  /** Checks the digest, makes the bytes durable, and hands the file's path to `move`. */
  complete(id: string, digest: Digest, move: (path: string) => Promise<void>): Promise<number>;
  abort(id: string): Promise<boolean>;
  /** Removes what nothing was appended to since `before`, and answers how many. */
  expire(before: Date): Promise<number>;
}

interface Running {
  readonly algorithm: 'sha256' | 'sha512';
  readonly hash: Hash;
  readonly sizeBytes: number;
}

const READ_BYTES = 256 << 10;

/** Staged writes of a room. */
export function openStaging(room: Room): Staging {
  /** Hashes that have seen every byte of the file; an entry goes when a write fails. */
  const running = new Map<string, Running>();
  const busy = new Set<string>();
  const locate = (id: string) => room.at(STAGED, pathOf(id));

  async function exclusively<T>(id: string, call: () => Promise<T>): Promise<T> {
    if (busy.has(id)) {
      throw new TrustFault('storage.staging-busy', `staged write ${quote(id)} is being written`);
    }
    busy.add(id);
    try {
      return await call();
    } finally {
      busy.delete(id);
    }
  }

  async function open(id: string): Promise<OpenFile> {
    const file = await unlessAbsent(room.files.open(locate(id), 'change'));
    if (file === null) {
      throw new TrustFault('storage.staging-unknown', `no staged write ${quote(id)} is open`);
    }
    return file;
  }

  return {
    async begin(id, like) {
      const path = locate(id);
      await room.makeFolderOf(path);
      try {
        await (await room.files.open(path, 'new')).close();
      } catch (error) {
        if (!isSystemError(error, 'EEXIST')) throw error;
        throw new TrustFault('storage.staging-taken', `staged write ${quote(id)} was begun before`);
      }
      running.set(id, { algorithm: like, hash: createHash(like), sizeBytes: 0 });
    },
    async staged(id) {
      const known = running.get(id);
      if (known !== undefined) return { sizeBytes: known.sizeBytes };
      const found = await unlessAbsent(room.files.stat(locate(id)));
      return found === null ? null : { sizeBytes: found.sizeBytes };
    },
    append: (id, offset, content, options) =>
      exclusively(id, async () => {
        const file = await open(id);
        try {
          const known = running.get(id);
          const size = known?.sizeBytes ?? (await file.size());
          if (size !== offset) {
            throw new TrustFault(
              'storage.offset-conflict',
              `expected bytes from ${size} on, found an offset of ${offset}`,
            );
          }
          // Until the end has come, nobody knows whether hash and file have seen the same bytes.
          running.delete(id);
          const end = await writeAll(file, size, content, options, known?.hash);
          if (known !== undefined) running.set(id, { ...known, sizeBytes: end });
          return end;
        } finally {
          await file.close();
        }
      }),
    complete: (id, digest, move) =>
      exclusively(id, async () => {
        const file = await open(id);
        let size: number;
        try {
          size = await file.size();
          const found = await digestOfFile(file, size, digest, running.get(id));
          if (found !== digest) {
            throw new TrustFault('storage.digest-mismatch', `expected ${digest}, found ${found}`);
          }
          await file.sync();
        } finally {
          await file.close();
        }
        await move(locate(id));
        running.delete(id);
        return size;
      }),
    abort: (id) =>
      exclusively(id, async () => {
        running.delete(id);
        return (await unlessAbsent(room.files.unlink(locate(id)).then(() => true))) ?? false;
      }),
    async expire(before) {
      let removed = 0;
      for (const entry of await room.files.readdir(room.at(STAGED))) {
        const id = nameOf(entry.name);
        if (id === null || busy.has(id)) continue;
        const found = await unlessAbsent(room.files.stat(locate(id)));
        if (found === null || found.changedAt > before || busy.has(id)) continue;
        await exclusively(id, async () => {
          running.delete(id);
          await unlessAbsent(room.files.unlink(locate(id)));
        });
        removed += 1;
      }
      return removed;
    },
  };
}

async function writeAll(
  file: OpenFile,
  from: number,
  content: AsyncIterable<Uint8Array>,
  { maxBytes = Number.MAX_SAFE_INTEGER }: AppendOptions,
  hash: Hash | undefined,
): Promise<number> {
  let position = from;
  for await (const chunk of content) {
    if (position + chunk.length > maxBytes) {
      throw new TrustFault('storage.too-large', `expected at most ${maxBytes} bytes`);
    }
    await file.write(chunk, position);
    hash?.update(chunk);
    position += chunk.length;
  }
  return position;
}

async function digestOfFile(
  file: OpenFile,
  size: number,
  wanted: Digest,
  known: Running | undefined,
): Promise<Digest> {
  if (known?.sizeBytes === size && wanted.startsWith(`${known.algorithm}:`)) {
    return `${known.algorithm}:${known.hash.copy().digest('hex')}`;
  }
  const algorithm = wanted.startsWith('sha512:') ? 'sha512' : 'sha256';
  const hash = createHash(algorithm);
  for (let position = 0; position < size; position += READ_BYTES) {
    hash.update(await file.read(Math.min(READ_BYTES, size - position), position));
  }
  return `${algorithm}:${hash.digest('hex')}`;
}
