import { quote, TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import type { CallOptions } from '../store.ts';
import type { RawAnswer } from './exchange.ts';
import { answerFault } from './registry-client.ts';
import { abortOf, apiPath, type Repository, writeScope } from './repository.ts';

/** What is being uploaded. */
export type Wanted = Pick<Descriptor, 'digest' | 'size'>;

/** An upload that the registry has opened; the address changes with every answer. */
export interface Session {
  readonly url: URL;
  /** Smallest chunk that the registry takes (OCI-Chunk-Min-Length), or 0. */
  readonly minBytes: number;
}

/** The type under which content of a blob is sent. */
export const OCTETS = { 'content-type': 'application/octet-stream' };

/** Opens an upload. */
export async function openUpload(repository: Repository, options?: CallOptions): Promise<Session> {
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

/** Commits an upload under its digest, with its only or its last bytes. */
export async function finishUpload(
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

/** How much of an upload the registry has (distribution-spec "Pushing a blob in chunks", GET). */
export async function askPosition(
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

/** Gives an upload up, if the registry can; a fault here is passed over. */
export async function cancelUpload(repository: Repository, session: Session): Promise<void> {
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

/** The upload whose address an answer gives. Throws `registry.malformed-answer` or `registry.redirect`. */
export function sessionOf(answer: RawAnswer, previous?: Session): Session {
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

/** Passes the bytes that left on to the caller of the client. */
export function reporter(repository: Repository, wanted: Wanted): (bytes: number) => void {
  const { onProgress } = repository.client.options;
  return (bytes) => onProgress?.({ direction: 'sent', digest: wanted.digest, bytes });
}
