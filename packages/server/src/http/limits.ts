/** How many requests one caller may make. */
export interface Rate {
  readonly perSecond: number;
  /** How many may come at once after a pause. At least 1. */
  readonly burst: number;
}

/** Bounds of one listener. Times are in milliseconds, sizes in bytes. */
export interface HttpLimits {
  /** All headers of a request together. */
  readonly headerBytes: number;
  /** From the first byte of a request to the end of its headers, and a TLS handshake. */
  readonly headersMs: number;
  /** From the first byte of a request to the end of its body: a layer may be large and a line slow. */
  readonly requestMs: number;
  /** A connection on which nothing moves. */
  readonly idleMs: number;
  /** A connection between two requests. */
  readonly keepAliveMs: number;
  readonly connections: number;
  /** Connections of one remote address. */
  readonly callerConnections: number;
  /** Requests of one caller; null: as many as come. */
  readonly rate: Rate | null;
  /** Whether `rate` also holds for this machine's own loopback. */
  readonly rateLoopback: boolean;
  /** How long requests under way may go on after `close` was called. */
  readonly drainMs: number;
}

/** The bounds that hold where nothing else is configured. */
export const HTTP_LIMITS: HttpLimits = {
  headerBytes: 32 << 10,
  headersMs: 20_000,
  requestMs: 6 * 3600_000,
  idleMs: 120_000,
  keepAliveMs: 75_000,
  connections: 4096,
  callerConnections: 1024,
  rate: { perSecond: 1000, burst: 5000 },
  rateLoopback: false,
  drainMs: 10_000,
};
