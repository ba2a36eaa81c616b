import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback, plainAddress } from './address.ts';
import { type Claim, claimPaths, type FindDoor } from './doors.ts';
import type { Door, HttpReply, HttpRequest } from './exchange.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { type Listener, listenerUrl } from './listener.ts';
import type { Observe, Trace } from './observe.ts';
import { type OpenListener, openListener } from './open-listener.ts';
import { callerOfAddress, createRateLimit, type RateLimit } from './rate.ts';
import { frameworkFault, refusal, send, withHeaders } from './reply.ts';
import { type Connection, readRequest, requestId } from './request.ts';
import type { TlsReport } from './tls/reload.ts';

/** One listener without TLS. */
export interface ListenOptions {
  /** An address of this machine. Default `127.0.0.1`; anything but loopback needs TLS. */
  readonly host?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
}

/** What a server does beside serving its doors. */
export interface ServerOptions {
  /**
   * Names that the Host header may have without TLS, beside addresses and `localhost`; undefined:
   * every one. Over TLS the client has checked the name.
   */
  readonly hosts?: ReadonlySet<string>;
  readonly observe?: readonly Observe[];
  readonly trace?: Trace;
  /**
   * Whom a request is counted for, when its credentials were verified already and without waiting;
   * null: its address. What only claims to be somebody must not be named here.
   */
  readonly callerOf?: (request: HttpRequest) => string | null;
  /** How often the certificates' files are looked at; 0: only by `reload`. Default 10 s. */
  readonly tlsCheckMs?: number;
  /** Is told when a certificate was replaced, or a new one could not be used. */
  readonly onTls?: (report: TlsReport) => void;
  readonly clock?: () => Date;
  /** A clock that never goes back, for rates and durations. */
  readonly nowMs?: () => number;
}

/** An address that a server listens on: `http://127.0.0.1:5000`. */
export interface ServerAddress {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** A listening server. Disposing it is `close`. */
export interface HttpServer extends AsyncDisposable {
  /** Of the first listener. */
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly ServerAddress[];
  /** Reads all certificates again; answers what changed, and what could not be used. */
  reload(): Promise<readonly TlsReport[]>;
  /** Takes no new connection, lets requests under way end within the drain time, and stops. */
  close(): Promise<void>;
}

const TLS_CHECK_MS = 10_000;

/**
 * Starts a server that serves `doors` on every listener; a path that no door claims is a 404. All
 * answers carry `X-Content-Type-Options: nosniff` and `X-Request-Id`. Bodies reach the doors as
 * streams. Throws `http.listen`, `http.plain-not-loopback`, `http.tls-invalid`; then nothing listens.
 */
export async function listen(
  doors: readonly Door[],
  where: ListenOptions | readonly Listener[] = {},
  limits: HttpLimits = HTTP_LIMITS,
  options: ServerOptions = {},
): Promise<HttpServer> {
  const { nowMs = () => performance.now(), clock = () => new Date() } = options;
  const state = { draining: false };
  const rate = limits.rate === null ? null : createRateLimit(limits.rate, nowMs);
  const ground: Ground = { find: claimPaths(doors), limits, rate, options, nowMs, state };
  const listeners: OpenListener[] = [];
  const closeAll = async () => {
    state.draining = true;
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    for (const listener of listenersOf(where)) {
      const opening = {
        limits,
        hosts: options.hosts,
        clock,
        serve: (...given: Parameters<typeof serve> extends [Ground, ...infer R] ? R : never) =>
          serve(ground, ...given),
      };
      listeners.push(await openListener(listener, opening));
    }
  } catch (error) {
    await closeAll();
    throw error;
  }
  return running(listeners, closeAll, options);
}

function listenersOf(where: ListenOptions | readonly Listener[]): readonly Listener[] {
  if (isList(where)) return where;
  const { host = '127.0.0.1', port = 0 } = where;
  return [{ url: listenerUrl(false, host, port) }];
}

function isList(where: ListenOptions | readonly Listener[]): where is readonly Listener[] {
  return Array.isArray(where);
}

function running(
  listeners: readonly OpenListener[],
  closeAll: () => Promise<void>,
  { tlsCheckMs = TLS_CHECK_MS, onTls = () => undefined }: ServerOptions,
): HttpServer {
  const [first] = listeners;
  if (first === undefined) throw new TrustFault('http.listen', 'expected at least one listener');
  const keepers = listeners.flatMap(({ tls }) => (tls === null ? [] : [tls]));
  const reload = async (quiet: boolean) => {
    const reports = await Promise.all(keepers.map((keeper) => keeper.reload(quiet)));
    const found = reports.filter((report) => report !== null);
    for (const report of found) onTls(report);
    return found;
  };
  const timer =
    keepers.length === 0 || tlsCheckMs === 0
      ? undefined
      : setInterval(() => void reload(true), tlsCheckMs).unref();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    clearInterval(timer);
    closing ??= closeAll();
    return closing;
  };
  const addresses = listeners.map(({ url, host, port, secure }) => ({ url, host, port, secure }));
  const { host, port } = first;
  return {
    host,
    port,
    addresses,
    reload: () => reload(false),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What serving a request rests on. */
interface Ground {
  readonly find: FindDoor;
  readonly limits: HttpLimits;
  readonly rate: RateLimit | null;
  readonly options: ServerOptions;
  readonly nowMs: () => number;
  readonly state: { readonly draining: boolean };
}

async function serve(
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
    if (failure !== undefined) throw frameworkFault(failure);
    answer = await handle(ground, request, id, claim, connection);
  } catch (error) {
    fault = asFault(error);
    answer = refusal(claim?.door ?? null, fault);
  }
  answer = withHeaders(answer, claim?.door.headers);
  const { observe = [] } = ground.options;
  if (observe.length > 0) {
    const told = {
      id,
      method: raw.method ?? 'GET',
      path,
      door: claim?.name ?? null,
      status: answer.status,
      remoteAddress: plainAddress(raw.socket.remoteAddress),
      listener: connection.listener,
      fault,
    };
    reply.raw.once('close', () => {
      const cut = !reply.raw.writableFinished;
      const durationMs = ground.nowMs() - began;
      for (const tell of observe) tell({ ...told, cut, durationMs });
    });
  }
  return send(request, reply, answer, { id, last: ground.state.draining });
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
  const counted = rate !== null && (limits.rateLoopback || !isLoopback(address)) ? rate : null;
  let request: HttpRequest;
  try {
    request = readRequest(raw, id, claim?.depth ?? 0, connection);
  } catch (error) {
    counted?.take(callerOfAddress(address));
    throw error;
  }
  counted?.take(options.callerOf?.(request) ?? callerOfAddress(address));
  if (claim === null) throw new TrustFault('http.not-found', `no such path: ${quote(raw.url)}`);
  const { door, name } = claim;
  return options.trace === undefined
    ? door.handle(request)
    : options.trace(request, name, () => door.handle(request));
}
