import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { quote, systemReason, TrustFault } from '@bulla/trust/fault/fault';
import type { ClusterAccess } from './connect.ts';

/** One request to the API. */
export interface ClusterRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** With its query: `/api/v1/namespaces/a/secrets/b`. */
  readonly path: string;
  readonly body?: { readonly type: string; readonly text: string };
  /** Of the whole request, or of the whole stream. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** What came back, whatever its status. */
export interface ClusterAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/**
 * Sends one request and collects at most `maxBytes`. Redirects are not followed: they would take the
 * credentials along. Throws `kubernetes.unreachable`, `kubernetes.answer-invalid` for a larger answer,
 * `kubernetes.config-invalid`.
 */
export async function callCluster(
  access: ClusterAccess,
  asked: ClusterRequest,
  maxBytes: number,
): Promise<ClusterAnswer> {
  await using exchange = await open(access, asked);
  const { response } = exchange;
  return { status: response.statusCode ?? 0, bytes: await collect(exchange, asked, maxBytes) };
}

/** An answer that goes on: a watch. */
export interface ClusterStream extends AsyncDisposable {
  readonly status: number;
  /** What came instead of lines, where the status is not 200. */
  refusal(): Promise<Uint8Array>;
  /** Each line without its end. Throws as `callCluster`; ends when the API server ends it. */
  lines(maxLineBytes: number): AsyncIterable<Uint8Array>;
}

/** Opens a stream of lines. Throws as `callCluster`. */
export async function streamCluster(
  access: ClusterAccess,
  asked: ClusterRequest,
): Promise<ClusterStream> {
  const exchange = await open(access, asked);
  const { response } = exchange;
  return {
    status: response.statusCode ?? 0,
    refusal: () => collect(exchange, asked, MAX_REFUSAL_BYTES),
    lines: (maxLineBytes) => linesOf(exchange, asked, maxLineBytes),
    [Symbol.asyncDispose]: () => exchange[Symbol.asyncDispose](),
  };
}

const MAX_REFUSAL_BYTES = 1 << 20;

interface Exchange extends AsyncDisposable {
  readonly response: IncomingMessage;
}

async function open(access: ClusterAccess, asked: ClusterRequest): Promise<Exchange> {
  const { method, path, body, timeoutMs, signal } = asked;
  const options = await access.options();
  const deadline = AbortSignal.timeout(timeoutMs);
  const ending = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = {
    ...options.headers,
    accept: 'application/json',
    'user-agent': 'bulla',
    ...(body === undefined ? {} : { 'content-type': body.type }),
  };
  const base = access.server.pathname.replace(/\/$/, '');
  let sent: ClientRequest;
  try {
    sent = request(new URL(`${base}${path}`, access.server), {
      ...options,
      method,
      headers,
      signal: ending,
    });
  } catch (cause) {
    throw unreachable(access, asked, cause);
  }
  sent.once('response', resolve);
  sent.on('error', reject);
  sent.end(body?.text);
  try {
    const response = await promise;
    // What breaks after the headers is told to whoever reads the body.
    sent.on('error', (error) => response.destroy(error));
    return {
      response,
      async [Symbol.asyncDispose]() {
        if (!response.complete) sent.destroy();
      },
    };
  } catch (cause) {
    throw unreachable(access, asked, cause);
  }
}

function unreachable(access: ClusterAccess, asked: ClusterRequest, cause: unknown): TrustFault {
  return new TrustFault(
    'kubernetes.unreachable',
    `${asked.method} ${quote(asked.path)} at ${access.server.origin}: ${systemReason(cause)}`,
    undefined,
    { cause },
  );
}

async function* chunksOf({ response }: Exchange, asked: ClusterRequest): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of response) {
      if (chunk instanceof Uint8Array) yield chunk;
    }
  } catch (cause) {
    const message = `the answer to ${asked.method} ${quote(asked.path)} broke off: ${systemReason(cause)}`;
    throw new TrustFault('kubernetes.unreachable', message, undefined, { cause });
  }
}

async function collect(
  exchange: Exchange,
  asked: ClusterRequest,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(exchange, asked)) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(asked, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const LINE_FEED = 0x0a;

async function* linesOf(
  exchange: Exchange,
  asked: ClusterRequest,
  maxBytes: number,
): AsyncIterable<Uint8Array> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(exchange, asked)) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      if (size + end - from > maxBytes) throw tooLarge(asked, maxBytes);
      yield Buffer.concat([...pending, chunk.subarray(from, end)]);
      pending = [];
      size = 0;
      from = end + 1;
    }
    const rest = chunk.subarray(from);
    size += rest.length;
    if (size > maxBytes) throw tooLarge(asked, maxBytes);
    if (rest.length > 0) pending.push(rest);
  }
}

function tooLarge({ method, path }: ClusterRequest, maxBytes: number): TrustFault {
  return new TrustFault(
    'kubernetes.answer-invalid',
    `expected at most ${maxBytes} bytes in answer to ${method} ${quote(path)}, found more`,
  );
}
