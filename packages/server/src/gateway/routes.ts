import { TrustFault } from '@bulla/trust/fault/fault';
import type { Door, HttpReply, HttpRequest } from '../http/exchange.ts';
import { blobRoutes, uploadRoutes, uploadsRoutes } from './blob-routes.ts';
import { refuse } from './errors.ts';
import { conditionsOf, entityTag, mediaTypeOf, nextLink, pageSize } from './headers.ts';
import { digestName, tagName } from './names.ts';
import { REFERRERS_TYPE } from './parse.ts';
import { API_VERSION, created, json, type Routes, STORED } from './replies.ts';
import type { Gateway } from './service.ts';
import { parseTargetPath, type Target } from './target.ts';

/** The registry's door: `/v2`, the whole of distribution-spec 1.1. */
export function gatewayDoor(gateway: Gateway): Door {
  return {
    prefix: '/v2',
    handle(request) {
      const target = parseTargetPath(request.segments);
      const routes = routesOf(gateway, target);
      const route = Object.hasOwn(routes, request.method) ? routes[request.method] : undefined;
      return route === undefined ? otherMethod(request, routes) : route(request);
    },
    refuse,
  };
}

async function otherMethod(request: HttpRequest, routes: Routes): Promise<HttpReply> {
  const fault = new TrustFault('http.method-unsupported', `no ${request.method} on this path`);
  const reply = refuse(fault);
  return { ...reply, headers: { ...reply.headers, allow: Object.keys(routes).join(', ') } };
}

function routesOf(gateway: Gateway, target: Target): Routes {
  switch (target.kind) {
    case 'base':
      return reading(async () => json(200, {}));
    case 'catalog':
      return reading((request) => catalog(gateway, request));
    case 'tags':
      return reading((request) => tags(gateway, target.repository, request));
    case 'referrers':
      return reading((request) => referrers(gateway, target, request));
    case 'manifest':
      return manifestRoutes(gateway, target);
    case 'blob':
      return blobRoutes(gateway, target);
    case 'uploads':
      return uploadsRoutes(gateway, target.repository);
    case 'upload':
      return uploadRoutes(gateway, target);
    default:
      return target satisfies never;
  }
}

function reading(route: (request: HttpRequest) => Promise<HttpReply>): Routes {
  return { GET: route, HEAD: route };
}

async function catalog(gateway: Gateway, request: HttpRequest): Promise<HttpReply> {
  const n = pageSize(request.query);
  const last = request.query.get('last') ?? undefined;
  const page = await gateway.listRepositories({
    ...(n === undefined ? {} : { n }),
    ...(last === undefined ? {} : { last }),
  });
  const reply = json(200, { repositories: page.names });
  return page.more ? withNext(reply, '/v2/_catalog', n, page.names.at(-1)) : reply;
}

async function tags(
  gateway: Gateway,
  repository: string,
  request: HttpRequest,
): Promise<HttpReply> {
  const n = pageSize(request.query);
  const last = request.query.get('last');
  const page = await gateway.listTags(repository, {
    ...(n === undefined ? {} : { n }),
    ...(last === null ? {} : { last: tagName(last) }),
  });
  const reply = json(200, { name: repository, tags: page.names });
  return page.more ? withNext(reply, `/v2/${repository}/tags/list`, n, page.names.at(-1)) : reply;
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
  { repository, subject }: Extract<Target, { readonly kind: 'referrers' }>,
  request: HttpRequest,
): Promise<HttpReply> {
  const n = pageSize(request.query);
  const last = request.query.get('last');
  const artifactType = request.query.get('artifactType') || undefined;
  const page = await gateway.listReferrers(repository, subject, {
    ...(n === undefined ? {} : { n }),
    ...(last === null ? {} : { last: digestName(last) }),
    ...(artifactType === undefined ? {} : { artifactType }),
  });
  const path = `/v2/${repository}/referrers/${subject}`;
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

function manifestRoutes(
  gateway: Gateway,
  target: Extract<Target, { readonly kind: 'manifest' }>,
): Routes {
  const { repository, reference } = target;
  return {
    ...reading((request) => getManifest(gateway, target, request)),
    PUT: (request) => putManifest(gateway, target, request),
    async DELETE() {
      if ('tag' in reference) await gateway.deleteTag(repository, reference.tag);
      else await gateway.deleteManifest(repository, reference.digest);
      return { status: 202, headers: API_VERSION };
    },
  };
}

async function getManifest(
  gateway: Gateway,
  { repository, reference }: Extract<Target, { readonly kind: 'manifest' }>,
  request: HttpRequest,
): Promise<HttpReply> {
  const { digest, record } = await gateway.findManifest(repository, reference);
  const headers = {
    ...STORED,
    'content-type': record.mediaType,
    'content-length': record.size,
    'docker-content-digest': digest,
    etag: entityTag(digest),
  };
  const { noneMatch = [] } = conditionsOf(request);
  if (noneMatch.some((tag) => tag === '*' || tag === digest)) {
    const { 'content-length': _, ...rest } = headers;
    return { status: 304, headers: rest };
  }
  if (request.method === 'HEAD') return { status: 200, headers };
  return { status: 200, headers, body: await gateway.readManifest(digest) };
}

async function putManifest(
  gateway: Gateway,
  { repository, reference }: Extract<Target, { readonly kind: 'manifest' }>,
  request: HttpRequest,
): Promise<HttpReply> {
  const contentType = mediaTypeOf(request);
  const tags = 'tag' in reference ? [] : request.query.getAll('tag').map(tagName);
  const conditions = conditionsOf(request);
  const bytes = await wholeBody(request, gateway.config.maxManifestBytes);
  const push = { repository, reference, tags, contentType, bytes, conditions };
  const { digest, subject } = await gateway.pushManifest(push);
  return created(`/v2/${repository}/manifests/${digest}`, digest, {
    ...(subject === null ? {} : { 'oci-subject': subject }),
    ...(tags.length === 0 ? {} : { 'oci-tag': tags.join(', ') }),
  });
}

async function wholeBody(request: HttpRequest, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new TrustFault('gateway.manifest-too-large', `expected at most ${maxBytes} bytes`);
  if ((request.contentLength ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body()) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
