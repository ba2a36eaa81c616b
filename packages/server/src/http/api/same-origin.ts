import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { HttpRequest } from '../exchange.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses a change that a page of another origin made a browser send (CSRF, login CSRF among them).
 * A browser says where a request comes from (Sec-Fetch-Site, or Origin in older ones); what says
 * another origin is refused whatever its credentials, and what carries a cookie and no Authorization
 * must say this one, and send JSON if it sends anything or could be a form. `publicOrigin` is this
 * server's own address where a proxy ends TLS before it. Throws `access.foreign-origin`.
 */
export function requireSameOrigin(request: HttpRequest, publicOrigin: string | null): void {
  if (READING.has(request.method)) return;
  const site = request.header('sec-fetch-site');
  const origin = request.header('origin');
  const own = `${request.secure ? 'https' : 'http'}://${request.host}`;
  const isOwn = origin === own || (origin !== undefined && origin === publicOrigin);
  if (site !== undefined && site !== 'same-origin') throw foreign(`Sec-Fetch-Site ${quote(site)}`);
  // Behind a proxy that changes the host, Sec-Fetch-Site is the better witness.
  if (origin !== undefined && !isOwn && site === undefined)
    throw foreign(`Origin ${quote(origin)}`);
  const byCookie =
    request.header('cookie') !== undefined && request.header('authorization') === undefined;
  if (!byCookie) return;
  if (site === undefined && origin === undefined)
    throw foreign('neither Sec-Fetch-Site nor Origin');
  const couldBeForm = request.method === 'POST' || request.hasBody;
  if (couldBeForm && !isJson(request)) throw foreign('no Content-Type: application/json');
}

/** Whether the body is JSON by its Content-Type, whose parameters do not matter. */
export function isJson(request: HttpRequest): boolean {
  const type = request.header('content-type')?.split(';', 1)[0];
  return type?.trim().toLowerCase() === 'application/json';
}

function foreign(found: string): TrustFault {
  const message = `expected a request of this server's own pages, found ${found}`;
  return new TrustFault('access.foreign-origin', message);
}
