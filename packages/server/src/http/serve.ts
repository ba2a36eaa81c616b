import type { ServerResponse } from 'node:http';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import { isLoopbackAddress } from '@bulla/trust/oci/loopback';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { plainAddress } from './address.ts';
import type { Claim, FindDoor } from './doors.ts';
import type { HttpReply, HttpRequest } from './exchange.ts';
import type { HttpLimits } from './limits.ts';
import type { Observe, Trace } from './observe.ts';
import { callerOfAddress, type RateLimit } from './rate.ts';
import { frameworkFault, refusal, send, withHeaders } from './reply.ts';
import { type Connection, readRequest, requestId } from './request.ts';

/** What happens around a door's work. */
export interface ServeOptions {
  readonly observe?: readonly Observe[];
  readonly trace?: Trace;
  /**
   * The user whom a request to the door of this prefix is counted for, apart from others at the same
   * address; null: with its address. It does not wait, so it can name only whose credentials were
   * verified before; what only claims to be somebody must not be named.
   */
  readonly callerOf?: (request: HttpRequest, prefix: string) => string | null;
}

/** What serving a request rests on. */
export interface Ground {
  readonly find: FindDoor;
  readonly limits: HttpLimits;
  readonly rate: RateLimit | null;
  readonly options: ServeOptions;
  readonly nowMs: () => number;
  readonly state: { readonly draining: boolean };
  readonly tellings: WeakMap<ServerResponse, Telling>;
}

/** Answers one request: by its door, and a fault in that door's form. */
export async function serve(
  ground: Ground,
  request: FastifyRequest,
  reply: FastifyReply,
  connection: Connection,
  failure?: unknown,
): Promise<FastifyReply> {
  const { raw } = request;
  const began = ground.nowMs();
  const id = requestId(raw);
  const url = raw.url ?? '/';
  const question = url.indexOf('?');
  const path = question === -1 ? url : url.slice(0, question);
  const claim = ground.find(path);
  let fault: TrustFault | null = null;
  let answer: HttpReply;
  try {
    if (failure !== undefined) {
      // What could not be sent must not come along with what is sent in its place.
      for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
      throw frameworkFault(failure);
    }
    answer = await handle(ground, request, id, claim, connection);
  } catch (error) {
    fault = asFault(error);
    answer = refusal(claim?.door ?? null, fault);
  }
  answer = withHeaders(answer, claim?.door.headers);
  tell(ground, request, reply, { id, path, door: claim?.name ?? null, connection, began, fault });
  return send(request, reply, answer, { id, last: ground.state.draining });
}

interface Telling {
  readonly id: string;
  readonly path: string;
  readonly door: string | null;
  readonly connection: Connection;
  readonly began: number;
  readonly fault: TrustFault | null;
}

/** Tells the observers once the answer is out; of an answer that failed, what came in its place. */
function tell(
  { options: { observe = [] }, nowMs, tellings }: Ground,
  { raw }: FastifyRequest,
  reply: FastifyReply,
  telling: Telling,
): void {
  if (observe.length === 0) return;
  const again = tellings.has(reply.raw);
  tellings.set(reply.raw, telling);
  if (again) return;
  const remoteAddress = plainAddress(raw.socket.remoteAddress);
  const clientCertificate = telling.connection.clientCertificate(raw);
  reply.raw.once('close', () => {
    const { connection, began, ...last } = tellings.get(reply.raw) ?? telling;
    const observed = {
      ...last,
      method: raw.method ?? 'GET',
      status: reply.raw.statusCode,
      durationMs: nowMs() - began,
      remoteAddress,
      listener: connection.listener,
      clientCertificate,
      cut: !reply.raw.writableFinished,
    };
    for (const one of observe) one(observed);
  });
}

async function handle(
  ground: Ground,
  { raw }: FastifyRequest,
  id: string,
  claim: Claim | null,
  connection: Connection,
): Promise<HttpReply> {
  const { rate, limits, options } = ground;
  const address = plainAddress(raw.socket.remoteAddress);
  const counted =
    rate !== null && (limits.rateLoopback || !isLoopbackAddress(address)) ? rate : null;
  let request: HttpRequest;
  try {
    request = readRequest(raw, id, claim?.depth ?? 0, connection);
  } catch (error) {
    counted?.take(callerOfAddress(address));
    throw error;
  }
  counted?.take(callerOfRequest(options, request, claim));
  if (claim === null) throw new TrustFault('http.not-found', `no such path: ${quote(raw.url)}`);
  const { door, name } = claim;
  return options.trace === undefined
    ? door.handle(request)
    : options.trace(request, name, () => door.handle(request));
}

/** Users behind one address do not use up what the others have, nor what is left to strangers there. */
function callerOfRequest(
  { callerOf }: ServeOptions,
  request: HttpRequest,
  claim: Claim | null,
): string {
  const address = callerOfAddress(request.remoteAddress);
  const user = claim === null ? null : (callerOf?.(request, claim.door.prefix) ?? null);
  return user === null ? address : `${user} at ${address}`;
}
