import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { plainAddress } from './address.ts';
import { noteWaiting } from './continue.ts';
import type { HttpLimits } from './limits.ts';
import { bringIntoOriginForm } from './origin-form.ts';
import { callerOfAddress } from './rate.ts';

/** What a TLS server needs beside its limits. */
export interface TlsOptions {
  readonly context: SecureContextOptions;
  /** Null asks for no client certificate. */
  readonly clientAuth: 'required' | 'optional' | null;
}

/** A server of sockets, and the way to end it. */
export interface SocketServer {
  readonly server: Server;
  /** Serves new connections by this certificate; does nothing without TLS. */
  replace(context: SecureContextOptions): void;
  /** Takes no new connection; resolves when the last one has ended, or was cut after `drainMs`. */
  drain(): Promise<void>;
}

/** A server that bounds its connections by `limits`, and does not listen yet. */
export function createSocketServer(
  limits: HttpLimits,
  tls: TlsOptions | null,
  handle: RequestListener,
): SocketServer {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(10_000, limits.headersMs),
    // Who names no host is refused as others are, with the same headers.
    requireHostHeader: false,
  };
  const plain = tls === null ? createServer(options) : null;
  const secure =
    tls === null
      ? null
      : createTlsServer({
          ...options,
          ...tls.context,
          ALPNProtocols: ['http/1.1'],
          handshakeTimeout: limits.headersMs,
          requestCert: tls.clientAuth !== null,
          // An optional certificate that does not verify counts as none: `authorized` stays false.
          rejectUnauthorized: tls.clientAuth !== 'optional',
        });
  const server: Server = plain ?? secure ?? createServer(options);
  server.setTimeout(limits.idleMs);
  server.maxConnections = limits.connections;
  const answering = new WeakMap<Duplex, ServerResponse>();
  const answer: RequestListener = (request, response) => {
    answering.set(request.socket, response);
    bringIntoOriginForm(request);
    handle(request, response);
  };
  server.on('request', answer);
  // RFC 9110 §10.1.1: an expectation that is not known may be ignored.
  server.on('checkExpectation', answer);
  // Told to go on when somebody wants to read: who is refused need not send a layer first.
  server.on('checkContinue', (request, response) => {
    noteWaiting(request, response);
    answer(request, response);
  });
  server.on('clientError', (error, socket) => {
    refuseConnection(statusOf(error), socket, answering.get(socket));
  });
  // Without a listener the framework hangs up, and who asks for a tunnel learns nothing.
  server.on('connect', (_request, socket) => {
    const before = answering.get(socket);
    // It is no answer to the request before, which is still waited for.
    const isFree = before === undefined || before.writableFinished;
    socket.on('error', () => socket.destroy());
    refuseConnection(isFree ? NOT_IMPLEMENTED : null, socket, before);
  });
  const sockets = boundCallers(server, limits.callerConnections);
  return {
    server,
    replace: (context) => secure?.setSecureContext(context),
    drain: () => drain(server, sockets, limits.drainMs),
  };
}

/** Ends connections of a caller (of IPv6 a /64) that has as many as it may; answers the open ones. */
function boundCallers(server: Server, most: number): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const caller = callerOfAddress(plainAddress(socket.remoteAddress));
    const count = counts.get(caller) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    counts.set(caller, count + 1);
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      const left = (counts.get(caller) ?? 1) - 1;
      if (left === 0) counts.delete(caller);
      else counts.set(caller, left);
    });
  });
  return open;
}

async function drain(server: Server, sockets: ReadonlySet<Socket>, drainMs: number): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  // A connection that never said anything waits for nothing.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  const deadline = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, drainMs);
  await ended;
  clearTimeout(deadline);
}

const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
const NOT_IMPLEMENTED = '501 Not Implemented';
const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9a-z-]{1,64} \S+ HTTP\/1\.[01]\r?\n/i;

/** The status for what cannot be read; null when it cannot be answered, as a failed handshake. */
function statusOf(error: Error): string | null {
  const code = 'code' in error ? String(error.code) : '';
  if (!/^(?:HPE_|ERR_HTTP_)/.test(code)) return null;
  // RFC 9110 §9.1: a method that nobody here knows, in a request that is one.
  if (code === 'HPE_INVALID_METHOD' && 'rawPacket' in error) {
    const { rawPacket } = error;
    const text = Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1', 0, 8192) : '';
    if (REQUEST_LINE.test(text)) return NOT_IMPLEMENTED;
  }
  return STATUS[code] ?? '400 Bad Request';
}

/** What no door can take is told so once, and its connection ends. */
function refuseConnection(
  status: string | null,
  socket: Duplex,
  response: ServerResponse | undefined,
): void {
  // An answer must not stand inside another.
  const midway = response?.headersSent === true && !response.writableFinished;
  if (status === null || midway || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify({
    code: 'http.request-invalid',
    message:
      status === NOT_IMPLEMENTED
        ? 'this server has no such method'
        : 'the request cannot be read as HTTP/1.1',
  });
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
