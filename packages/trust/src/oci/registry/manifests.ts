import { quote, TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import { computeDigest, type Digest, isDigest } from '../digest.ts';
import { MANIFEST_LIMIT, MEDIA_TYPES } from '../manifest.ts';
import type { CallOptions, StoredManifest } from '../store.ts';
import type { RawAnswer } from './exchange.ts';
import { answerFault } from './registry-client.ts';
import {
  abortOf,
  deleteScope,
  manifestPath,
  type Repository,
  readScope,
  writeScope,
} from './repository.ts';

const ACCEPT = [
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.dockerManifest,
  MEDIA_TYPES.dockerList,
].join(', ');

/** A manifest with the registry's validator for it, when it gives one. */
export interface FetchedManifest extends StoredManifest {
  readonly etag?: string;
}

/**
 * The manifest behind a tag or a digest, hashed as received; null for 404, whatever its body. Throws
 * `registry.digest-mismatch` when its digest is not the one that was asked for or that the registry
 * states, `registry.malformed-answer` for a web page, `registry.limit` above 4 MiB.
 */
export async function getManifest(
  repository: Repository,
  tagOrDigest: string,
  options?: CallOptions,
): Promise<FetchedManifest | null> {
  const answer = await repository.client.send({
    method: 'GET',
    url: manifestPath(repository, tagOrDigest),
    scope: readScope(repository),
    headers: { accept: ACCEPT },
    wholeBytes: MANIFEST_LIMIT,
    ...abortOf(options),
  });
  if (answer.status === 404) return discard(answer);
  const where = `${repository.name} ${tagOrDigest}`;
  if (answer.status !== 200) throw await answerFault(answer, where);
  const mediaType = mediaTypeOf(answer);
  if (mediaType === 'text/html') {
    answer.discard();
    throw new TrustFault('registry.malformed-answer', `${where}: the registry sent a web page`);
  }
  const bytes = await answer.read(MANIFEST_LIMIT);
  const stated = answer.header('docker-content-digest');
  const digest = checkDigest(where, bytes, tagOrDigest, stated);
  // What the registry can state the digest of was pushed so; anything else must look like JSON.
  if (stated === undefined && !isDigest(tagOrDigest) && bytes[0] !== 0x7b && !startsObject(bytes)) {
    throw new TrustFault('registry.malformed-answer', `${where}: the registry sent no manifest`);
  }
  const etag = answer.header('etag');
  // RFC 9110 §13.1.1: If-Match never holds for a weak validator, which proxies make of strong ones.
  const isStrong = etag !== undefined && !etag.startsWith('W/');
  return { bytes, mediaType, digest, ...(isStrong ? { etag } : {}) };
}

/**
 * The descriptor behind a tag or a digest by HEAD; undefined when the registry does not say enough,
 * so that the manifest itself must be fetched.
 */
export async function headManifest(
  repository: Repository,
  tagOrDigest: string,
  options?: CallOptions,
): Promise<Descriptor | null | undefined> {
  const answer = await repository.client.send({
    method: 'HEAD',
    url: manifestPath(repository, tagOrDigest),
    scope: readScope(repository),
    headers: { accept: ACCEPT },
    ...abortOf(options),
  });
  if (answer.status === 404) return discard(answer);
  const where = `${repository.name} ${tagOrDigest}`;
  // A refusal by HEAD has no body that says why; GET is refused as well, and tells.
  if (answer.status === 405 || answer.status === 403) {
    answer.discard();
    return undefined;
  }
  if (answer.status !== 200) throw await answerFault(answer, where);
  answer.discard();
  const stated = answer.header('docker-content-digest') ?? '';
  const length = answer.header('content-length') ?? '';
  const mediaType = mediaTypeOf(answer);
  if (!isDigest(stated) || !/^[0-9]{1,9}$/.test(length) || !mediaType.startsWith('application/')) {
    return undefined;
  }
  if (isDigest(tagOrDigest) && stated !== tagOrDigest) throw mismatch(where, tagOrDigest, stated);
  return { mediaType, digest: stated, size: Number(length) };
}

/**
 * Stores a manifest under `tagOrDigest`, under the conditions of `headers`. Answers the header
 * OCI-Subject, or `changed` when a condition did not hold (412).
 */
export async function pushManifest(
  repository: Repository,
  tagOrDigest: string,
  manifest: Omit<StoredManifest, 'digest'>,
  options: CallOptions & { readonly conditions?: Readonly<Record<string, string>> },
): Promise<{ readonly subject?: string } | 'changed'> {
  if (manifest.bytes.length > MANIFEST_LIMIT) {
    throw new TrustFault('registry.limit', `a manifest has at most ${MANIFEST_LIMIT} bytes`);
  }
  const answer = await repository.client.send({
    method: 'PUT',
    url: manifestPath(repository, tagOrDigest),
    scope: writeScope(repository),
    headers: { 'content-type': manifest.mediaType, ...options.conditions },
    // What was merged from an older read must not arrive late: its writer reads again instead.
    ...(options.conditions === undefined ? {} : { isRepeatable: false }),
    body: manifest.bytes,
    ...abortOf(options),
  });
  const where = `${repository.name} ${tagOrDigest}`;
  if (answer.status === 412 && options.conditions !== undefined) {
    answer.discard();
    return 'changed';
  }
  if (answer.status < 200 || answer.status > 299) throw await answerFault(answer, where);
  answer.discard();
  const stated = answer.header('docker-content-digest');
  const digest = computeDigest(manifest.bytes);
  if (stated?.startsWith('sha256:') && stated !== digest) throw mismatch(where, digest, stated);
  const subject = answer.header('oci-subject');
  return subject === undefined ? {} : { subject };
}

/** Deletes a manifest or a tag; false for 404. Throws `registry.unsupported` where it is off. */
export async function removeManifest(
  repository: Repository,
  tagOrDigest: string,
  options?: CallOptions,
): Promise<boolean> {
  const answer = await repository.client.send({
    method: 'DELETE',
    url: manifestPath(repository, tagOrDigest),
    scope: deleteScope(repository),
    ...abortOf(options),
  });
  if (answer.status === 404) {
    answer.discard();
    return false;
  }
  if (answer.status < 200 || answer.status > 299) {
    const fault = await answerFault(answer, `${repository.name} ${tagOrDigest}`);
    // Registries that cannot delete tags say so in several ways (distribution 2.8: 400 UNSUPPORTED).
    const isUnsupported = /UNSUPPORTED|DIGEST_INVALID/.test(fault.message);
    throw isUnsupported ? new TrustFault('registry.unsupported', fault.message) : fault;
  }
  answer.discard();
  return true;
}

/** The media type of an answer without its parameters, in lower case. */
export function mediaTypeOf(answer: RawAnswer): string {
  return (answer.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function checkDigest(
  where: string,
  bytes: Uint8Array,
  tagOrDigest: string,
  stated: string | undefined,
): Digest {
  if (isDigest(tagOrDigest)) {
    const found = computeDigest(bytes, tagOrDigest);
    if (found !== tagOrDigest) throw mismatch(where, tagOrDigest, found);
    return found;
  }
  if (stated !== undefined && isDigest(stated)) {
    const found = computeDigest(bytes, stated);
    if (found !== stated) throw mismatch(where, stated, found);
    return found;
  }
  return computeDigest(bytes);
}

function startsObject(bytes: Uint8Array): boolean {
  return /^\s*\{/.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1'));
}

function mismatch(where: string, expected: string, found: string): TrustFault {
  return new TrustFault(
    'registry.digest-mismatch',
    `${where}: expected ${expected}, found content of digest ${quote(found)}`,
  );
}

function discard(answer: RawAnswer): null {
  answer.discard();
  return null;
}
