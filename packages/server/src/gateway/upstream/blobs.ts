import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import { blobSize, linkBlob } from '../blobs.ts';
import type { Ground } from '../ground.ts';
import { contentName } from '../keys.ts';
import type { Listed } from '../parse.ts';
import type { Place, UpstreamPlace } from '../place.ts';
import { upstreamFault } from './faults.ts';
import type { OpenUpstream } from './registries.ts';
import { deliver, endTransfer, follow, readTransfer, type Transfer } from './transfer.ts';

/** Blobs of upstreams, kept on their way. */
export interface UpstreamBlobs {
  /** Resolves when the blob is in the store and its repository has it. */
  store(place: UpstreamPlace, wanted: Listed): Promise<void>;
  /**
   * The blob as it comes, while it is being stored: resolves when the upstream has begun to answer,
   * and throws what it answered otherwise (`upstream.*`, `gateway.blob-unknown`). The stream breaks
   * before its end when the content is not what its digest says.
   */
  stream(place: UpstreamPlace, wanted: Listed): Promise<Readable>;
  /** Ends what is under way; nothing half-fetched is kept. */
  close(): Promise<void>;
}

/** A blob up to this size is waited for by those who come when it is half-fetched. */
const WAIT_BYTES = 8 << 20;

interface Blobs {
  readonly ground: Ground;
  readonly open: OpenUpstream;
  readonly underWay: Map<string, Transfer>;
  readonly ending: AbortController;
}

/** Fetches blobs; those who ask for one at the same time share one transfer. */
export function upstreamBlobs(ground: Ground, open: OpenUpstream): UpstreamBlobs {
  const blobs: Blobs = { ground, open, underWay: new Map(), ending: new AbortController() };
  return {
    async store(place, wanted) {
      if ((await blobSize(ground, place.key, wanted.digest)) !== null) return;
      await transferOf(blobs, place, wanted).stored;
    },
    stream: (place, wanted) => streamBlob(blobs, place, wanted),
    async close() {
      blobs.ending.abort();
      await Promise.allSettled([...blobs.underWay.values()].map(({ stored }) => stored));
    },
  };
}

async function streamBlob(blobs: Blobs, place: UpstreamPlace, wanted: Listed): Promise<Readable> {
  const transfer = transferOf(blobs, place, wanted);
  const follower = follow(transfer);
  const rest = {
    fromStore: (from: number) => fromStore(blobs.ground, wanted, from),
    fromUpstream: (from: number) => again(blobs, place, wanted, from),
  };
  await transfer.opened;
  if (follower !== null) return readableOf(readTransfer(transfer, follower, rest));
  if (wanted.size > WAIT_BYTES) return readableOf(again(blobs, place, wanted, 0));
  await transfer.stored;
  return readableOf(await rest.fromStore(0));
}

function readableOf(chunks: AsyncIterable<Uint8Array>): Readable {
  return Readable.from(chunks, { objectMode: false });
}

function transferOf(blobs: Blobs, place: UpstreamPlace, wanted: Listed): Transfer {
  // By repository as well: whether an upstream has it is a question of each.
  const key = `${place.key}@${wanted.digest}`;
  const running = blobs.underWay.get(key);
  if (running !== undefined) return running;
  const opened = Promise.withResolvers<void>();
  const stored = Promise.withResolvers<void>();
  const transfer: Transfer = {
    opened: opened.promise,
    stored: stored.promise,
    followers: new Set(),
    hasBegun: false,
    hasEnded: false,
  };
  // Those who wait see the fault; when nobody does, it has nobody to tell.
  opened.promise.catch(() => undefined);
  stored.promise.catch(() => undefined);
  blobs.underWay.set(key, transfer);
  void run(blobs, place, wanted, transfer, opened.resolve)
    .then(stored.resolve, (error: unknown) => {
      opened.reject(error);
      stored.reject(error);
    })
    .finally(() => {
      blobs.underWay.delete(key);
      endTransfer(transfer);
    });
  return transfer;
}

async function run(
  blobs: Blobs,
  place: UpstreamPlace,
  wanted: Listed,
  transfer: Transfer,
  opened: () => void,
): Promise<void> {
  const { objects } = blobs.ground;
  const { digest, size } = wanted;
  const content = await openUpstream(blobs, place, wanted);
  opened();
  const staging = `${randomUUID()}.upstream`;
  try {
    await objects.begin(staging, digest.startsWith('sha512:') ? 'sha512' : 'sha256');
    await objects.append(staging, 0, delivering(content, transfer, place), { maxBytes: size });
    await objects.commit(staging, contentName(digest), digest);
  } catch (error) {
    await objects.abort(staging).catch(() => undefined);
    throw error;
  }
  if (!(await linkBlob(blobs.ground, place.key, digest, size))) {
    throw new TrustFault('storage.failed', `the content of ${digest} was removed meanwhile`);
  }
}

async function* delivering(
  content: AsyncIterable<Uint8Array>,
  transfer: Transfer,
  place: Place,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of content) {
      deliver(transfer, chunk);
      yield chunk;
    }
  } catch (error) {
    throw upstreamFault(error, place);
  }
}

async function openUpstream(
  { open, ending }: Blobs,
  place: UpstreamPlace,
  wanted: Listed,
): Promise<AsyncIterable<Uint8Array>> {
  let content: AsyncIterable<Uint8Array> | null;
  try {
    content = await open(place.upstream).blobStream(wanted, { signal: ending.signal });
  } catch (error) {
    throw upstreamFault(error, place);
  }
  if (content !== null) return content;
  throw new TrustFault('gateway.blob-unknown', `${place.canonical} has no blob ${wanted.digest}`);
}

async function fromStore(
  { objects }: Ground,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  from: number,
): Promise<AsyncIterable<Uint8Array>> {
  if (from === size) return Readable.from([]);
  const stream = await objects.stream(contentName(digest), { from, length: size - from });
  if (stream !== null) return stream;
  throw new TrustFault('storage.failed', `the content of ${digest} was removed meanwhile`);
}

/** The upstream's content from an offset, without keeping it; the last chunk waits for the check. */
async function* again(
  blobs: Blobs,
  place: UpstreamPlace,
  wanted: Listed,
  from: number,
): AsyncGenerator<Uint8Array> {
  let skip = from;
  let held: Uint8Array | null = null;
  const content = await openUpstream(blobs, place, wanted);
  try {
    for await (const chunk of content) {
      const part = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - part.length;
      if (held !== null && part.length > 0) yield held;
      if (part.length > 0) held = part;
    }
  } catch (error) {
    throw upstreamFault(error, place);
  }
  if (held !== null) yield held;
}
