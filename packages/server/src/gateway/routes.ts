import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { Door, HttpReply, HttpRequest } from '../http/exchange.ts';
import type { Principal } from '../http/principal.ts';
import { blobRoutes, uploadRoutes, uploadsRoutes } from './http/blob-routes.ts';
import { askFirst, challenged } from './http/challenge.ts';
import { refuse } from './http/errors.ts';
import { nextLink, pageSize } from './http/headers.ts';
import { manifestRoutes } from './http/manifest-routes.ts';
import { type Call, json, needOf, type Route, type Routes, STORED } from './http/replies.ts';
import { parseTargetPath, type Target } from './http/target.ts';
import { digestName, tagName } from './names.ts';
import { REFERRERS_TYPE } from './parse.ts';
import type { Place } from './place.ts';
import type { AccessNeed } from './ports.ts';
import type { Gateway } from './service.ts';
import { mayUse, useDenied } from './upstream/users.ts';

/** The registry's door: `/v2`, the whole of distribution-spec 1.1. */
export function gatewayDoor(gateway: Gateway): Door {
  return {
    prefix: '/v2',
    async handle(request) {
      const target = targetOf(request);
      const routes = routesOf(gateway, target);
      const route = Object.hasOwn(routes, request.method) ? routes[request.method] : undefined;
      return route === undefined ? otherMethod(request, routes) : admit(gateway, route, request);
    },
    refuse,
  };
}

/** What is no tag and no digest is the name of no manifest: reading it finds none, pushing it is wrong. */
function targetOf({ method, segments }: HttpRequest): Target {
  try {
    return parseTargetPath(segments);
  } catch (error) {
    const isRead = method === 'GET' || method === 'HEAD';
    const isName = error instanceof TrustFault && error.code === 'gateway.reference-invalid';
    if (isRead && isName) throw new TrustFault('gateway.manifest-unknown', error.message);
    throw error;
  }
}

async function otherMethod(request: HttpRequest, routes: Routes): Promise<HttpReply> {
  const fault = new TrustFault('http.method-unsupported', `no ${request.method} on this path`);
  const reply = refuse(fault);
  return { ...reply, headers: { ...reply.headers, allow: Object.keys(routes).join(', ') } };
}

/** Who asks is settled before anything is looked up: a name that one may not see is no name. */
async function admit(gateway: Gateway, route: Route, request: HttpRequest): Promise<HttpReply> {
  const { access } = gateway.ports;
  const { needs } = route;
  let principal: Principal;
  try {
    principal = await access.authorize(request, needs);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return challenged(gateway.ports, needs, request, refuse(error));
  }
  const call = { request, caller: { principal, facts: factsOf(request) } };
  const place = needs.kind === 'repository' ? gateway.places.locate(needs.repository) : null;
  if (place !== null && !mayUse(place, principal)) {
    return askFirst(gateway.ports, needs, call, refuse(useDenied(place)));
  }
  return route.handle(call);
}

function factsOf(request: HttpRequest) {
  return {
    id: request.id,
    remoteAddress: request.remoteAddress,
    userAgent: request.header('user-agent') ?? '',
  };
}

function routesOf(gateway: Gateway, target: Target): Routes {
  switch (target.kind) {
    case 'base':
      return reading({ kind: 'base' }, async () => json(200, {}));
    case 'catalog':
      return reading({ kind: 'catalog' }, (call) => catalog(gateway, call));
    default:
      return repositoryRoutes(gateway, target, gateway.places.locate(target.repository));
  }
}

function repositoryRoutes(
  gateway: Gateway,
  target: Exclude<Target, { readonly kind: 'base' | 'catalog' }>,
  place: Place,
): Routes {
  const pull = needOf(target.repository, 'pull');
  switch (target.kind) {
    case 'tags':
      return reading(pull, ({ request }) => tags(gateway, place, request));
    case 'referrers':
      return reading(pull, ({ request }) => referrers(gateway, place, target.subject, request));
    case 'manifest':
      return manifestRoutes(gateway, place, target.reference);
    case 'blob':
      return blobRoutes(gateway, place, target.digest);
    case 'uploads':
      return uploadsRoutes(gateway, place);
    case 'upload':
      return uploadRoutes(gateway, place, target.upload);
    default:
      return target satisfies never;
  }
}

function reading(needs: AccessNeed, handle: Route['handle']): Routes {
  return { GET: { needs, handle }, HEAD: { needs, handle } };
}

async function catalog(gateway: Gateway, { request, caller }: Call): Promise<HttpReply> {
  const n = pageSize(request.query);
  const last = request.query.get('last') ?? undefined;
  const { principal } = caller;
  const page = await gateway.listCatalog(
    { ...(n === undefined ? {} : { n }), ...(last === undefined ? {} : { last }) },
    (repository) =>
      gateway.ports.access.may(principal, repository, 'pull') &&
      mayUse(gateway.places.locate(repository), principal),
  );
  const reply = json(200, { repositories: page.names });
  return page.more ? withNext(reply, '/v2/_catalog', n, page.names.at(-1)) : reply;
}

async function tags(gateway: Gateway, place: Place, request: HttpRequest): Promise<HttpReply> {
  const n = pageSize(request.query);
  const last = request.query.get('last');
  const page = await gateway.placeTags(place, {
    ...(n === undefined ? {} : { n }),
    ...(last === null ? {} : { last: tagName(last) }),
  });
  const reply = json(200, { name: place.name, tags: page.names });
  return page.more ? withNext(reply, `/v2/${place.name}/tags/list`, n, page.names.at(-1)) : reply;
}

function withNext(
  reply: HttpReply,
  path: string,
  n: number | undefined,
  last: string | undefined,
): HttpReply {
  const link = nextLink(path, { n: n === undefined ? undefined : String(n), last });
  return { ...reply, headers: { ...reply.headers, link } };
}

async function referrers(
  gateway: Gateway,
  place: Place,
  subject: Digest,
  request: HttpRequest,
): Promise<HttpReply> {
  const n = pageSize(request.query);
  const last = request.query.get('last');
  const artifactType = request.query.get('artifactType') || undefined;
  const page = await gateway.placeReferrers(place, subject, {
    ...(n === undefined ? {} : { n }),
    ...(last === null ? {} : { last: digestName(last) }),
    ...(artifactType === undefined ? {} : { artifactType }),
  });
  const path = `/v2/${place.name}/referrers/${subject}`;
  const next = { artifactType, n: n === undefined ? undefined : String(n) };
  return {
    status: 200,
    headers: {
      ...STORED,
      'content-type': REFERRERS_TYPE,
      ...(artifactType === undefined ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...(page.next === null ? {} : { link: nextLink(path, { ...next, last: page.next }) }),
    },
    body: page.index,
  };
}
