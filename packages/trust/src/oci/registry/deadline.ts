/** The time that one exchange has, which bytes lengthen. */
export interface Deadline {
  /** Counts bytes of a body that were sent or received. */
  moved(bytes: number): void;
  /** From now until `release` the reader of the body is slow, and not the connection. */
  hold(): void;
  release(): void;
  /** Whether the reader is, or lately was, what keeps the connection silent. */
  isHeld(): boolean;
  stop(): void;
}

// The slowest honest connection: 16 KiB a second.
const BYTES_PER_MS = 16;

/**
 * Calls `late` after `timeoutMs`, which 16 bytes lengthen by a millisecond, and the time for which
 * the body's reader held it by as much. What moved between two looks counts for `timeoutMs` at most,
 * so a fast start is no credit for a drip of hours.
 */
export function startDeadline(timeoutMs: number, late: () => void): Deadline {
  let bytes = 0;
  let heldMs = 0;
  let heldSince: number | null = null;
  let timer: NodeJS.Timeout;
  const check = (): void => {
    if (heldSince !== null) {
      arm(timeoutMs);
      return;
    }
    const moreMs = Math.min(Math.floor(bytes / BYTES_PER_MS + heldMs), timeoutMs);
    bytes = 0;
    heldMs = 0;
    if (moreMs === 0) late();
    else arm(moreMs);
  };
  const arm = (delayMs: number): void => {
    timer = setTimeout(check, delayMs);
    // A request under way keeps the process alive by itself; its deadline alone must not.
    timer.unref();
  };
  arm(timeoutMs);
  return {
    moved(count) {
      bytes += count;
    },
    hold() {
      heldSince = monotonicMs();
    },
    release() {
      if (heldSince !== null) heldMs += monotonicMs() - heldSince;
      heldSince = null;
    },
    isHeld: () => heldSince !== null || heldMs > timeoutMs / 2,
    stop: () => clearTimeout(timer),
  };
}

function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
