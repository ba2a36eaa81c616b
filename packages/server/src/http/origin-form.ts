import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { plainAddress } from './address.ts';

const ABSOLUTE = /^(https?):\/\/([^/?#]*)(.*)$/i;

/**
 * Brings a request into the one form that everything else reads. The target of an absolute form is
 * its path, and its host counts instead of the Host header's (RFC 9112 §3.2.2); one of another scheme
 * stays as it is, and is refused. Who speaks HTTP/1.0 need not name a host: it is the address that
 * they connected to. No browser does so, so no page can pass for this server by it.
 */
export function bringIntoOriginForm(request: IncomingMessage): void {
  const { url = '/', rawHeaders, socket, httpVersion } = request;
  const [, scheme = '', authority = '', rest = ''] = ABSOLUTE.exec(url) ?? [];
  const own = socket instanceof TLSSocket ? 'https' : 'http';
  if (scheme.toLowerCase() === own) {
    request.url = rest.startsWith('/') ? rest : `/${rest}`;
    request.rawHeaders = [...rawHeaders.filter(otherThanHost), 'Host', authority];
  } else if (httpVersion === '1.0' && rawHeaders.every(otherThanHost)) {
    const address = plainAddress(socket.localAddress);
    const host = isIP(address) === 6 ? `[${address}]` : address;
    request.rawHeaders = [...rawHeaders, 'Host', `${host}:${socket.localPort}`];
  }
}

/** Whether a place of `rawHeaders`, where names and values take turns, is no part of a Host header. */
function otherThanHost(_text: string, at: number, all: readonly string[]): boolean {
  return all[at - (at % 2)]?.toLowerCase() !== 'host';
}
