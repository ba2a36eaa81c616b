import { TrustFault } from '../../fault/fault.ts';
import { checkedStream } from '../checked-stream.ts';
import type { Descriptor } from '../descriptor.ts';
import { computeDigest, type Digest } from '../digest.ts';
import type { CallOptions } from '../store.ts';
import type { RawAnswer } from './exchange.ts';
import { answerFault } from './registry-client.ts';
import { abortOf, blobPath, type Repository, readScope } from './repository.ts';

type Wanted = Pick<Descriptor, 'digest' | 'size'>;

const DEFAULT_LIMIT = 32 << 20;
const MAX_RESUMES = 3;

/** A whole blob, checked; null for 404. Throws `registry.limit` or `registry.digest-mismatch`. */
export async function getBlob(
  repository: Repository,
  wanted: Wanted,
  options?: CallOptions & { readonly maxBytes?: number },
): Promise<Uint8Array | null> {
  const maxBytes = options?.maxBytes ?? DEFAULT_LIMIT;
  if (wanted.size > maxBytes) {
    throw new TrustFault(
      'registry.limit',
      `expected at most ${maxBytes} bytes of ${wanted.digest}, found ${wanted.size}`,
    );
  }
  const answer = await ask(repository, wanted, 0, { ...options, wholeBytes: wanted.size });
  if (answer === null) return null;
  const bytes = await answer.read(wanted.size);
  report(repository, wanted.digest, bytes.length);
  const found = computeDigest(bytes, wanted.digest);
  if (bytes.length !== wanted.size || found !== wanted.digest) {
    throw new TrustFault(
      'registry.digest-mismatch',
      `${repository.name}: expected ${wanted.digest} of ${wanted.size} bytes, found ${found} of ${bytes.length}`,
    );
  }
  return bytes;
}

/**
 * A blob in pieces, checked by its end; null for 404. When the connection breaks on the way, the
 * rest is asked for with a range, three times at most.
 */
export async function streamBlob(
  repository: Repository,
  wanted: Wanted,
  options?: CallOptions,
): Promise<AsyncIterable<Uint8Array> | null> {
  const answer = await ask(repository, wanted, 0, options);
  if (answer === null) return null;
  return checkedStream(resuming(repository, wanted, answer, options), wanted, repository.name);
}

/** Whether the registry has a blob in this repository. */
export async function hasBlob(
  repository: Repository,
  digest: Digest,
  options?: CallOptions,
): Promise<boolean> {
  const answer = await repository.client.send({
    method: 'HEAD',
    url: blobPath(repository, digest),
    scope: readScope(repository),
    ...abortOf(options),
  });
  if (answer.status !== 200 && answer.status !== 404) {
    throw await answerFault(answer, `${repository.name} ${digest}`);
  }
  answer.discard();
  return answer.status === 200;
}

async function ask(
  repository: Repository,
  wanted: Wanted,
  from: number,
  options?: CallOptions & { readonly wholeBytes?: number },
): Promise<RawAnswer | null> {
  const answer = await repository.client
    .send({
      method: 'GET',
      url: blobPath(repository, wanted.digest),
      scope: readScope(repository),
      ...(options?.wholeBytes === undefined ? {} : { wholeBytes: options.wholeBytes }),
      // A content coding would change the bytes that the digest is about.
      headers: {
        'accept-encoding': 'identity',
        ...(from === 0 ? {} : { range: `bytes=${from}-${wanted.size - 1}` }),
      },
      ...abortOf(options),
    })
    .catch((error: unknown) => {
      // More bytes than the descriptor states: it is another blob.
      if (!(error instanceof TrustFault) || error.code !== 'registry.limit') throw error;
      throw new TrustFault(
        'registry.digest-mismatch',
        `${repository.name}: expected ${wanted.size} bytes of ${wanted.digest}, found more`,
      );
    });
  if (answer.status === 404) {
    answer.discard();
    return null;
  }
  if (answer.status !== 200 && !(from > 0 && answer.status === 206)) {
    throw await answerFault(answer, `${repository.name} ${wanted.digest}`);
  }
  return answer;
}

async function* resuming(
  repository: Repository,
  wanted: Wanted,
  first: RawAnswer,
  options?: CallOptions,
): AsyncGenerator<Uint8Array> {
  let answer = first;
  let done = 0;
  for (let resumes = 0; ; resumes++) {
    try {
      for await (const chunk of from(answer, done)) {
        done += chunk.length;
        report(repository, wanted.digest, chunk.length);
        yield chunk;
      }
      return;
    } catch (error) {
      const isBroken = error instanceof TrustFault && error.code === 'registry.unreachable';
      if (!isBroken || resumes >= MAX_RESUMES || done >= wanted.size) throw error;
    }
    const next = await ask(repository, wanted, done, options);
    if (next === null) {
      throw new TrustFault('content.missing', `${repository.name}: ${wanted.digest} is gone`);
    }
    answer = next;
  }
}

/** The body from offset `done` on: a registry that ignores ranges sends all of it again. */
async function* from(answer: RawAnswer, done: number): AsyncGenerator<Uint8Array> {
  let skip = 0;
  if (answer.status === 200) skip = done;
  else if (done > 0 && !answer.header('content-range')?.startsWith(`bytes ${done}-`)) {
    answer.discard();
    throw new TrustFault(
      'registry.malformed-answer',
      `the registry sent another range than from ${done}`,
    );
  }
  for await (const chunk of answer.chunks()) {
    if (skip >= chunk.length) {
      skip -= chunk.length;
      continue;
    }
    yield skip === 0 ? chunk : chunk.subarray(skip);
    skip = 0;
  }
}

function report(repository: Repository, digest: Digest, bytes: number): void {
  repository.client.options.onProgress?.({ direction: 'received', digest, bytes });
}
