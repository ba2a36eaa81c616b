import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { RequestFacts } from '../decision/made.ts';
import { isJson } from '../http/api/same-origin.ts';
import { readBody } from '../http/body.ts';
import type { Door, HttpReply, HttpRequest } from '../http/exchange.ts';
import { publicFault } from '../http/public-fault.ts';
import { API_VERSIONS, parseProviderRequest, REQUEST_MOST_BYTES } from './parse.ts';
import type { Gatekeeper } from './service.ts';

const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const;

/**
 * The door for Gatekeeper's external data: `POST /gatekeeper/verify` and `/gatekeeper/mutate`. Only
 * who showed a certificate of the listener's client authority is answered. Whatever cannot be read is
 * a ProviderResponse with a system error: Gatekeeper reads no other body, whatever the status.
 */
export function gatekeeperDoor(gatekeeper: Gatekeeper): Door {
  return {
    prefix: '/gatekeeper',
    name: 'gatekeeper',
    async handle(request) {
      const [path, ...more] = request.segments;
      if (more.length > 0 || (path !== 'verify' && path !== 'mutate')) {
        throw new TrustFault('http.not-found', `no path ${quote(request.segments.join('/'))} here`);
      }
      if (request.method !== 'POST') {
        throw new TrustFault('http.method-unsupported', `expected POST, found ${request.method}`);
      }
      // The listener asks for it; this door must not stand open behind another one.
      if (request.clientCertificate === null) {
        throw new TrustFault('access.unauthenticated', 'expected the certificate of Gatekeeper');
      }
      if (!isJson(request)) {
        const found = quote(request.header('content-type') ?? '');
        throw new TrustFault('http.media-type', `expected application/json, found ${found}`);
      }
      const asked = parseProviderRequest(await readBody(request, REQUEST_MOST_BYTES));
      const answer = await gatekeeper[path](asked, factsOf(request));
      return { status: 200, headers: HEADERS, body: JSON.stringify(answer) };
    },
    refuse,
  };
}

function factsOf(request: HttpRequest): RequestFacts {
  const { id, remoteAddress } = request;
  return { id, remoteAddress, userAgent: request.header('user-agent') ?? '' };
}

function refuse(fault: Error): HttpReply {
  const { status, code, message, remedy } = publicFault(fault);
  const response = {
    idempotent: true,
    items: [],
    systemError: `${code}: ${message} (${remedy})`,
  };
  const body = { apiVersion: API_VERSIONS[0], kind: 'ProviderResponse', response };
  return {
    status,
    headers: {
      ...HEADERS,
      ...(code === 'http.method-unsupported' ? { allow: 'POST' } : {}),
    },
    body: JSON.stringify(body),
  };
}
