import { TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import { uploaderOf } from '../blob-pull.ts';
import { digestName, repositoryName } from '../names.ts';
import type { Place } from '../place.ts';
import type { Gateway } from '../service.ts';
import { mayUse, requireWritable } from '../upstream/users.ts';
import { askFirst } from './challenge.ts';
import { refuse } from './errors.ts';
import { chunkRange, entityTag, isKnown, rangeOf } from './headers.ts';
import { API_VERSION, type Call, created, needOf, type Routes, STORED } from './replies.ts';

/** GET, HEAD and DELETE of a blob. */
export function blobRoutes(gateway: Gateway, place: Place, digest: Digest): Routes {
  const pull = needOf(place.name, 'pull');
  const handle = async (call: Call) => {
    try {
      return await getBlob(gateway, place, digest, call);
    } catch (error) {
      // Absent or withheld: the answer tells nobody which.
      if (!(error instanceof TrustFault) || error.code !== 'gateway.blob-unknown') throw error;
      return askFirst(gateway.ports, pull, call, refuse(error));
    }
  };
  return {
    GET: { needs: pull, handle },
    HEAD: { needs: pull, handle },
    DELETE: {
      needs: needOf(place.name, 'delete'),
      async handle() {
        requireWritable(place);
        await gateway.deleteBlob(place.key, digest);
        return { status: 202, headers: API_VERSION };
      },
    },
  };
}

async function getBlob(
  gateway: Gateway,
  place: Place,
  digest: Digest,
  { request, caller }: Call,
): Promise<HttpReply> {
  const head = request.method === 'HEAD';
  const blob = await gateway.pullBlob(place, digest, caller, head);
  const { size } = blob;
  const etag = entityTag(digest);
  const headers = {
    ...STORED,
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag,
  };
  if (isKnown(request, digest)) return { status: 304, headers };
  // RFC 9110 §14.2: Range is defined for GET only, and may be ignored: what is still being fetched
  // is sent whole.
  const range = head || !blob.isStored ? 'whole' : rangeOf(request, size, etag);
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { ...headers, 'content-range': `bytes */${size}` } };
  }
  if (range === 'whole') {
    const whole = { ...headers, 'content-length': size };
    if (head) return { status: 200, headers: whole };
    const body = await blob.read({ from: 0, length: size });
    return { status: 200, headers: whole, body };
  }
  const { from, length } = range;
  return {
    status: 206,
    headers: {
      ...headers,
      'content-length': length,
      'content-range': `bytes ${from}-${from + length - 1}/${size}`,
    },
    body: await blob.read(range),
  };
}

/** POST: a mount, a whole blob at once, or a new upload. */
export function uploadsRoutes(gateway: Gateway, place: Place): Routes {
  return {
    POST: {
      needs: needOf(place.name, 'push'),
      async handle(call) {
        requireWritable(place);
        const { query } = call.request;
        const mount = query.get('mount');
        if (mount !== null && (await mounted(gateway, place, digestName(mount), call))) {
          return blobCreated(place, digestName(mount));
        }
        const digest = query.get('digest');
        if (digest !== null) return postWhole(gateway, place, digestName(digest), call);
        const like = query.get('digest-algorithm') ?? mount?.split(':', 1)[0] ?? 'sha256';
        return started(gateway, place, like);
      },
    },
  };
}

/** A source that the caller may not pull is as if it had nothing (semantics 15). */
function mounted(
  gateway: Gateway,
  place: Place,
  digest: Digest,
  { request, caller }: Call,
): Promise<boolean> {
  const { access } = gateway.ports;
  const { principal } = caller;
  const from = request.query.get('from');
  const source =
    from === null || from === '' ? null : gateway.places.locate(repositoryName(from)).key;
  const may = (key: string) => {
    const other = gateway.places.ofKey(key);
    return other !== null && access.may(principal, other.name, 'pull') && mayUse(other, principal);
  };
  return gateway.mountBlob(place.key, digest, { from: source, may, mounter: uploaderOf(caller) });
}

async function started(gateway: Gateway, place: Place, like: string): Promise<HttpReply> {
  if (like !== 'sha256' && like !== 'sha512') {
    throw new TrustFault('gateway.digest-invalid', 'expected digest-algorithm sha256 or sha512');
  }
  return uploadState(202, place, await gateway.startUpload(place.key, like), 0);
}

async function postWhole(
  gateway: Gateway,
  place: Place,
  digest: Digest,
  { request, caller }: Call,
): Promise<HttpReply> {
  const like = digest.startsWith('sha512:') ? 'sha512' : 'sha256';
  // Without a body the sender means to go on with PUT, unless the blob is the empty one.
  if (!request.hasBody && computeDigest(new Uint8Array(), digest) !== digest) {
    return started(gateway, place, like);
  }
  const upload = await gateway.startUpload(place.key, like);
  try {
    await append(gateway, place, upload, request);
    await gateway.finishUpload(place.key, upload, digest, uploaderOf(caller));
  } catch (error) {
    // Nobody was told of this upload, so nobody can go on with it.
    await gateway.cancelUpload(place.key, upload).catch(() => undefined);
    throw error;
  }
  return blobCreated(place, digest);
}

/** PATCH, PUT, GET and DELETE of an upload. */
export function uploadRoutes(gateway: Gateway, place: Place, upload: string): Routes {
  const { key } = place;
  const needs = needOf(place.name, 'push');
  const status = async (): Promise<HttpReply> => {
    requireWritable(place);
    return uploadState(204, place, upload, await gateway.uploadSize(key, upload));
  };
  return {
    GET: { needs, handle: status },
    HEAD: { needs, handle: status },
    PATCH: {
      needs,
      async handle({ request }) {
        requireWritable(place);
        return inOrder(gateway, place, upload, async () =>
          uploadState(202, place, upload, await append(gateway, place, upload, request)),
        );
      },
    },
    PUT: {
      needs,
      async handle(call) {
        requireWritable(place);
        return putUpload(gateway, place, upload, call);
      },
    },
    DELETE: {
      needs,
      async handle() {
        requireWritable(place);
        await gateway.cancelUpload(key, upload);
        return { status: 204, headers: API_VERSION };
      },
    },
  };
}

async function putUpload(
  gateway: Gateway,
  place: Place,
  upload: string,
  { request, caller }: Call,
): Promise<HttpReply> {
  const text = request.query.get('digest');
  if (text === null) throw new TrustFault('gateway.digest-invalid', 'PUT needs ?digest=');
  const digest = digestName(text);
  return inOrder(gateway, place, upload, async () => {
    if (request.hasBody) await append(gateway, place, upload, request);
    await gateway.finishUpload(place.key, upload, digest, uploaderOf(caller));
    return blobCreated(place, digest);
  });
}

function append(
  gateway: Gateway,
  place: Place,
  upload: string,
  request: HttpRequest,
): Promise<number> {
  return gateway.appendChunk(place.key, upload, {
    content: request.body(),
    range: chunkRange(request),
    length: request.contentLength,
  });
}

/** A 416 tells where to go on from, as the answer to GET would. */
async function inOrder(
  gateway: Gateway,
  place: Place,
  upload: string,
  write: () => Promise<HttpReply>,
): Promise<HttpReply> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof TrustFault) || error.code !== 'gateway.chunk-out-of-order') throw error;
    const size = await gateway.uploadSize(place.key, upload);
    const { headers } = uploadState(416, place, upload, size);
    const reply = refuse(error);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  }
}

function uploadState(status: number, place: Place, upload: string, size: number): HttpReply {
  return {
    status,
    headers: {
      ...API_VERSION,
      location: `/v2/${place.name}/blobs/uploads/${upload}`,
      // The grammar has no empty range; clients read 0-0 of a fresh upload as "nothing yet".
      range: `0-${Math.max(0, size - 1)}`,
      'docker-upload-uuid': upload,
    },
  };
}

function blobCreated(place: Place, digest: Digest): HttpReply {
  return created(`/v2/${place.name}/blobs/${digest}`, digest);
}
