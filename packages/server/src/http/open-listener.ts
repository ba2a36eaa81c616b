import type { RequestListener } from 'node:http';
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { HttpLimits } from './limits.ts';
import { type Listener, parseListener } from './listener.ts';
import { type OpenListener, openSockets } from './open-sockets.ts';
import type { Connection } from './request.ts';
import { clientCertificateOf } from './tls/client-certificate.ts';

/** Answers a request of a listener; `failure` is what the framework met before. */
export type Serve = (
  request: FastifyRequest,
  reply: FastifyReply,
  connection: Connection,
  failure?: unknown,
) => Promise<FastifyReply>;

/** What a listener is opened with. */
export interface Opening {
  readonly limits: HttpLimits;
  readonly hosts: ReadonlySet<string> | undefined;
  readonly clock: () => Date;
  readonly serve: Serve;
}

/** Opens one listener whose requests the framework reads. Throws as `openSockets` does. */
export async function openListener(listener: Listener, opening: Opening): Promise<OpenListener> {
  const { limits, clock } = opening;
  const { secure } = parseListener(listener);
  // Over TLS the client has checked the name already: no other page's name leads here.
  const hosts = secure ? undefined : opening.hosts;
  const clientCertificate = listener.tls?.clientCa === undefined ? () => null : clientCertificateOf;
  let connection: Connection = { secure, listener: listener.url, hosts, clientCertificate };
  const handle = await createFastify((request, reply, failure) =>
    opening.serve(request, reply, connection, failure),
  );
  const opened = await openSockets(listener, { limits, clock, handle });
  connection = { ...connection, listener: opened.url };
  return opened;
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
