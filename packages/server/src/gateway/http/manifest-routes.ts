import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { readBody } from '../../http/body.ts';
import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import { type Reference, tagName } from '../names.ts';
import type { Place } from '../place.ts';
import type { Pulled } from '../pull.ts';
import type { Gateway } from '../service.ts';
import { requireWritable } from '../upstream/users.ts';
import { askFirst } from './challenge.ts';
import { refuse } from './errors.ts';
import { conditionsOf, entityTag, isKnown, mediaTypeOf } from './headers.ts';
import { decisionHeaders, refusal } from './refusal.ts';
import { API_VERSION, type Call, created, needOf, type Routes, STORED } from './replies.ts';

/** GET, HEAD, PUT and DELETE of a manifest. */
export function manifestRoutes(gateway: Gateway, place: Place, reference: Reference): Routes {
  const pull = needOf(place.name, 'pull');
  const handle = (call: Call) => getManifest(gateway, place, reference, call);
  return {
    GET: { needs: pull, handle },
    HEAD: { needs: pull, handle },
    PUT: {
      needs: needOf(place.name, 'push'),
      handle: ({ request }) => putManifest(gateway, place, reference, request),
    },
    DELETE: {
      needs: needOf(place.name, 'delete'),
      async handle() {
        requireWritable(place);
        if ('tag' in reference) await gateway.deleteTag(place.key, reference.tag);
        else await gateway.deleteManifest(place.key, reference.digest);
        return { status: 202, headers: API_VERSION };
      },
    },
  };
}

/** Nothing of a manifest is said, not even its digest, before it was admitted. */
async function getManifest(
  gateway: Gateway,
  place: Place,
  reference: Reference,
  call: Call,
): Promise<HttpReply> {
  const { request, caller } = call;
  const pulled = await gateway.pullManifest(place, reference, caller);
  if (pulled.kind === 'refused') return refused(gateway, place, reference, pulled, call);
  const { digest, record, bytes } = pulled.content;
  const headers = {
    ...STORED,
    ...decisionHeaders(pulled.answered?.decision ?? null),
    'content-type': record.mediaType,
    'content-length': bytes.length,
    'docker-content-digest': digest,
    etag: entityTag(digest),
  };
  if (isKnown(request, digest)) {
    const { 'content-length': _, ...rest } = headers;
    return { status: 304, headers: rest };
  }
  if (request.method === 'HEAD') return { status: 200, headers };
  return { status: 200, headers, body: bytes };
}

/**
 * Clients look by HEAD whether what they are about to push is there, and give up at anything but 200
 * and 404. To who may push, what is refused is therefore absent, which tells them nothing; pulls by
 * such clients have tokens that allow no push.
 */
function refused(
  { ports }: Gateway,
  place: Place,
  reference: Reference,
  { answered, problem }: Extract<Pulled, { readonly kind: 'refused' }>,
  call: Call,
): HttpReply {
  const { request, caller } = call;
  const reply = refusal(answered.decision, problem);
  // An outage is one for everybody.
  if (problem !== null) return reply;
  const mayPush = ports.access.may(caller.principal, place.name, 'push');
  if (request.method !== 'HEAD' || !mayPush) {
    return askFirst(ports, needOf(place.name, 'pull'), call, reply);
  }
  const what = 'tag' in reference ? quote(reference.tag) : reference.digest;
  const absent = refuse(
    new TrustFault('gateway.manifest-unknown', `${place.name} has no manifest ${what} to pull`),
  );
  return { ...absent, headers: { ...reply.headers, ...absent.headers } };
}

async function putManifest(
  gateway: Gateway,
  place: Place,
  reference: Reference,
  request: HttpRequest,
): Promise<HttpReply> {
  requireWritable(place);
  const contentType = mediaTypeOf(request);
  const tags = 'tag' in reference ? [] : request.query.getAll('tag').map(tagName);
  const conditions = conditionsOf(request);
  const { maxManifestBytes } = gateway.config;
  const bytes = await readBody(request, maxManifestBytes, 'gateway.manifest-too-large');
  const push = { repository: place.key, reference, tags, contentType, bytes, conditions };
  const { digest, subject } = await gateway.pushManifest(push);
  return created(`/v2/${place.name}/manifests/${digest}`, digest, {
    ...(subject === null ? {} : { 'oci-subject': subject }),
    ...(tags.length === 0 ? {} : { 'oci-tag': tags.join(', ') }),
  });
}
