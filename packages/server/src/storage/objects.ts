import type { Readable } from 'node:stream';
import type { Digest } from '@bulla/trust/oci/digest';
import type { Page } from './name.ts';

/** A part of an object: `length` bytes from `from`, which lie within it. */
export interface ByteRange {
  readonly from: number;
  readonly length: number;
}

/** What a room tells of an object, or of a staged write, without reading it. */
export interface Extent {
  readonly sizeBytes: number;
}

/** How far one append may go. */
export interface AppendOptions {
  /** Largest size of the staged write after this append; more throws `storage.too-large`. */
  readonly maxBytes?: number;
}

/** What one sweep removes. */
export interface Sweep {
  readonly at: Date;
  /** Objects deleted longer ago than this are removed. */
  readonly graceMs: number;
  /** Staged writes that nothing was appended to for longer than this are removed. */
  readonly stagedMs: number;
  /**
   * Whether somebody still refers to the object. It is asked while the name is held, right before
   * the removal; a yes cancels the deletion.
   */
  readonly wanted: (name: string) => Promise<boolean>;
}

/** How many objects and staged writes a sweep removed. */
export interface Swept {
  readonly objects: number;
  readonly staged: number;
}

/**
 * Immutable bytes by name: blobs, manifests, tiles, evidence.
 *
 * - **Immutable.** A name, once committed, holds the same bytes until it is removed; committing to
 *   it again drops the new bytes and succeeds. Callers name an object by what it holds.
 * - **Atomic.** An object is there whole or not at all, for every reader and after every crash.
 * - **Durable.** When `commit` or `put` has resolved, the object outlives a crash of the process
 *   and of the machine (the memory room: of neither). When it rejects, the caller does not know
 *   whether the object is there; doing it again is safe.
 * - **Read your writes.** What was acknowledged is seen by every later call of any caller.
 * - **Staged writes** have an id that the caller chooses, and outlive the process; what `append`
 *   acknowledged outlives a kill of the process, but perhaps not a power cut: `staged` tells the
 *   size from which to go on, and `commit` checks the digest of what is really stored.
 * - **Deletion has a grace period.** A deleted object stays readable until a `sweep` finds its
 *   grace over; `keep`, `put` and `commit` cancel the deletion. So a writer who says "it is there
 *   already" writes its reference, then calls `keep`: true means that no sweep before or after
 *   removes the object while `wanted` sees the reference. Readers that have begun read on to the
 *   end, also across a removal.
 * - **Bounded memory.** No method but `bytes` and `put` holds more than a chunk.
 *
 * Names are checked by `checkName`. Faults: `storage.failed`, `storage.full`, `storage.closed`
 * from every method; others as each says.
 */
export interface Objects {
  /**
   * Opens an empty staged write. `like` names the digest algorithm that is computed on the way
   * (default sha256); another at `commit` costs one more reading of the bytes. Throws
   * `storage.staging-taken` when the id is open already.
   */
  begin(id: string, like?: 'sha256' | 'sha512'): Promise<void>;
  /** How much is staged under the id, or null when no such write is open. */
  staged(id: string): Promise<Extent | null>;
  /**
   * Adds `content` at `offset`, which must be the staged size (`storage.offset-conflict`), and
   * answers the new size. When it rejects, a part may have been added: `staged` tells. Throws
   * `storage.staging-unknown`, `storage.staging-busy` while another call writes to the same id,
   * `storage.too-large`, and whatever the iteration of `content` throws.
   */
  append(
    id: string,
    offset: number,
    content: AsyncIterable<Uint8Array>,
    options?: AppendOptions,
  ): Promise<number>;
  /**
   * Makes the staged bytes the object `name`, if their digest is `digest`, and answers their size;
   * the staged write is over. Throws `storage.digest-mismatch` (the staged write stays open),
   * `storage.staging-unknown`, `storage.staging-busy`.
   */
  commit(id: string, name: string, digest: Digest): Promise<number>;
  /** Drops a staged write; false when no such write is open. Throws `storage.staging-busy`. */
  abort(id: string): Promise<boolean>;
  /** Writes a small object in one step. The caller vouches that `name` is named by its bytes. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** The object's size, or null. */
  stat(name: string): Promise<Extent | null>;
  /** The object, or the range of it, at once; null when absent. For small content only. */
  bytes(name: string, range?: ByteRange): Promise<Uint8Array | null>;
  /** The object, or the range of it, as a stream that the caller reads or destroys; null when absent. */
  stream(name: string, range?: ByteRange): Promise<Readable | null>;
  /** Names that start with `prefix` (empty, or ending in `/`), in UTF-16 code-unit order. */
  list(prefix: string, page?: Page): Promise<readonly string[]>;
  /** Cancels a deletion; false when the object is not there. */
  keep(name: string): Promise<boolean>;
  /** Marks the object for removal as of `at`; false when it is not there. */
  delete(name: string, at: Date): Promise<boolean>;
  /** Removes what the sweep describes. Safe beside every other call. */
  sweep(sweep: Sweep): Promise<Swept>;
}
