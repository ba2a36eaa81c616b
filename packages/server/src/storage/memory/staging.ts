import { createHash, type Hash } from 'node:crypto';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { AppendOptions } from '../objects.ts';
import type { Room } from './room.ts';

/** A staged write: its chunks so far, and the hash that has seen them. */
export interface Staged {
  readonly chunks: Uint8Array[];
  readonly algorithm: 'sha256' | 'sha512';
  readonly hash: Hash;
  sizeBytes: number;
  busy: boolean;
  touchedAt: number;
}

/** An empty staged write. */
export function emptyStaged(algorithm: 'sha256' | 'sha512'): Staged {
  return {
    chunks: [],
    algorithm,
    hash: createHash(algorithm),
    sizeBytes: 0,
    busy: false,
    touchedAt: Date.now(),
  };
}

/** The staged write of an id. Throws `storage.staging-unknown` or `storage.staging-busy`. */
export function requireStaged(staging: ReadonlyMap<string, Staged>, id: string): Staged {
  const write = staging.get(id);
  if (write === undefined) {
    throw new TrustFault('storage.staging-unknown', `no staged write ${quote(id)} is open`);
  }
  if (write.busy) {
    throw new TrustFault('storage.staging-busy', `staged write ${quote(id)} is being written`);
  }
  return write;
}

/** Adds `content` at `offset`, as `Objects.append` says. */
export async function appendStaged(
  room: Room,
  write: Staged,
  offset: number,
  content: AsyncIterable<Uint8Array>,
  { maxBytes = Number.MAX_SAFE_INTEGER }: AppendOptions,
): Promise<number> {
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
      if (write.sizeBytes + chunk.length > maxBytes) {
        throw new TrustFault('storage.too-large', `expected at most ${maxBytes} bytes`);
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
}

/** Throws `storage.digest-mismatch` unless the staged bytes have the digest. */
export function checkStaged(write: Staged, wanted: Digest): void {
  const found = digestOfStaged(write, wanted.startsWith('sha512:') ? 'sha512' : 'sha256');
  if (found !== wanted) {
    throw new TrustFault('storage.digest-mismatch', `expected ${wanted}, found ${found}`);
  }
}

function digestOfStaged(write: Staged, algorithm: 'sha256' | 'sha512'): Digest {
  if (algorithm === write.algorithm) return `${algorithm}:${write.hash.copy().digest('hex')}`;
  const hash = createHash(algorithm);
  for (const chunk of write.chunks) hash.update(chunk);
  return `${algorithm}:${hash.digest('hex')}`;
}
