import { TrustFault } from '@bulla/trust/fault/fault';
import { claimPaths } from './doors.ts';
import type { Door } from './exchange.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { type Listener, listenerUrl } from './listener.ts';
import { openListener, type Serve } from './open-listener.ts';
import type { OpenListener } from './open-sockets.ts';
import { createRateLimit } from './rate.ts';
import { type Ground, type ServeOptions, serve } from './serve.ts';
import type { TlsReport } from './tls/reload.ts';

/** One listener without TLS. */
export interface ListenOptions {
  /** An address of this machine. Default `127.0.0.1`; anything but loopback needs TLS. */
  readonly host?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
}

/** What a server does beside serving its doors. */
export interface ServerOptions extends ServeOptions {
  /**
   * Names that the Host header may have without TLS, beside addresses and `localhost`; undefined:
   * every one. Over TLS the client has checked the name.
   */
  readonly hosts?: ReadonlySet<string>;
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
  /** When the certificate of each TLS listener ends. */
  certificates(): readonly { readonly listener: string; readonly notAfter: Date }[];
  /** Reads all certificates again; answers what changed, and what could not be used. */
  reload(): Promise<readonly TlsReport[]>;
  /** Takes no new connection, lets requests under way end within the drain time, and stops. */
  close(): Promise<void>;
}

const TLS_CHECK_MS = 10_000;

/**
 * Starts a server that serves `doors` on every listener; a path that no door claims is a 404. Every
 * answer has `X-Content-Type-Options: nosniff`, and that to a request its `X-Request-Id`. Bodies reach
 * the doors as streams. Throws `http.listen`, `http.plain-not-loopback`, `http.tls-invalid`; then nothing listens.
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
  const ground: Ground = {
    find: claimPaths(doors),
    limits,
    rate,
    options,
    nowMs,
    state,
    tellings: new WeakMap(),
  };
  const listeners: OpenListener[] = [];
  const closeAll = async () => {
    state.draining = true;
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    const answer: Serve = (...given) => serve(ground, ...given);
    const opening = { limits, hosts: options.hosts, clock, serve: answer };
    for (const listener of listenersOf(where)) {
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
    certificates: () =>
      listeners.flatMap(({ url, tls }) =>
        tls === null ? [] : [{ listener: url, notAfter: tls.notAfter() }],
      ),
    reload: () => reload(false),
    close,
    [Symbol.asyncDispose]: close,
  };
}
