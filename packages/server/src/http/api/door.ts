import { TrustFault } from '@bulla/trust/fault/fault';
import type { Door, HttpReply, HttpRequest } from '../exchange.ts';
import type { Log } from '../log.ts';
import type { Principal } from '../principal.ts';
import { type CheckedInput, checkInput } from './checked.ts';
import { matchRoutes } from './match.ts';
import { type ApiInfo, openApiDocument } from './openapi.ts';
import { problem } from './problem.ts';
import type { ApiCall, ApiRoute, Authenticate } from './route.ts';
import { requireSameOrigin } from './same-origin.ts';

/** What the API rests on. */
export interface ApiParts {
  readonly authenticate: Authenticate;
  readonly log: Log;
  readonly info: ApiInfo;
  /** The server's public origin (`https://bulla.example`) where a proxy stands before it. */
  readonly publicOrigin?: string;
}

/** Where the product API stands. */
export const API_PREFIX = '/api/bulla/v1';

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
} as const;

/**
 * The door of the product API. This is the one place where its callers' permissions are checked; a
 * route without `needs` cannot be written. A GET of `/openapi.json` answers the document made of the
 * routes. Refusals are JSON problems.
 */
export function apiDoor(routes: readonly ApiRoute[], parts: ApiParts): Door {
  const document = Buffer.from(JSON.stringify(openApiDocument(routes, parts.info)));
  const openApi: ApiRoute = {
    method: 'GET',
    path: '/openapi.json',
    needs: 'public',
    summary: 'This document',
    handle: async () => ({
      reply: { status: 200, headers: { 'content-type': 'application/json' }, body: document },
    }),
  };
  const match = matchRoutes(
    [...routes, openApi].map((route) => ({ ...bound(route), input: checkInput(route) })),
  );
  return {
    prefix: API_PREFIX,
    name: 'api',
    headers: HEADERS,
    async handle(request) {
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      const { route, params } = match(method, request.segments);
      requireSameOrigin(request, parts.publicOrigin ?? null);
      const principal = await callerOf(route, request, parts);
      return answer(route, { principal, request, params }, parts.log);
    },
    refuse: problem,
  };
}

interface BoundRoute extends Pick<ApiRoute, 'method' | 'path' | 'needs' | 'handle'> {
  readonly input: CheckedInput;
}

function bound(route: ApiRoute): Pick<ApiRoute, 'method' | 'path' | 'needs' | 'handle'> {
  const { method, path, needs } = route;
  return { method, path, needs, handle: (call) => route.handle(call) };
}

async function callerOf(
  { needs }: BoundRoute,
  request: HttpRequest,
  { authenticate }: ApiParts,
): Promise<Principal> {
  const principal =
    needs === 'public' ? await publicCaller(request, authenticate) : await authenticate(request);
  if (needs === 'public') return principal;
  if (principal.kind === 'anonymous') {
    throw new TrustFault('access.unauthenticated', 'expected somebody who has signed in');
  }
  if (needs !== 'signed-in' && !principal.permissions.has(needs)) {
    throw new TrustFault('access.denied', `expected the permission ${needs}`);
  }
  return principal;
}

/** A session that has ended must not keep anybody from signing in anew. */
async function publicCaller(request: HttpRequest, authenticate: Authenticate): Promise<Principal> {
  try {
    return await authenticate(request);
  } catch (error) {
    if (error instanceof TrustFault && STALE.has(error.code)) return ANONYMOUS;
    throw error;
  }
}

const STALE = new Set<string>(['access.unauthenticated', 'access.credentials-invalid']);

const ANONYMOUS: Principal = {
  kind: 'anonymous',
  id: 'anonymous',
  name: 'anonymous',
  permissions: new Set(),
  repositories: [],
};

async function answer(
  { input, handle, method, path, needs }: BoundRoute,
  call: Pick<ApiCall, 'principal' | 'request' | 'params'>,
  log: Log,
): Promise<HttpReply> {
  const { principal, request } = call;
  const query = input.query(request);
  const body = await input.body(request);
  const value = await handle({ ...call, query, body });
  if (method !== 'GET' && needs !== 'public') {
    log.info('changed through the API', { id: request.id, by: principal.name, method, path });
  }
  if (value === null) return { status: 204 };
  if (isReply(value)) return value.reply;
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  };
}

function isReply(value: object): value is { readonly reply: HttpReply } {
  return 'reply' in value;
}
