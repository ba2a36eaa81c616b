import { createHash, type Hash } from 'node:crypto';
import { quote, TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import { computeDigest, type Digest } from '../digest.ts';
import type { CallOptions } from '../store.ts';
import { hasBlob } from './blobs.ts';
import type { RawAnswer } from './exchange.ts';
import { DEFAULT_CHUNK_BYTES } from './options.ts';
import { answerFault } from './registry-client.ts';
import { abortOf, apiPath, type Repository, writeScope } from './repository.ts';

type Wanted = Pick<Descriptor, 'digest' | 'size'>;

/** An upload that the registry has opened; the address changes with every answer. */
interface Session {
  readonly url: URL;
  /** Smallest chunk that the registry takes (OCI-Chunk-Min-Length), or 0. */
  readonly minBytes: number;
}

const TRIES = 4;
const OCTETS = { 'content-type': 'application/octet-stream' };

/**
 * Uploads bytes in one request. When the connection breaks or the registry fails, a new upload is
 * opened, unless the blob turns out to be there; four tries in all.
 */
export async function uploadBytes(
  repository: Repository,
  wanted: Wanted,
  bytes: Uint8Array,
  options?: CallOptions,
): Promise<void> {
  const found = computeDigest(bytes, wanted.digest);
  if (bytes.length !== wanted.size || found !== wanted.digest) {
    throw mismatch(wanted, found, bytes.length);
  }
  for (let attempt = 1; ; attempt++) {
    try {
      const session = await open(repository, options);
      await finish(repository, session, wanted, bytes, options);
      return;
    } catch (error) {
      if (attempt === TRIES || !isPassing(error)) throw error;
    }
    if (await hasBlob(repository, wanted.digest, options)) return;
  }
}

/**
 * Uploads a stream in chunks, of which one is held in memory. After a broken connection or 416 the
 * registry is asked how much it has, and the rest of the chunk is sent. The digest is checked on the
 * way; content of another digest or size is never committed, and the upload is cancelled.
 */
export async function uploadStream(
  repository: Repository,
  wanted: Wanted,
  content: AsyncIterable<Uint8Array>,
  options?: CallOptions,
): Promise<void> {
  const chunkBytes = repository.client.options.chunkBytes ?? DEFAULT_CHUNK_BYTES;
  const state = createHash(wanted.digest.startsWith('sha512:') ? 'sha512' : 'sha256');
  let session: Session | undefined;
  let sent = 0;
  try {
    for await (const { bytes, isLast } of inChunks(checked(content, wanted, state), chunkBytes)) {
      if (isLast && session === undefined) {
        verify(wanted, state, bytes.length);
        return await uploadBytes(repository, wanted, bytes, options);
      }
      session ??= await open(repository, options);
      if (session.minBytes > chunkBytes && !isLast) {
        throw new TrustFault(
          'registry.refused',
          `${repository.name} wants chunks of at least ${session.minBytes} bytes, not ${chunkBytes}`,
        );
      }
      // Before the last byte is out, so that wrong content never lies whole in the registry.
      if (isLast) verify(wanted, state, sent + bytes.length);
      session = await sendChunk(repository, session, wanted, { bytes, start: sent }, options);
      sent += bytes.length;
    }
    if (session === undefined) throw new TrustFault('internal.defect', 'an upload had no chunk');
    await finish(repository, session, wanted, undefined, options);
  } catch (error) {
    if (session !== undefined) await cancel(repository, session);
    throw error;
  }
}

/**
 * Mounts a blob of repository `from` (distribution-spec "Mounting a blob"); false when the registry
 * opens an upload instead, which is then cancelled.
 */
export async function mountBlob(
  repository: Repository,
  digest: Digest,
  from: Repository,
  options?: CallOptions,
): Promise<boolean> {
  const query = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from.path)}`;
  const answer = await repository.client.send({
    method: 'POST',
    url: `${apiPath(repository, 'blobs/uploads/')}${query}`,
    scope: `${writeScope(repository)} repository:${from.path}:pull`,
    ...abortOf(options),
  });
  if (answer.status === 201) {
    answer.discard();
    return true;
  }
  if (answer.status === 202) {
    answer.discard();
    await cancel(repository, sessionOf(answer));
    return false;
  }
  // A registry that knows no mounts, or does not let this account see `from`, is no failure.
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
    answer.discard();
    return false;
  }
  throw await answerFault(answer, repository.name);
}

async function open(repository: Repository, options?: CallOptions): Promise<Session> {
  const answer = await repository.client.send({
    method: 'POST',
    url: apiPath(repository, 'blobs/uploads/'),
    scope: writeScope(repository),
    ...abortOf(options),
  });
  if (answer.status !== 202) throw await answerFault(answer, repository.name);
  answer.discard();
  return sessionOf(answer);
}

async function finish(
  repository: Repository,
  session: Session,
  wanted: Wanted,
  bytes: Uint8Array | undefined,
  options?: CallOptions,
): Promise<void> {
  // The address is the registry's own (distribution keeps a signed state in it): only append.
  const url = new URL(session.url.href);
  const digest = `digest=${encodeURIComponent(wanted.digest)}`;
  url.search = url.search === '' ? `?${digest}` : `${url.search}&${digest}`;
  const answer = await repository.client.send({
    method: 'PUT',
    url,
    scope: writeScope(repository),
    isRepeatable: false,
    headers: OCTETS,
    ...(bytes === undefined ? {} : { body: bytes, onSent: reporter(repository, wanted) }),
    ...abortOf(options),
  });
  if (answer.status !== 201 && answer.status !== 204) {
    throw await answerFault(answer, `${repository.name} ${wanted.digest}`);
  }
  answer.discard();
}

interface Chunk {
  readonly bytes: Uint8Array;
  /** Offset of the first byte in the blob. */
  readonly start: number;
}

async function sendChunk(
  repository: Repository,
  session: Session,
  wanted: Wanted,
  chunk: Chunk,
  options?: CallOptions,
): Promise<Session> {
  const end = chunk.start + chunk.bytes.length;
  let current = session;
  let from = chunk.start;
  for (let attempt = 1; from < end; attempt++) {
    try {
      const rest = chunk.bytes.subarray(from - chunk.start);
      const answer = await repository.client.send({
        method: 'PATCH',
        url: current.url,
        scope: writeScope(repository),
        headers: { ...OCTETS, 'content-range': `${from}-${end - 1}` },
        body: rest,
        onSent: reporter(repository, wanted),
        ...abortOf(options),
      });
      if (answer.status >= 200 && answer.status < 300) {
        answer.discard();
        return sessionOf(answer, current);
      }
      if (answer.status !== 416) throw await answerFault(answer, repository.name);
      answer.discard();
      if (attempt === TRIES) throw await answerFault(answer, repository.name);
    } catch (error) {
      if (attempt === TRIES || !isPassing(error)) throw error;
    }
    const position = await askPosition(repository, current, options);
    if (position.next < chunk.start || position.next > end) {
      throw new TrustFault(
        'registry.malformed-answer',
        `${repository.name} has ${position.next} bytes of an upload, of which ${chunk.start} to ${end} were sent`,
      );
    }
    current = position.session;
    from = position.next;
  }
  return current;
}

/** How much of an upload the registry has (distribution-spec "Pushing a blob in chunks", GET). */
async function askPosition(
  repository: Repository,
  session: Session,
  options?: CallOptions,
): Promise<{ session: Session; next: number }> {
  const answer = await repository.client.send({
    method: 'GET',
    url: session.url,
    scope: writeScope(repository),
    ...abortOf(options),
  });
  if (answer.status !== 204 && answer.status !== 202 && answer.status !== 200) {
    throw await answerFault(answer, repository.name);
  }
  answer.discard();
  const range = /^(?:bytes=)?0-([0-9]{1,15})$/.exec(answer.header('range') ?? '0-0');
  const last = Number(range?.[1] ?? 0);
  // `0-0` is also what registries say when they have nothing.
  return { session: sessionOf(answer, session), next: last === 0 ? 0 : last + 1 };
}

async function cancel(repository: Repository, session: Session): Promise<void> {
  try {
    const answer = await repository.client.send({
      method: 'DELETE',
      url: session.url,
      scope: writeScope(repository),
      isRepeatable: false,
    });
    answer.discard();
  } catch (error) {
    // The registry forgets abandoned uploads by itself; the first fault is the one that counts.
    if (!(error instanceof TrustFault)) throw error;
  }
}

function sessionOf(answer: RawAnswer, previous?: Session): Session {
  const location = answer.header('location');
  const url = location === undefined ? previous?.url : URL.parse(location, answer.url.href);
  if (url === null || url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new TrustFault(
      'registry.malformed-answer',
      `expected the address of an upload, found ${quote(location)}`,
    );
  }
  if (answer.url.protocol === 'https:' && url.protocol === 'http:') {
    throw new TrustFault('registry.redirect', `an upload is sent to HTTP, ${quote(location)}`);
  }
  const least = answer.header('oci-chunk-min-length') ?? '';
  const minBytes = /^[0-9]{1,12}$/.test(least) ? Number(least) : (previous?.minBytes ?? 0);
  return { url, minBytes };
}

function reporter(repository: Repository, wanted: Wanted): (bytes: number) => void {
  const { onProgress } = repository.client.options;
  return (bytes) => onProgress?.({ direction: 'sent', digest: wanted.digest, bytes });
}

function isPassing(error: unknown): boolean {
  return (
    error instanceof TrustFault &&
    (error.code === 'registry.unreachable' || error.code === 'registry.server-error')
  );
}

/** `content`, hashed as it passes; stops as soon as there is too much of it. */
async function* checked(
  content: AsyncIterable<Uint8Array>,
  wanted: Wanted,
  state: Hash,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > wanted.size) throw mismatch(wanted, 'more', size);
    state.update(chunk);
    yield chunk;
  }
}

function verify(wanted: Wanted, state: Hash, size: number): void {
  const found = `${wanted.digest.split(':')[0]}:${state.copy().digest('hex')}`;
  if (size !== wanted.size || found !== wanted.digest) throw mismatch(wanted, found, size);
}

function mismatch(wanted: Wanted, found: string, size: number): TrustFault {
  return new TrustFault(
    'registry.digest-mismatch',
    `expected ${wanted.digest} of ${wanted.size} bytes to upload, found ${found} of ${size}`,
  );
}

/** The content in pieces of exactly `size` bytes, the last one shorter (or empty) and marked. */
async function* inChunks(
  content: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ bytes: Uint8Array; isLast: boolean }> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of content) {
    let rest = chunk;
    while (length + rest.length > size) {
      const part = rest.subarray(0, size - length);
      rest = rest.subarray(part.length);
      yield { bytes: Buffer.concat([...held, part]), isLast: false };
      held = [];
      length = 0;
    }
    held.push(rest);
    length += rest.length;
  }
  yield { bytes: Buffer.concat(held), isLast: true };
}
