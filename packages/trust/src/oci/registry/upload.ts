import { createHash, type Hash } from 'node:crypto';
import { TrustFault } from '../../fault/fault.ts';
import { computeDigest, type Digest } from '../digest.ts';
import type { CallOptions } from '../store.ts';
import { hasBlob } from './blobs.ts';
import { isDigestRace, waitOutRace } from './digest-race.ts';
import { DEFAULT_CHUNK_BYTES } from './options.ts';
import { answerFault } from './registry-client.ts';
import { abortOf, apiPath, type Repository, writeScope } from './repository.ts';
import {
  askPosition,
  cancelUpload,
  finishUpload,
  OCTETS,
  openUpload,
  reporter,
  type Session,
  sessionOf,
  type Wanted,
} from './upload-session.ts';

const TRIES = 4;

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
      const session = await openUpload(repository, options);
      await finishUpload(repository, session, wanted, bytes, options);
      return;
    } catch (error) {
      const isRace = isDigestRace(error);
      if (attempt === TRIES || !(isPassing(error) || isRace)) throw error;
      if (isRace) await waitOutRace(attempt, repository.client.options, options?.signal);
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
      session ??= await openUpload(repository, options);
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
    await finishUpload(repository, session, wanted, undefined, options);
  } catch (error) {
    if (session !== undefined) await cancelUpload(repository, session);
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
    await cancelUpload(repository, sessionOf(answer));
    return false;
  }
  // A registry that knows no mounts, or does not let this account see `from`, is no failure.
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
    answer.discard();
    return false;
  }
  throw await answerFault(answer, repository.name);
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

function isPassing(error: unknown): boolean {
  return (
    error instanceof TrustFault &&
    (error.code === 'registry.unreachable' || error.code === 'registry.server-error')
  );
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
