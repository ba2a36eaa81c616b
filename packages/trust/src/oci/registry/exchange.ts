import type { ClientRequest, IncomingMessage } from 'node:http';
import { asFault, quote, TrustFault } from '../../fault/fault.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import type { Transport } from './transport.ts';

/** One request as it goes over the wire. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /**
   * Longest silence on the connection, and time for the whole exchange, in milliseconds; bytes that
   * move lengthen the latter (`startDeadline`).
   */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called as bytes of the body leave. */
  readonly onSent?: (bytes: number) => void;
}

/** The head of an answer, with its body still to be read: one of the two ways, once. */
export interface RawAnswer {
  readonly status: number;
  /** Header values by lower-case name; repeated ones are joined with a comma. */
  readonly header: (name: string) => string | undefined;
  readonly url: URL;
  /** The whole body; throws `registry.limit` above `maxBytes`. */
  readonly read: (maxBytes: number) => Promise<Uint8Array>;
  /** The body in pieces, under the same deadline. */
  readonly chunks: () => AsyncIterable<Uint8Array>;
  /** Lets go of the body unread. */
  readonly discard: () => void;
}

// A body up to this size is read off, so that the connection can be used again.
const DISCARD_BYTES = 64 << 10;

/**
 * Sends one request and resolves with the head of its answer. Throws `registry.unreachable` (with
 * the system's error as cause), `registry.tls`, `registry.timeout` or `registry.cancelled`; the
 * deadline goes on while the body is read.
 */
export async function exchange(transport: Transport, spec: Exchange): Promise<RawAnswer> {
  const watch = startWatch(spec);
  try {
    spec.signal?.throwIfAborted();
    const answer = await send(transport, spec, watch);
    return rawAnswer(answer, spec, watch);
  } catch (error) {
    watch.stop();
    throw watch.explain(error);
  }
}

interface Watch {
  follow(request: ClientRequest): void;
  readonly deadline: Deadline;
  stop(): void;
  explain(error: unknown): TrustFault;
}

function startWatch(spec: Exchange): Watch {
  let request: ClientRequest | undefined;
  let why: TrustFault | undefined;
  const where = () => `${spec.method} ${spec.url.origin}${quote(spec.url.pathname).slice(1, -1)}`;
  const end = (fault: TrustFault): void => {
    why ??= fault;
    request?.destroy(fault);
  };
  const late = (what: string): void =>
    end(new TrustFault('registry.timeout', `${where()}: ${what}`));
  const cancel = (): void => end(givenUp(where(), spec.signal));
  const deadline = startDeadline(spec.timeoutMs, () =>
    late('no end in time, and hardly any bytes'),
  );
  spec.signal?.addEventListener('abort', cancel, { once: true });
  return {
    deadline,
    follow(started) {
      request = started;
      if (why !== undefined) started.destroy(why);
      started.on('timeout', () => {
        if (!deadline.isHeld()) late(`no bytes for ${spec.timeoutMs} ms`);
      });
    },
    stop() {
      deadline.stop();
      spec.signal?.removeEventListener('abort', cancel);
    },
    explain(error) {
      if (why !== undefined) return why;
      if (error instanceof TrustFault) return error;
      if (spec.signal?.aborted === true) return givenUp(where(), spec.signal);
      return explainSystemError(where(), error);
    },
  };
}

/** An interrupt, or the end of the time that the caller had for the whole of its work. */
function givenUp(where: string, signal: AbortSignal | undefined): TrustFault {
  const reason: unknown = signal?.reason;
  if (reason instanceof TrustFault) return reason;
  return new TrustFault('registry.cancelled', `${where} was given up`);
}

function explainSystemError(where: string, error: unknown): TrustFault {
  if (!(error instanceof Error)) return asFault(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const isTls = /^(?:ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code);
  // llhttp's codes: what came back is no HTTP.
  if (code.startsWith('HPE_')) {
    return new TrustFault('registry.malformed-answer', `${where}: ${code}`, undefined, {
      cause: error,
    });
  }
  return new TrustFault(
    isTls ? 'registry.tls' : 'registry.unreachable',
    `${where}: ${quote(code === '' ? error.message : `${code} ${error.message}`)}`,
    undefined,
    { cause: error },
  );
}

async function send(transport: Transport, spec: Exchange, watch: Watch): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers: Record<string, string> = { ...spec.headers };
  if (spec.body !== undefined) headers['content-length'] = String(spec.body.length);
  else if (spec.method !== 'GET' && spec.method !== 'HEAD') headers['content-length'] = '0';
  const request = await transport(
    spec.url,
    { method: spec.method, headers, timeout: spec.timeoutMs },
    resolve,
  );
  watch.follow(request);
  request.on('error', reject);
  if (spec.body === undefined) request.end();
  else writeBody(request, spec.body, watch, spec.onSent);
  return promise;
}

const WRITE_BYTES = 256 << 10;

// In pieces, because a socket's silence is measured between writes, and so that progress shows.
function writeBody(
  request: ClientRequest,
  body: Uint8Array,
  watch: Watch,
  onSent: ((bytes: number) => void) | undefined,
): void {
  let at = 0;
  const next = (): void => {
    if (request.destroyed) return;
    if (at >= body.length) {
      request.end();
      return;
    }
    const piece = body.subarray(at, at + WRITE_BYTES);
    at += piece.length;
    request.write(piece, (error) => {
      if (error !== undefined && error !== null) return;
      watch.deadline.moved(piece.length);
      onSent?.(piece.length);
      next();
    });
  };
  next();
}

function rawAnswer(answer: IncomingMessage, spec: Exchange, watch: Watch): RawAnswer {
  return {
    status: answer.statusCode ?? 0,
    header: (name) => {
      const value = answer.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    url: spec.url,
    async read(maxBytes) {
      try {
        return await readWhole(answer, maxBytes, spec.url, watch);
      } catch (error) {
        throw watch.explain(error);
      } finally {
        watch.stop();
        if (!answer.complete) answer.destroy();
      }
    },
    chunks: () => pieces(answer, watch),
    discard() {
      const length = Number(answer.headers['content-length'] ?? Number.NaN);
      // Without a listener an error of a body that nobody reads would end the process.
      answer.on('error', () => {});
      answer.once('close', () => watch.stop());
      if (length <= DISCARD_BYTES || spec.method === 'HEAD') answer.resume();
      else answer.destroy();
    },
  };
}

// By events: a process that verifies one image pays more for a stream's first async iteration than
// for all else that it does with the answer.
function readWhole(
  answer: IncomingMessage,
  maxBytes: number,
  url: URL,
  watch: Watch,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const parts: Uint8Array[] = [];
  let size = 0;
  answer.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
    watch.deadline.moved(chunk.length);
    if (size <= maxBytes) {
      parts.push(chunk);
      return;
    }
    const path = quote(url.pathname);
    reject(new TrustFault('registry.limit', `expected at most ${maxBytes} bytes from ${path}`));
    answer.destroy();
  });
  answer.once('end', () => {
    const [first] = parts;
    resolve(parts.length === 1 && first !== undefined ? first : Buffer.concat(parts));
  });
  answer.on('error', reject);
  answer.once('close', () => {
    if (!answer.complete) reject(new Error('the connection closed within the answer'));
  });
  return promise;
}

async function* pieces(answer: IncomingMessage, watch: Watch): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer) {
      if (!(chunk instanceof Uint8Array)) continue;
      watch.deadline.moved(chunk.length);
      watch.deadline.hold();
      yield chunk;
      watch.deadline.release();
    }
  } catch (error) {
    throw watch.explain(error);
  } finally {
    watch.stop();
    if (!answer.complete) answer.destroy();
  }
}
