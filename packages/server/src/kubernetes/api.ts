import { parseJson } from '@bulla/trust/bytes/json';
import {
  asArray,
  asCount,
  asObject,
  asString,
  type Cursor,
  cursor,
  type JsonObject,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { ClusterAccess } from './connect.ts';
import {
  type ClusterAnswer,
  type ClusterRequest,
  callCluster,
  streamCluster,
} from './transport.ts';

/** An object of the cluster: what every kind has, and all of it as it came. */
export interface ClusterObject {
  readonly name: string;
  readonly uid: string;
  /** Names this state of the object; compared for equality alone. */
  readonly resourceVersion: string;
  /** Grows with each change of `spec`; null for kinds that do not count. */
  readonly generation: number | null;
  readonly value: JsonObject;
}

/** A collection at one moment. */
export interface ClusterList {
  readonly objects: readonly ClusterObject[];
  /** From where a watch goes on. */
  readonly resourceVersion: string;
}

/** What a watch tells. `expired`: it cannot go on from where it was, and the list is asked for anew. */
export type ClusterEvent =
  | { readonly type: 'put' | 'deleted'; readonly object: ClusterObject }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  | { readonly type: 'expired' };

/**
 * The API of a cluster, by paths: `/api/v1/namespaces/a/secrets/b`. Everything that comes back is
 * bounded. All throw `kubernetes.unreachable`, `kubernetes.refused` (401, 403), `kubernetes.conflict`
 * (409, and a JSON patch whose test fails), `kubernetes.not-found`, `kubernetes.answer-invalid`.
 */
export interface KubernetesApi {
  /** The server's own namespace; null where nothing names one. */
  readonly namespace: string | null;
  /** The newest state of an object; null where there is none. */
  get(path: string, signal?: AbortSignal): Promise<ClusterObject | null>;
  /** All objects of a collection, in pages; at most 10,000. */
  list(path: string, signal?: AbortSignal): Promise<ClusterList>;
  /** Makes an object; `kubernetes.conflict` when there is one of the name. */
  create(path: string, value: object): Promise<ClusterObject>;
  /** Takes the place of the object; `kubernetes.conflict` unless its resourceVersion is the newest. */
  replace(path: string, value: object): Promise<ClusterObject>;
  /** Changes parts: `merge` by RFC 7386, `json` by RFC 6902. */
  patch(path: string, kind: 'merge' | 'json', value: object): Promise<ClusterObject>;
  /** What happens after `resourceVersion`, for at most a minute; ends, and is asked for anew. */
  watch(path: string, resourceVersion: string, signal: AbortSignal): AsyncIterable<ClusterEvent>;
}

const TIMEOUT_MS = 10_000;
const WATCH_SECONDS = 60;
/** A watch that outlives its own end by so much is a connection that nobody holds any more. */
const WATCH_SLACK_MS = 15_000;
/** etcd takes 1.5 MiB for one object; JSON is larger than what etcd keeps. */
const MAX_OBJECT_BYTES = 8 << 20;
const MAX_PAGE_BYTES = 64 << 20;
const PAGE = 250;
const MAX_OBJECTS = 10_000;

/** The API behind `access`; `namespace` comes before that of the service account or context. */
export function kubernetesApi(access: ClusterAccess, namespace: string | null): KubernetesApi {
  const send = async (asked: Omit<ClusterRequest, 'timeoutMs'>, maxBytes = MAX_OBJECT_BYTES) =>
    callCluster(access, { ...asked, timeoutMs: TIMEOUT_MS }, maxBytes);
  const write = async (
    asked: Pick<ClusterRequest, 'method' | 'path'>,
    type: string,
    value: object,
  ) =>
    readObject(
      accepted(await send({ ...asked, body: { type, text: JSON.stringify(value) } }), asked.path),
    );
  return {
    namespace: namespace ?? access.namespace,
    async get(path, signal) {
      const answer = await send({
        method: 'GET',
        path,
        ...(signal === undefined ? {} : { signal }),
      });
      return answer.status === 404 ? null : readObject(accepted(answer, path));
    },
    async list(path, signal) {
      const objects: ClusterObject[] = [];
      const given = signal === undefined ? {} : { signal };
      for (let more = ''; ; ) {
        const asked = `${path}?limit=${PAGE}${more === '' ? '' : `&continue=${encodeURIComponent(more)}`}`;
        const page = readPage(
          accepted(await send({ method: 'GET', path: asked, ...given }, MAX_PAGE_BYTES), path),
        );
        objects.push(...page.objects);
        if (objects.length > MAX_OBJECTS) {
          const message = `expected at most ${MAX_OBJECTS} objects at ${path}`;
          throw new TrustFault('kubernetes.answer-invalid', message);
        }
        if (page.more === '') return { objects, resourceVersion: page.resourceVersion };
        more = page.more;
      }
    },
    create: (path, value) => write({ method: 'POST', path }, 'application/json', value),
    replace: (path, value) => write({ method: 'PUT', path }, 'application/json', value),
    patch: (path, kind, value) =>
      write({ method: 'PATCH', path }, `application/${PATCH_TYPES[kind]}+json`, value),
    watch: (path, resourceVersion, signal) => events(access, path, resourceVersion, signal),
  };
}

const PATCH_TYPES = { merge: 'merge-patch', json: 'json-patch' } as const;

async function* events(
  access: ClusterAccess,
  path: string,
  resourceVersion: string,
  signal: AbortSignal,
): AsyncIterable<ClusterEvent> {
  const from = encodeURIComponent(resourceVersion);
  const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}`;
  await using stream = await streamCluster(access, {
    method: 'GET',
    path: `${path}?${query}&resourceVersion=${from}`,
    timeoutMs: WATCH_SECONDS * 1000 + WATCH_SLACK_MS,
    signal,
  });
  if (stream.status === 410) {
    yield { type: 'expired' };
    return;
  }
  if (stream.status !== 200) {
    accepted({ status: stream.status, bytes: await stream.refusal() }, path);
  }
  // The connection stands: whoever watches knows that nothing was missed until now.
  yield { type: 'bookmark', resourceVersion };
  for await (const line of stream.lines(MAX_OBJECT_BYTES)) {
    if (line.length > 0) yield readEvent(line, path);
  }
}

function readEvent(line: Uint8Array, path: string): ClusterEvent {
  const at = jsonAt(line, `the watch of ${path}`);
  const type = asString(member(at, 'type'));
  const object = member(at, 'object');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'put', object: objectAt(object) };
    case 'DELETED':
      return { type: 'deleted', object: objectAt(object) };
    case 'BOOKMARK': {
      const metadata = member(object, 'metadata');
      return { type: 'bookmark', resourceVersion: asString(member(metadata, 'resourceVersion')) };
    }
    case 'ERROR': {
      const code = optional(member(object, 'code'), asCount);
      if (code === 410) return { type: 'expired' };
      throw new TrustFault('kubernetes.unreachable', `the watch of ${path} ended with ${code}`);
    }
    default:
      throw new TrustFault('kubernetes.answer-invalid', `the watch told of ${quote(type)}`);
  }
}

/** The answer's JSON, where the request was done. What the API server says of why not is quoted. */
function accepted({ status, bytes }: ClusterAnswer, path: string): Cursor {
  if (status >= 200 && status < 300) return jsonAt(bytes, path);
  const message = `the API server answered ${status} for ${path}: ${reasonOf(bytes)}`;
  switch (status) {
    case 401:
    case 403:
      throw new TrustFault('kubernetes.refused', message);
    case 404:
      throw new TrustFault('kubernetes.not-found', message);
    case 409:
    // A JSON patch whose `test` fails (RFC 6902 §5).
    case 422:
      throw new TrustFault('kubernetes.conflict', message);
    default: {
      const code = status >= 500 || status === 429 ? 'unreachable' : 'answer-invalid';
      throw new TrustFault(`kubernetes.${code}`, message);
    }
  }
}

/** The `message` of a Status (meta/v1), as far as it may be shown; never more of the answer. */
function reasonOf(bytes: Uint8Array): string {
  try {
    const at = jsonAt(bytes, 'the answer');
    return quote(optional(member(at, 'message'), asString) ?? 'no reason', 300);
  } catch {
    return 'no reason that can be read';
  }
}

function jsonAt(bytes: Uint8Array, where: string): Cursor {
  try {
    const value = parseJson(bytes, where, { maxBytes: MAX_PAGE_BYTES, maxDepth: 128 });
    return cursor(value, '', 'kubernetes.answer-invalid');
  } catch {
    // Without its cause: a parser's message quotes the text, which may be a Secret's.
    const message = `the answer for ${where} is not JSON that can be taken`;
    throw new TrustFault('kubernetes.answer-invalid', message);
  }
}

function readObject(at: Cursor): ClusterObject {
  return objectAt(at);
}

function objectAt(at: Cursor): ClusterObject {
  const metadata = member(at, 'metadata');
  return {
    name: asString(member(metadata, 'name')),
    uid: optional(member(metadata, 'uid'), asString) ?? '',
    resourceVersion: asString(member(metadata, 'resourceVersion')),
    generation: optional(member(metadata, 'generation'), asCount) ?? null,
    value: asObject(at),
  };
}

function readPage(at: Cursor) {
  const metadata = member(at, 'metadata');
  return {
    objects: optional(member(at, 'items'), (items) => asArray(items, objectAt)) ?? [],
    resourceVersion: asString(member(metadata, 'resourceVersion')),
    more: optional(member(metadata, 'continue'), asString) ?? '',
  };
}
