import { createHash, type Hash } from 'node:crypto';
import { hasCode, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { AppendOptions, Extent } from '../objects.ts';
import { type Claim, ownClaims, sharedClaims } from './claims.ts';
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
  /** Of the claim under which the hash saw its last byte. */
  readonly mark: string;
}

const READ_BYTES = 256 << 10;
/** Other processes end writes that this one began; their hashes must not stay for ever. */
const RUNNING_MOST = 4096;

/** Staged writes of a room. */
export function openStaging(room: Room): Staging {
  const { sharing } = room;
  const claims = sharing === null ? ownClaims() : sharedClaims(room, sharing);
  const running = openRunning();
  const locate = (id: string) => room.at(STAGED, pathOf(id));

  async function exclusively<T>(id: string, call: (claim: Claim) => Promise<Ended<T>>): Promise<T> {
    const claim = await claims.take(id);
    if (claim === null) {
      throw new TrustFault('storage.staging-busy', `staged write ${quote(id)} is being written`);
    }
    let ended: Ended<T>;
    try {
      ended = await call(claim);
    } catch (error) {
      // What failed first is what the caller has to know.
      await claim.release(hasCode(error, 'storage.staging-unknown')).catch(() => undefined);
      throw error;
    }
    if (ended.isOver) running.drop(id);
    await claim.release(ended.isOver);
    return ended.value;
  }

  async function open(id: string): Promise<OpenFile> {
    const file = await unlessAbsent(room.files.open(locate(id), 'change'));
    if (file === null) {
      throw new TrustFault('storage.staging-unknown', `no staged write ${quote(id)} is open`);
    }
    return file;
  }

  /** The file's size. Alone, what is known of it is as good as a look. */
  async function sizeOf(file: OpenFile, known: Running | undefined): Promise<number> {
    return sharing === null && known !== undefined ? known.sizeBytes : file.size();
  }

  async function remove(id: string): Promise<boolean> {
    running.drop(id);
    return (await unlessAbsent(room.files.unlink(locate(id)).then(() => true))) ?? false;
  }

  async function expireOne(id: string, before: Date): Promise<boolean> {
    const changedAt = async () => (await unlessAbsent(room.files.stat(locate(id))))?.changedAt;
    if (((await changedAt()) ?? before) > before) return false;
    const claim = await claims.take(id);
    if (claim === null) return false;
    let isOver = false;
    let removed = false;
    try {
      // Looked at again: somebody may have gone on with it before it was this task's.
      isOver = ((await changedAt()) ?? before) <= before;
      removed = isOver && (await remove(id));
    } finally {
      await claim.release(isOver);
    }
    return removed;
  }

  return {
    async begin(id, like) {
      const taken = () =>
        new TrustFault('storage.staging-taken', `staged write ${quote(id)} was begun before`);
      const path = locate(id);
      const claim = await claims.take(id);
      // Who has it is writing to it, or ending it.
      if (claim === null) throw taken();
      try {
        await room.makeFolderOf(path);
        await (await room.files.open(path, 'new')).close();
        const { mark } = claim;
        running.set(id, { algorithm: like, hash: createHash(like), sizeBytes: 0, mark });
      } catch (error) {
        await claim.release(false).catch(() => undefined);
        if (!isSystemError(error, 'EEXIST')) throw error;
        throw taken();
      }
      await claim.release(false);
    },
    async staged(id) {
      const known = sharing === null ? running.get(id, null) : undefined;
      if (known !== undefined) return { sizeBytes: known.sizeBytes };
      const found = await unlessAbsent(room.files.stat(locate(id)));
      return found === null ? null : { sizeBytes: found.sizeBytes };
    },
    append: (id, offset, content, options) =>
      exclusively(id, async ({ before, mark }) => {
        const file = await open(id);
        try {
          const known = running.get(id, before);
          const size = await sizeOf(file, known);
          if (size !== offset) {
            // The claim was this task's, so the hash holds on under its mark.
            if (known !== undefined) running.set(id, { ...known, mark });
            throw new TrustFault(
              'storage.offset-conflict',
              `expected bytes from ${size} on, found an offset of ${offset}`,
            );
          }
          // Until the end has come, nobody knows whether hash and file have seen the same bytes.
          running.drop(id);
          const hashed = known?.sizeBytes === size ? known : undefined;
          const end = await writeAll(file, size, content, options, hashed?.hash);
          if (hashed !== undefined) running.set(id, { ...hashed, sizeBytes: end, mark });
          return { value: end, isOver: false };
        } finally {
          await file.close();
        }
      }),
    complete: (id, digest, move) =>
      exclusively(id, async ({ before, mark }) => {
        const file = await open(id);
        let size: number;
        try {
          size = await file.size();
          const known = running.get(id, before);
          if (known !== undefined) running.set(id, { ...known, mark });
          const found = await digestOfFile(file, size, digest, known);
          if (found !== digest) {
            throw new TrustFault('storage.digest-mismatch', `expected ${digest}, found ${found}`);
          }
          await file.sync();
        } finally {
          await file.close();
        }
        await move(locate(id));
        return { value: size, isOver: true };
      }),
    abort: (id) => exclusively(id, async () => ({ value: await remove(id), isOver: true })),
    async expire(before) {
      const ids = new Set(await claims.kept());
      for (const entry of await room.files.readdir(room.at(STAGED))) {
        const id = nameOf(entry.name);
        if (id !== null) ids.add(id);
      }
      let removed = 0;
      for (const id of ids) {
        if (await expireOne(id, before)) removed += 1;
      }
      return removed;
    },
  };
}

/** What a call made of a staged write; `isOver`: there is none any more. */
interface Ended<T> {
  readonly value: T;
  readonly isOver: boolean;
}

/** Hashes that have seen every byte of their file; an entry goes when a write fails. */
interface RunningHashes {
  /**
   * The hash, if the one who had the staged write last is who fed it; `before` null: whoever had it.
   */
  get(id: string, before: string | null): Running | undefined;
  set(id: string, running: Running): void;
  drop(id: string): void;
}

function openRunning(): RunningHashes {
  const hashes = new Map<string, Running>();
  return {
    get(id, before) {
      const known = hashes.get(id);
      return before === null || known?.mark === before ? known : undefined;
    },
    set(id, running) {
      // The one that was used longest ago comes first.
      hashes.delete(id);
      hashes.set(id, running);
      const [oldest] = hashes.keys();
      if (hashes.size > RUNNING_MOST && oldest !== undefined) hashes.delete(oldest);
    },
    drop: (id) => void hashes.delete(id),
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
