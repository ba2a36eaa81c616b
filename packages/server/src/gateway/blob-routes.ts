import { TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import type { HttpReply, HttpRequest } from '../http/exchange.ts';
import { refuse } from './errors.ts';
import { chunkRange, entityTag, rangeOf } from './headers.ts';
import { digestName, repositoryName } from './names.ts';
import { API_VERSION, created, type Routes, STORED } from './replies.ts';
import type { Gateway } from './service.ts';
import type { Target } from './target.ts';

/** GET, HEAD and DELETE of a blob. */
export function blobRoutes(
  gateway: Gateway,
  target: Extract<Target, { readonly kind: 'blob' }>,
): Routes {
  const get = (request: HttpRequest) => getBlob(gateway, target, request);
  return {
    GET: get,
    HEAD: get,
    async DELETE() {
      await gateway.deleteBlob(target.repository, target.digest);
      return { status: 202, headers: API_VERSION };
    },
  };
}

async function getBlob(
  gateway: Gateway,
  { repository, digest }: Extract<Target, { readonly kind: 'blob' }>,
  request: HttpRequest,
): Promise<HttpReply> {
  const size = await gateway.requireBlob(repository, digest);
  const etag = entityTag(digest);
  const headers = {
    ...STORED,
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag,
  };
  const head = request.method === 'HEAD';
  // RFC 9110 §14.2: Range is defined for GET only.
  const range = head ? 'whole' : rangeOf(request, size, etag);
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { ...headers, 'content-range': `bytes */${size}` } };
  }
  if (range === 'whole') {
    const whole = { ...headers, 'content-length': size };
    if (head) return { status: 200, headers: whole };
    const body = await gateway.readBlob(digest, { from: 0, length: size });
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
    body: await gateway.readBlob(digest, range),
  };
}

/** POST: a mount, a whole blob at once, or a new upload. */
export function uploadsRoutes(gateway: Gateway, repository: string): Routes {
  return {
    async POST(request) {
      const { query } = request;
      const mount = query.get('mount');
      if (mount !== null) {
        const digest = digestName(mount);
        const from = query.get('from');
        const source = from === null || from === '' ? null : repositoryName(from);
        if (await gateway.mountBlob(repository, digest, source))
          return blobCreated(repository, digest);
      }
      const digest = query.get('digest');
      if (digest !== null) return postWhole(gateway, repository, digestName(digest), request);
      const like = query.get('digest-algorithm') ?? mount?.split(':', 1)[0] ?? 'sha256';
      return started(gateway, repository, like);
    },
  };
}

async function started(gateway: Gateway, repository: string, like: string): Promise<HttpReply> {
  if (like !== 'sha256' && like !== 'sha512') {
    throw new TrustFault('gateway.digest-invalid', 'expected digest-algorithm sha256 or sha512');
  }
  return uploadState(202, repository, await gateway.startUpload(repository, like), 0);
}

async function postWhole(
  gateway: Gateway,
  repository: string,
  digest: Digest,
  request: HttpRequest,
): Promise<HttpReply> {
  const like = digest.startsWith('sha512:') ? 'sha512' : 'sha256';
  // Without a body the sender means to go on with PUT, unless the blob is the empty one.
  if (!request.hasBody && computeDigest(new Uint8Array(), digest) !== digest) {
    return started(gateway, repository, like);
  }
  const upload = await gateway.startUpload(repository, like);
  try {
    await append(gateway, repository, upload, request);
    await gateway.finishUpload(repository, upload, digest);
  } catch (error) {
    // Nobody was told of this upload, so nobody can go on with it.
    await gateway.cancelUpload(repository, upload).catch(() => undefined);
    throw error;
  }
  return blobCreated(repository, digest);
}

/** PATCH, PUT, GET and DELETE of an upload. */
export function uploadRoutes(
  gateway: Gateway,
  { repository, upload }: Extract<Target, { readonly kind: 'upload' }>,
): Routes {
  const status = async (): Promise<HttpReply> =>
    uploadState(204, repository, upload, await gateway.uploadSize(repository, upload));
  return {
    GET: status,
    HEAD: status,
    async PATCH(request) {
      return inOrder(gateway, repository, upload, async () =>
        uploadState(202, repository, upload, await append(gateway, repository, upload, request)),
      );
    },
    async PUT(request) {
      const text = request.query.get('digest');
      if (text === null) throw new TrustFault('gateway.digest-invalid', 'PUT needs ?digest=');
      const digest = digestName(text);
      return inOrder(gateway, repository, upload, async () => {
        if (request.hasBody) await append(gateway, repository, upload, request);
        await gateway.finishUpload(repository, upload, digest);
        return blobCreated(repository, digest);
      });
    },
    async DELETE() {
      await gateway.cancelUpload(repository, upload);
      return { status: 204, headers: API_VERSION };
    },
  };
}

function append(
  gateway: Gateway,
  repository: string,
  upload: string,
  request: HttpRequest,
): Promise<number> {
  return gateway.appendChunk(repository, upload, {
    content: request.body(),
    range: chunkRange(request),
    length: request.contentLength,
  });
}

/** A 416 tells where to go on from, as the answer to GET would. */
async function inOrder(
  gateway: Gateway,
  repository: string,
  upload: string,
  write: () => Promise<HttpReply>,
): Promise<HttpReply> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof TrustFault) || error.code !== 'gateway.chunk-out-of-order') throw error;
    const size = await gateway.uploadSize(repository, upload);
    const { headers } = uploadState(416, repository, upload, size);
    const reply = refuse(error);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  }
}

function uploadState(status: number, repository: string, upload: string, size: number): HttpReply {
  return {
    status,
    headers: {
      ...API_VERSION,
      location: `/v2/${repository}/blobs/uploads/${upload}`,
      // The grammar has no empty range; clients read 0-0 of a fresh upload as "nothing yet".
      range: `0-${Math.max(0, size - 1)}`,
      'docker-upload-uuid': upload,
    },
  };
}

function blobCreated(repository: string, digest: Digest): HttpReply {
  return created(`/v2/${repository}/blobs/${digest}`, digest);
}
