import { finished, Readable } from 'node:stream';
import { TrustFault } from '@bulla/trust/fault/fault';

/** A file that is read in pieces. */
export interface FileSource {
  /** Reads up to `length` bytes from `position` to the beginning of `into`; 0 only at its end. */
  readInto(into: Uint8Array, length: number, position: number): Promise<number>;
  close(): Promise<void>;
}

const PIECE_BYTES = 256 << 10;
const POURED_MOST = 512 << 10;
const POURED_LEAST = 64 << 10;
/** What pieces of streams that are piped take together, as long as none is the least. */
const POURED_TOGETHER = 64 << 20;
/** Streams that are piped now, in this process. */
let pouring = 0;

/**
 * How large the pieces of one more stream are that is piped beside `others`: a few clients get large
 * ones, and a thousand slow ones must not fill the memory. Each stream has two.
 */
export function pouredBytes(others: number): number {
  const share = Math.floor(POURED_TOGETHER / (2 * (others + 1)));
  return Math.max(POURED_LEAST, Math.min(POURED_MOST, share));
}

/**
 * A stream of `length` bytes (at least one) from `position`, which closes the file when it is over or
 * was destroyed. A file that ends before that is an error of the stream, `storage.failed`: the answer
 * to a client must break then, and not look whole.
 *
 * Piped, it writes from two pieces of memory in turn, each used again when the destination has called
 * back for it; new memory for each piece costs three times the processor time of the whole. Read in
 * any other way, each chunk is the reader's own.
 */
export function fileStream(source: FileSource, length: number, position: number): Readable {
  const end = position + length;
  let at = position;
  // The descriptor must not be closed, and taken by another file, in the middle of a reading.
  let reading: Promise<Uint8Array> = Promise.resolve(EMPTY);
  const next = (memory: Uint8Array): Promise<Uint8Array> => {
    reading = fill(source, memory.subarray(0, Math.min(memory.length, end - at)), at);
    at += Math.min(memory.length, end - at);
    return reading;
  };
  const stream = new Readable({
    highWaterMark: PIECE_BYTES,
    read() {
      if (at === end) {
        stream.push(null);
        return;
      }
      next(Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, end - at))).then(
        (piece) => stream.push(piece),
        (error: unknown) => stream.destroy(asError(error)),
      );
    },
    destroy(error, done) {
      reading
        .catch(() => undefined)
        .then(() => source.close())
        .then(
          () => done(error),
          (failure: unknown) => done(error ?? asError(failure)),
        );
    },
  });
  stream.pipe = (destination, options) => {
    // A destination that is gone takes nothing more, and may never call back.
    const ended = finished(destination, { readable: false }, () => stream.destroy());
    const remaining = () => end - at;
    const poured = pour({ stream, next, remaining }, destination);
    pouring += 1;
    // However it ends: a destination that is gone may never call back.
    stream.once('close', () => {
      pouring -= 1;
    });
    poured.then(
      () => {
        ended();
        if (stream.destroyed) return;
        if (options?.end !== false) destination.end();
        stream.push(null);
        stream.resume();
      },
      (error: unknown) => stream.destroy(asError(error)),
    );
    return destination;
  };
  return stream;
}

const EMPTY = new Uint8Array();

interface Pouring {
  readonly stream: Readable;
  next(memory: Uint8Array): Promise<Uint8Array>;
  remaining(): number;
}

/** Writes one piece while the next is read into the memory of the one before. */
async function pour(
  { stream, next, remaining }: Pouring,
  destination: NodeJS.WritableStream,
): Promise<void> {
  const size = Math.min(pouredBytes(pouring), remaining());
  let free = Buffer.allocUnsafeSlow(size);
  let other = remaining() > size ? Buffer.allocUnsafeSlow(size) : free;
  let coming: Promise<Uint8Array> | null = next(free);
  while (coming !== null && !stream.destroyed) {
    const piece = await coming;
    if (stream.destroyed) return;
    [free, other] = [other, free];
    coming = remaining() > 0 ? next(free) : null;
    // When the piece before is not taken, nobody waits for this one.
    coming?.catch(() => undefined);
    if (!(await written(destination, piece))) stream.destroy();
  }
}

/** Whether the destination took the piece; one that failed tells its own listeners why. */
function written(destination: NodeJS.WritableStream, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    destination.write(piece, (error) => resolve(error === null || error === undefined));
  });
}

/** Fills all of `memory`. Throws `storage.failed` where the file ends before. */
async function fill(source: FileSource, memory: Uint8Array, position: number): Promise<Uint8Array> {
  let done = 0;
  while (done < memory.length) {
    const left = memory.length - done;
    const count = await source.readInto(memory.subarray(done), left, position + done);
    if (count === 0) {
      const found = position + done;
      throw new TrustFault('storage.failed', `expected more than ${found} bytes in a stored file`);
    }
    done += count;
  }
  return memory;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
