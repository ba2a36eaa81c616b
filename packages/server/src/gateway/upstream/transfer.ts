import { asFault } from '@bulla/trust/fault/fault';

/** One reader of a transfer under way: what has come and was not yet taken. */
export interface Follower {
  readonly chunks: Uint8Array[];
  queuedBytes: number;
  /** Set when the reader was too slow: the rest is read from the store, once it is there. */
  isDetached: boolean;
  wake: () => void;
}

/** Content that is being fetched and stored. */
export interface Transfer {
  /** Resolves when the upstream answered with content; rejects when it did not. */
  readonly opened: Promise<void>;
  /** Resolves when the whole content is stored and its digest was found right. */
  readonly stored: Promise<void>;
  readonly followers: Set<Follower>;
  hasBegun: boolean;
  hasEnded: boolean;
}

/** Most bytes that wait in memory for one slow reader. */
const QUEUE_BYTES = 8 << 20;

/** Joins the readers of a transfer of which no byte has passed yet; null when it is too late. */
export function follow(transfer: Transfer): Follower | null {
  if (transfer.hasBegun) return null;
  const follower: Follower = { chunks: [], queuedBytes: 0, isDetached: false, wake: () => {} };
  transfer.followers.add(follower);
  return follower;
}

/** Hands a chunk to every reader; one that lags is detached, so that none holds up the others. */
export function deliver(transfer: Transfer, chunk: Uint8Array): void {
  transfer.hasBegun = true;
  for (const follower of transfer.followers) {
    if (follower.queuedBytes + chunk.length > QUEUE_BYTES) {
      follower.isDetached = true;
      transfer.followers.delete(follower);
    } else {
      follower.chunks.push(chunk);
      follower.queuedBytes += chunk.length;
    }
    follower.wake();
  }
}

/** Tells the readers that nothing more comes. */
export function endTransfer(transfer: Transfer): void {
  transfer.hasBegun = true;
  transfer.hasEnded = true;
  for (const follower of transfer.followers) follower.wake();
}

/** Where the rest of the content can be had from. */
export interface Rest {
  /** Stored content, from an offset. */
  fromStore(from: number): Promise<AsyncIterable<Uint8Array>>;
  /** The upstream once more, from an offset; checked as a whole by its end. */
  fromUpstream(from: number): AsyncIterable<Uint8Array>;
}

/**
 * The content as it comes. The last chunk is held back until the whole was found right, so that
 * content of another digest never reaches a client in full. When our own store fails, the reader
 * goes on with the upstream itself; when the upstream fails, the answer breaks.
 */
export async function* readTransfer(
  transfer: Transfer,
  follower: Follower,
  rest: Rest,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | null = null;
  let given = 0;
  try {
    for await (const chunk of arriving(transfer, follower)) {
      if (held !== null) {
        given += held.length;
        yield held;
      }
      held = chunk;
    }
  } finally {
    transfer.followers.delete(follower);
  }
  yield* (await isStored(transfer)) ? await rest.fromStore(given) : rest.fromUpstream(given);
}

async function* arriving(transfer: Transfer, follower: Follower): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = follower.chunks.shift();
    if (chunk !== undefined) {
      follower.queuedBytes -= chunk.length;
      yield chunk;
    } else if (follower.isDetached || transfer.hasEnded) {
      return;
    } else {
      const { promise, resolve } = Promise.withResolvers<void>();
      follower.wake = resolve;
      await promise;
    }
  }
}

/** Whether the content is in the store; throws what kept the upstream from sending it. */
async function isStored(transfer: Transfer): Promise<boolean> {
  try {
    await transfer.stored;
    return true;
  } catch (error) {
    const fault = asFault(error);
    if (fault.code === 'storage.full' || fault.code === 'storage.failed') return false;
    throw fault;
  }
}
