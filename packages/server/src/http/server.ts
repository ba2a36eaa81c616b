import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Door, HttpReply, HttpRequest } from './exchange.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { parseTarget } from './path.ts';

/** Where a server listens. */
export interface ListenOptions {
  /** An address of this machine. Default `127.0.0.1`: other machines get in only when asked for. */
  readonly host?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
}

/** A listening server. Disposing it is `close`. */
export interface HttpServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Takes no new connection, lets requests under way end within the drain time, and stops. */
  close(): Promise<void>;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/**
 * Starts a server that serves `doors`, each below its prefix; every other path is a 404. All
 * answers carry `X-Content-Type-Options: nosniff`. Bodies reach the doors as streams. Throws
 * `http.listen` when the address cannot be had.
 */
export async function listen(
  doors: readonly Door[],
  options: ListenOptions = {},
  limits: HttpLimits = HTTP_LIMITS,
): Promise<HttpServer> {
  const app = createFastify(limits);
  for (const door of doors) {
    const handler = (request: FastifyRequest, reply: FastifyReply) => serve(door, request, reply);
    for (const url of [door.prefix, `${door.prefix}/*`]) {
      app.route({ method: [...METHODS], url, handler, exposeHeadRoute: false });
    }
  }
  app.setNotFoundHandler((request, reply) => {
    const door = doorOf(doors, request.raw.url ?? '/');
    const fault = new TrustFault('http.not-found', `no such path: ${quote(request.raw.url)}`);
    return send(request, reply, door === undefined ? plainRefusal(fault) : door.refuse(fault));
  });
  app.setErrorHandler((error, request, reply) => {
    const door = doorOf(doors, request.raw.url ?? '/');
    const fault = frameworkFault(error);
    return send(request, reply, door === undefined ? plainRefusal(fault) : door.refuse(fault));
  });
  const { host = '127.0.0.1', port = 0 } = options;
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw new TrustFault('http.listen', `cannot listen on ${quote(`${host}:${port}`)}`, undefined, {
      cause,
    });
  }
  return listening(app, limits);
}

function createFastify(limits: HttpLimits): FastifyInstance {
  const app = fastify({
    logger: false,
    http: { maxHeaderSize: limits.headerBytes, headersTimeout: limits.headersMs },
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.idleMs,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 8192, ignoreTrailingSlash: false },
    frameworkErrors: (_error, request, reply) => {
      // The router could not read the path; no door is known for sure.
      const fault = new TrustFault('http.path-invalid', `found ${quote(request.raw.url)}`);
      void send(request, reply, plainRefusal(fault));
    },
  });
  app.server.maxConnections = limits.connections;
  // Bodies are read by the doors, as streams; the framework never collects one.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  return app;
}

function listening(app: FastifyInstance, limits: HttpLimits): HttpServer {
  const address = app.server.address();
  if (!isAddressInfo(address)) throw new TrustFault('http.listen', 'the server has no port');
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= drain(app, limits.drainMs);
    return closing;
  };
  return { host: address.address, port: address.port, close, [Symbol.asyncDispose]: close };
}

async function drain(app: FastifyInstance, drainMs: number): Promise<void> {
  const deadline = setTimeout(() => app.server.closeAllConnections(), drainMs);
  try {
    await app.close();
  } finally {
    clearTimeout(deadline);
  }
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

function doorOf(doors: readonly Door[], url: string): Door | undefined {
  return doors.find(({ prefix }) => url === prefix || url.startsWith(`${prefix}/`));
}

async function serve(
  door: Door,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  let answer: HttpReply;
  try {
    answer = await door.handle(readRequest(request.raw));
  } catch (error) {
    answer = door.refuse(asFault(error));
  }
  return send(request, reply, answer);
}

function readRequest(raw: IncomingMessage): HttpRequest {
  const { segments, query } = parseTarget(raw.url ?? '/');
  const length = raw.headers['content-length'];
  return {
    method: raw.method ?? 'GET',
    // The first segment is the door's prefix.
    segments: segments.slice(1),
    query,
    header(name) {
      const value = raw.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    contentLength: length === undefined ? null : Number(length),
    hasBody: hasBody(raw),
    body: () => bodyOf(raw),
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = Number(headers['content-length'] ?? 0);
  return headers['transfer-encoding'] !== undefined || length > 0;
}

async function* bodyOf(raw: IncomingMessage): AsyncGenerator<Uint8Array> {
  // Leaving early must not destroy the connection: the answer still has to go out on it.
  const chunks: AsyncIterable<Uint8Array> = raw.iterator({ destroyOnReturn: false });
  try {
    yield* chunks;
  } catch (cause) {
    throw new TrustFault('http.body-cut', 'the connection ended within the body', undefined, {
      cause,
    });
  }
  if (!raw.complete) throw new TrustFault('http.body-cut', 'the connection ended within the body');
}

/** Sends the answer; a HEAD has the headers of its GET and no body (RFC 9110 §9.3.2). */
function send(request: FastifyRequest, reply: FastifyReply, answer: HttpReply): FastifyReply {
  const { status, headers = {}, body } = answer;
  reply.code(status).header('x-content-type-options', 'nosniff');
  for (const [name, value] of Object.entries(headers)) reply.header(name, value);
  // Nothing is read any more from a sender that was refused in the middle of its body.
  if (status >= 400 && !request.raw.complete && hasBody(request.raw)) {
    reply.header('connection', 'close');
  }
  if (request.raw.method === 'HEAD' && body instanceof Readable) {
    body.destroy();
    return reply.send();
  }
  if (body === undefined || body instanceof Readable) return reply.send(body);
  // As bytes: to a string the framework would add a charset.
  return reply.send(
    typeof body === 'string'
      ? Buffer.from(body)
      : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
  );
}

/** A fault in a form that belongs to no protocol. */
function plainRefusal(fault: TrustFault): HttpReply {
  return {
    status: fault.code === 'http.not-found' ? 404 : 400,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: fault.code, message: fault.message, remedy: fault.remedy }),
  };
}

function frameworkFault(error: unknown): TrustFault {
  if (error instanceof TrustFault) return error;
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    const message = error instanceof Error ? error.message : 'the request cannot be read';
    return new TrustFault('http.request-invalid', quote(message));
  }
  return asFault(error);
}
