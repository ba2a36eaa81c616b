import { isIP } from 'node:net';
import { quote, TrustFault } from '@bulla/trust/fault/fault';

const HOST = /^(?:[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_.])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/;

/**
 * The Host header of a request in lower case (RFC 9112 §3.2). `names` are the hosts that this server
 * goes by; addresses and `localhost` need not be named, and undefined admits every name. A page of
 * another site whose name was made to lead to this machine (DNS rebinding) sends its own name, so it
 * is refused. Throws `http.host-invalid` for none, several or a malformed one, and
 * `http.host-unknown`.
 */
export function readHost(
  rawHeaders: readonly string[],
  names: ReadonlySet<string> | undefined,
): string {
  let found: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name === undefined || name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (found !== undefined) throw new TrustFault('http.host-invalid', 'found two Host headers');
    found = rawHeaders[at + 1];
  }
  const host = (found ?? '').toLowerCase();
  if (!HOST.test(host)) {
    throw new TrustFault('http.host-invalid', `expected a host, found ${quote(found ?? '')}`);
  }
  if (names !== undefined) {
    const name = hostName(host);
    if (!names.has(name) && name !== 'localhost' && isIP(name) === 0) {
      throw new TrustFault('http.host-unknown', `this server is not ${quote(name)}`);
    }
  }
  return host;
}

/** A checked Host header without its port, and without the brackets of an IPv6 address. */
export function hostName(host: string): string {
  if (host.startsWith('[')) return host.slice(1, host.indexOf(']'));
  const colon = host.indexOf(':');
  return colon === -1 ? host : host.slice(0, colon);
}
