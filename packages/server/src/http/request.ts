import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TrustFault } from '@bulla/trust/fault/fault';
import { plainAddress } from './address.ts';
import { tellToGoOn } from './continue.ts';
import type { ClientCertificate, HttpRequest } from './exchange.ts';
import { readHost } from './host.ts';
import { parseTarget } from './path.ts';

/** What a connection and its listener say of the requests on it. */
export interface Connection {
  readonly secure: boolean;
  readonly listener: string;
  readonly hosts: ReadonlySet<string> | undefined;
  readonly clientCertificate: (raw: IncomingMessage) => ClientCertificate | null;
}

// Long enough for a UUID and a trace id, and nothing that could mean something in a log.
const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The id that the sender gave the request, if it is well-formed, or a new one. */
export function requestId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/**
 * A request as doors see it; `depth` segments of its path belong to the door's prefix. Throws
 * `http.path-invalid`, `http.host-invalid`, `http.host-unknown`.
 */
export function readRequest(
  raw: IncomingMessage,
  id: string,
  depth: number,
  connection: Connection,
): HttpRequest {
  const { segments, query } = parseTarget(raw.url ?? '/');
  const host = readHost(raw.rawHeaders, connection.hosts);
  const length = raw.headers['content-length'];
  return {
    id,
    method: raw.method ?? 'GET',
    segments: segments.slice(depth),
    query,
    header(name) {
      const value = raw.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    contentLength: length === undefined ? null : Number(length),
    hasBody: hasBody(raw),
    body: () => bodyOf(raw),
    remoteAddress: plainAddress(raw.socket.remoteAddress),
    secure: connection.secure,
    host,
    listener: connection.listener,
    clientCertificate: connection.clientCertificate(raw),
  };
}

/** Whether a request has a body, by its headers (RFC 9112 §6). */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = Number(headers['content-length'] ?? 0);
  return headers['transfer-encoding'] !== undefined || length > 0;
}

async function* bodyOf(raw: IncomingMessage): AsyncGenerator<Uint8Array> {
  tellToGoOn(raw);
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
