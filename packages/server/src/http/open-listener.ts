import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { plainAddress } from './address.ts';
import type { HttpLimits } from './limits.ts';
import { type Listener, listenerUrl, parseListener, requireLoopback } from './listener.ts';
import type { Connection } from './request.ts';
import { createSocketServer, type SocketServer, type TlsOptions } from './socket-server.ts';
import { clientCertificateOf } from './tls/client-certificate.ts';
import { checkTlsFiles, readTlsFiles } from './tls/credentials.ts';
import { keepTls, type TlsKeeper } from './tls/reload.ts';

/** Answers a request of a listener; `failure` is what the framework met before. */
export type Serve = (
  request: FastifyRequest,
  reply: FastifyReply,
  connection: Connection,
  failure?: unknown,
) => Promise<FastifyReply>;

/** A listener that takes connections. */
export interface OpenListener {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Null for plain HTTP. */
  readonly tls: TlsKeeper | null;
  /** Takes no new connection; resolves when the last one has ended, or was cut after the drain. */
  close(): Promise<void>;
}

/** What a listener is opened with. */
export interface Opening {
  readonly limits: HttpLimits;
  readonly hosts: ReadonlySet<string> | undefined;
  readonly clock: () => Date;
  readonly serve: Serve;
}

/**
 * Opens one listener: HTTP/1.1, or TLS 1.2 and later with ALPN `http/1.1`. Throws `http.listen`,
 * `http.plain-not-loopback`, `http.tls-invalid`.
 */
export async function openListener(listener: Listener, opening: Opening): Promise<OpenListener> {
  const { secure, host, port } = parseListener(listener);
  const { limits, clock } = opening;
  // Over TLS the client has checked the name already: no other page's name leads here.
  const hosts = secure ? undefined : opening.hosts;
  const files = listener.tls;
  const served =
    files === undefined ? null : checkTlsFiles(await readTlsFiles(files), files, clock());
  const clientAuth = files?.clientCa === undefined ? null : (files.clientAuth ?? 'required');
  const tls: TlsOptions | null = served === null ? null : { context: served.context, clientAuth };
  const clientCertificate = clientAuth === null ? () => null : clientCertificateOf;
  let connection: Connection = { secure, listener: listener.url, hosts, clientCertificate };

  const app = await createFastify((request, reply, failure) =>
    opening.serve(request, reply, connection, failure),
  );
  const sockets = createSocketServer(limits, tls, app);
  const address = await bind(sockets, host, port);
  if (!secure) {
    try {
      requireLoopback(plainAddress(address.address), listener.url);
    } catch (error) {
      await sockets.drain();
      throw error;
    }
  }
  const url = listenerUrl(secure, host, address.port);
  connection = { ...connection, listener: url };
  const { replace } = sockets;
  return {
    url,
    host: address.address,
    port: address.port,
    secure,
    tls:
      files === undefined || served === null
        ? null
        : keepTls({ url, files, clock, served, replace }),
    close: sockets.drain,
  };
}

async function bind({ server }: SocketServer, host: string, port: number): Promise<AddressInfo> {
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (cause) {
    const message = `cannot listen on ${quote(`${host}:${port}`)}`;
    throw new TrustFault('http.listen', message, undefined, { cause });
  }
  const address = server.address();
  if (typeof address === 'object' && address !== null) return address;
  throw new TrustFault('http.listen', 'the server has no port');
}

type Answer = (
  request: FastifyRequest,
  reply: FastifyReply,
  failure?: unknown,
) => Promise<FastifyReply>;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** The framework, reading requests and writing answers; sockets and paths are not its business. */
async function createFastify(answer: Answer): Promise<RequestListener> {
  const app = fastify({
    logger: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 65_536, ignoreTrailingSlash: false },
    // A path that the router cannot read is read, and refused, as any other.
    frameworkErrors: (_error, request, reply) => {
      answer(request, reply).catch(() => reply.raw.destroy());
    },
  });
  // Bodies are read by the doors, as streams; the framework never collects one.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.route({
    method: [...METHODS],
    url: '*',
    exposeHeadRoute: false,
    handler: (request, reply) => answer(request, reply),
  });
  app.setNotFoundHandler((request, reply) => answer(request, reply));
  app.setErrorHandler((error, request, reply) => answer(request, reply, error));
  await app.ready();
  return (request, response) => app.routing(request, response);
}
