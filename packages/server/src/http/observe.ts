import type { TrustFault } from '@bulla/trust/fault/fault';
import type { ClientCertificate, HttpReply, HttpRequest } from './exchange.ts';

/** A request that was answered, for logs and metrics. */
export interface Observed {
  readonly id: string;
  readonly method: string;
  /** Without the query, which may hold what is nobody's business; not yet decoded. */
  readonly path: string;
  /** The door's name; null when no door claims the path. */
  readonly door: string | null;
  readonly status: number;
  /** From the end of the request's headers to the last byte of the answer. */
  readonly durationMs: number;
  readonly remoteAddress: string;
  readonly listener: string;
  /** What the client proved by mTLS; null where it was not asked to, or did not. */
  readonly clientCertificate: ClientCertificate | null;
  /** Whether the connection ended before the answer did. */
  readonly cut: boolean;
  /** The fault that the answer tells of. */
  readonly fault: TrustFault | null;
}

/** Is told of every request once its answer is out. Must not throw and should be quick. */
export type Observe = (observed: Observed) => void;

/** Runs a door's work inside a span of a trace. */
export type Trace = (
  request: HttpRequest,
  door: string,
  work: () => Promise<HttpReply>,
) => Promise<HttpReply>;
