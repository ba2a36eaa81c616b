import { Readable } from 'node:stream';

/** How long, and how much, is still read of a sender that was refused already. */
export interface LingerBounds {
  readonly ms: number;
  readonly bytes: number;
}

const BOUNDS: LingerBounds = { ms: 5000, bytes: 64 << 20 };

/**
 * An answer that ends only when the rest of the request was read and thrown away, or the bounds are
 * reached. A connection that is closed with something unread is reset, and a reset takes with it an
 * answer that the sender has not read yet (RFC 9112 §9.6): a push that should log in again would
 * report a broken pipe instead.
 */
export function lingering(request: Readable, body: Uint8Array, bounds = BOUNDS): Readable {
  return Readable.from(bodyThenRest(request, body, bounds), { objectMode: false });
}

async function* bodyThenRest(request: Readable, body: Uint8Array, bounds: LingerBounds) {
  yield body;
  await throwAway(request, bounds);
}

function throwAway(request: Readable, { ms, bytes }: LingerBounds): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes;
    const count = (chunk: Uint8Array) => {
      left -= chunk.length;
      if (left <= 0) done();
    };
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      request.off('data', count);
      resolve();
    }
    if (request.destroyed || request.readableEnded) {
      done();
      return;
    }
    for (const event of ['end', 'error', 'close']) request.once(event, done);
    request.on('data', count);
    request.resume();
  });
}
