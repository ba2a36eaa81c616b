import type { RequestListener } from 'node:http';
import { every } from '../bounds/every.ts';
import type { HttpLimits } from './limits.ts';
import type { Listener } from './listener.ts';
import { openSockets } from './open-sockets.ts';
import type { TlsReport } from './tls/reload.ts';

/** A listening door whose requests one function answers. Disposing it is `close`. */
export interface DirectServer extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** When the certificate ends; nothing without TLS. */
  certificates(): readonly { readonly listener: string; readonly notAfter: Date }[];
  /** Reads the certificate again; null when nothing changed. */
  reload(): Promise<TlsReport | null>;
  /** Takes no new connection, lets requests under way end within the drain time, and stops. */
  close(): Promise<void>;
}

/** What such a server is opened with. */
export interface DirectOptions {
  readonly limits: HttpLimits;
  readonly clock: () => Date;
  /** How often the certificate's files are looked at. Default 10 s. */
  readonly tlsCheckMs?: number;
  /** Is told when a certificate was replaced, or a new one could not be used. */
  readonly onTls: (report: TlsReport) => void;
}

const TLS_CHECK_MS = 10_000;

/**
 * Serves one listener without the framework, for a protocol of few paths and many requests: `handle`
 * has the request as Node reads it, and must answer it, whatever happens. Connections are bounded, and
 * certificates replaced, as on every listener. Throws as `openSockets` does.
 */
export async function listenDirect(
  listener: Listener,
  handle: RequestListener,
  { limits, clock, tlsCheckMs = TLS_CHECK_MS, onTls }: DirectOptions,
): Promise<DirectServer> {
  const { url, host, port, tls, close } = await openSockets(listener, { limits, clock, handle });
  const reload = async (quiet: boolean) => {
    const report = (await tls?.reload(quiet)) ?? null;
    if (report !== null) onTls(report);
    return report;
  };
  // What a reload meets is in its report.
  const looking = every(
    { everyMs: tlsCheckMs },
    () => reload(true),
    () => undefined,
  );
  let closing: Promise<void> | null = null;
  const stop = async () => {
    await looking[Symbol.asyncDispose]();
    await close();
  };
  const end = (): Promise<void> => {
    closing ??= stop();
    return closing;
  };
  return {
    url,
    host,
    port,
    certificates: () => (tls === null ? [] : [{ listener: url, notAfter: tls.notAfter() }]),
    reload: () => reload(false),
    close: end,
    [Symbol.asyncDispose]: end,
  };
}
