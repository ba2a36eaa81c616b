import { isIP } from 'node:net';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { isLoopbackAddress } from '@bulla/trust/oci/loopback';
import type { TlsFiles } from './tls/credentials.ts';

/** One address that a server listens on. */
export interface Listener {
  /** `http://127.0.0.1:5000`, `https://[::]:5443`; port 0 takes a free one. Nothing after the port. */
  readonly url: string;
  /** Needed for `https:`, and for nothing else. */
  readonly tls?: TlsFiles;
}

/** A listener's address in its parts. */
export interface ListenAddress {
  readonly secure: boolean;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * The parts of a listener's URL. Throws `http.listen` for one that is none, `http.plain-not-loopback`
 * for plain HTTP on anything but loopback (semantics 20), and `http.tls-invalid` for `https:`
 * without a certificate.
 */
export function parseListener({ url, tls }: Listener): ListenAddress {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const rest = parsed === null ? '' : `${parsed.username}${parsed.pathname}${parsed.search}`;
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || rest !== '/' || parsed.hash !== '') {
    throw new TrustFault('http.listen', `expected http(s)://ADDRESS:PORT, found ${quote(url)}`);
  }
  const secure = parsed.protocol === 'https:';
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const port = parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port);
  if (secure && tls === undefined) {
    throw new TrustFault('http.tls-invalid', `${quote(url)} needs a certificate and a key`);
  }
  if (!secure && tls !== undefined) {
    throw new TrustFault('http.tls-invalid', `${quote(url)} has a certificate and no https://`);
  }
  // A name is judged by the address that it led to, once that is known.
  if (!secure && isIP(host) !== 0) requireLoopback(host, url);
  return { secure, host, port };
}

/** Throws `http.plain-not-loopback` unless the address is of this machine only. */
export function requireLoopback(address: string, url: string): void {
  if (isLoopbackAddress(address)) return;
  throw new TrustFault(
    'http.plain-not-loopback',
    `expected https:// or a loopback address, found ${quote(url)} on ${quote(address)}`,
  );
}

/** `https://[::1]:5443` */
export function listenerUrl(secure: boolean, host: string, port: number): string {
  return `${secure ? 'https' : 'http'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
