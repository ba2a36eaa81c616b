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
    refuseConnection(error, socket, answering.get(socket));
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

/** What cannot be read as HTTP is told so once, and its connection ends. */
function refuseConnection(
  error: Error,
  socket: Duplex,
  response: ServerResponse | undefined,
): void {
  const code = 'code' in error ? String(error.code) : '';
  const midway = response?.headersSent === true && !response.writableFinished;
  // A failed handshake cannot be answered, and an answer must not stand inside another.
  if (!/^(?:HPE_|ERR_HTTP_)/.test(code) || midway || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify({
    code: 'http.request-invalid',
    message: 'the request cannot be read as HTTP/1.1',
  });
  const head = [
    `HTTP/1.1 ${STATUS[code] ?? '400 Bad Request'}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
