import { Readable } from 'node:stream';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isWaiting } from './continue.ts';
import type { Door, HttpReply } from './exchange.ts';
import { lingering } from './linger.ts';
import { publicFault } from './public-fault.ts';
import { retryAfterOf } from './rate.ts';
import { hasBody } from './request.ts';

/** What the server itself says with an answer. */
export interface Sending {
  readonly id: string;
  /** Whether the connection is to end after this answer: the server is closing. */
  readonly last: boolean;
}

/** Sends the answer; a HEAD has the headers of its GET and no body (RFC 9110 §9.3.2). */
export function send(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: HttpReply,
  { id, last }: Sending,
): FastifyReply {
  const { status, headers, body } = answer;
  reply.code(status).header('x-content-type-options', 'nosniff').header('x-request-id', id);
  if (headers !== undefined) {
    for (const name of Object.keys(headers)) reply.header(name, headers[name]);
  }
  // Nothing more is used of a sender that was refused in the middle of its body, or before it.
  const waits = isWaiting(request.raw);
  const unread = (status >= 400 || waits) && !request.raw.complete && hasBody(request.raw);
  if (last || unread) reply.header('connection', 'close');
  if (request.raw.method === 'HEAD' && body instanceof Readable) {
    body.destroy();
    return reply.send();
  }
  if (body === undefined || body instanceof Readable) return reply.send(body);
  // As bytes: to a string the framework would add a charset.
  const bytes =
    typeof body === 'string'
      ? Buffer.from(body)
      : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!unread || waits || bytes.length === 0 || request.raw.method === 'HEAD') {
    return reply.send(bytes);
  }
  return reply.header('content-length', bytes.length).send(lingering(request.raw, bytes));
}

/** A door's answer to a fault, with its headers and, for a caller that must wait, Retry-After. */
export function refusal(door: Door | null, fault: TrustFault): HttpReply {
  const reply = door === null ? plainRefusal(fault) : door.refuse(fault);
  const wait = retryAfterOf(fault);
  return wait === null ? reply : withHeaders(reply, { 'retry-after': wait });
}

/** A reply with further headers; those that it has itself stay. */
export function withHeaders(reply: HttpReply, headers: HttpReply['headers']): HttpReply {
  return headers === undefined ? reply : { ...reply, headers: { ...headers, ...reply.headers } };
}

/** A fault in a form that belongs to no protocol: JSON with code, message and remedy. */
export function plainRefusal(error: Error): HttpReply {
  const { status, ...told } = publicFault(error);
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(told),
  };
}

/** What the framework threw, as a fault: a request that it cannot read is the sender's. */
export function frameworkFault(error: unknown): TrustFault {
  if (error instanceof TrustFault) return error;
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    const message = error instanceof Error ? error.message : 'the request cannot be read';
    return new TrustFault('http.request-invalid', quote(message));
  }
  return asFault(error);
}
