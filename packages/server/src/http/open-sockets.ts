import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { plainAddress } from './address.ts';
import type { HttpLimits } from './limits.ts';
import { type Listener, listenerUrl, parseListener, requireLoopback } from './listener.ts';
import { createSocketServer, type SocketServer, type TlsOptions } from './socket-server.ts';
import { checkTlsFiles, readTlsFiles } from './tls/credentials.ts';
import { keepTls, type TlsKeeper } from './tls/reload.ts';

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

/** What the sockets of a listener are opened with. */
export interface SocketOpening {
  readonly limits: HttpLimits;
  readonly clock: () => Date;
  readonly handle: RequestListener;
}

/**
 * Opens one listener: HTTP/1.1, or TLS 1.2 and later with ALPN `http/1.1`. Throws `http.listen`,
 * `http.plain-not-loopback`, `http.tls-invalid`.
 */
export async function openSockets(
  listener: Listener,
  { limits, clock, handle }: SocketOpening,
): Promise<OpenListener> {
  const { secure, host, port } = parseListener(listener);
  const files = listener.tls;
  const served =
    files === undefined ? null : checkTlsFiles(await readTlsFiles(files), files, clock());
  const clientAuth = files?.clientCa === undefined ? null : (files.clientAuth ?? 'required');
  const tls: TlsOptions | null = served === null ? null : { context: served.context, clientAuth };
  const sockets = createSocketServer(limits, tls, handle);
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
