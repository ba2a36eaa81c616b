import { TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import { computeDigest, type Digest } from '../digest.ts';
import { artifactTypeOf, type Manifest, parseManifest } from '../manifest.ts';
import type { CallOptions, PutManifestOptions, StoredManifest } from '../store.ts';
import { isDigestRace, waitOutRace } from './digest-race.ts';
import { changeFallbackTag } from './fallback-tag.ts';
import { getManifest, pushManifest, removeManifest } from './manifests.ts';
import { listReferrers, type ReferrersSupport } from './referrers.ts';
import type { Repository } from './repository.ts';

/**
 * Stores a manifest under its digest, and under `tag` too. When it has a subject and the registry
 * does not say by OCI-Subject that it keeps the list (distribution-spec "Pushing Manifests with
 * Subject"), the list is looked at, and without a referrers API the fallback tag is changed. Throws
 * `registry.referrer-lost` when the referrer is not listed in the end.
 */
export async function putManifest(
  repository: Repository,
  support: ReferrersSupport,
  stored: Omit<StoredManifest, 'digest'>,
  options?: PutManifestOptions,
): Promise<Digest> {
  const manifest = parseManifest(stored);
  const digest = computeDigest(stored.bytes);
  const call = options?.signal === undefined ? {} : { signal: options.signal };
  const { tag, replaces } = options ?? {};
  const conditions =
    tag === undefined || replaces === undefined
      ? {}
      : { conditions: await conditionsFor(repository, tag, replaces, call) };
  const pushed = await push(repository, tag ?? digest, stored, { ...call, ...conditions });
  if (pushed === 'changed') throw moved(repository, tag);
  const { subject } = manifest;
  if (subject === undefined || pushed.subject === subject.digest) return digest;
  if (await isListedByApi(repository, support, subject.digest, digest, call)) return digest;
  const referrer = describe(manifest, digest, stored.bytes.length);
  await changeFallbackTag(repository, subject.digest, { kind: 'add', referrer }, call);
  return digest;
}

const TRIES = 4;

/** A push without conditions is the same however often it is sent. */
async function push(
  repository: Repository,
  tagOrDigest: string,
  stored: Omit<StoredManifest, 'digest'>,
  options: Parameters<typeof pushManifest>[3],
): ReturnType<typeof pushManifest> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await pushManifest(repository, tagOrDigest, stored, options);
    } catch (error) {
      const isLast = attempt === TRIES || options.conditions !== undefined;
      if (isLast || !isDigestRace(error)) throw error;
    }
    await waitOutRace(attempt, repository.client.options, options.signal);
  }
}

/** The request headers by which a registry that knows conditions refuses to replace another. */
async function conditionsFor(
  repository: Repository,
  tag: string,
  replaces: Digest | null,
  options: CallOptions,
): Promise<Readonly<Record<string, string>>> {
  if (replaces === null) return { 'if-none-match': '*' };
  const current = await getManifest(repository, tag, options);
  if (current?.digest !== replaces) throw moved(repository, tag);
  return current.etag === undefined ? {} : { 'if-match': current.etag };
}

function moved(repository: Repository, tag: string | undefined): TrustFault {
  return new TrustFault('registry.tag-moved', `${repository.name}:${tag} was moved meanwhile`);
}

/**
 * Deletes a manifest, and its entry in the fallback tag of its subject where the registry keeps no
 * list itself; false when it was not there.
 */
export async function deleteManifest(
  repository: Repository,
  support: ReferrersSupport,
  digest: Digest,
  options?: CallOptions,
): Promise<boolean> {
  const stored = await getManifest(repository, digest, options);
  if (stored === null) return false;
  const subject = subjectOf(stored);
  const isGone = await removeManifest(repository, digest, options);
  if (subject === undefined) return isGone;
  const { by } = await listReferrers(repository, support, subject, options);
  if (by === 'tag') {
    await changeFallbackTag(repository, subject, { kind: 'remove', digest }, options);
  }
  return isGone;
}

/** Deletes a tag only. Throws `registry.unsupported` at registries that delete manifests only. */
export async function deleteTag(
  repository: Repository,
  tag: string,
  options?: CallOptions,
): Promise<boolean> {
  return removeManifest(repository, tag, options);
}

async function isListedByApi(
  repository: Repository,
  support: ReferrersSupport,
  subject: Digest,
  digest: Digest,
  options: CallOptions,
): Promise<boolean> {
  const { by, descriptors } = await listReferrers(repository, support, subject, options);
  if (by === 'tag') return false;
  if (descriptors.some((found) => found.digest === digest)) return true;
  // Readers ask the API first and would never look at a fallback tag.
  throw new TrustFault(
    'registry.referrer-lost',
    `${repository.name} has a referrers API, which does not list ${digest} for ${subject}`,
  );
}

function subjectOf(stored: StoredManifest): Digest | undefined {
  try {
    return parseManifest(stored).subject?.digest;
  } catch (error) {
    // What cannot be parsed can still be deleted; it never was in a list of ours.
    if (error instanceof TrustFault) return undefined;
    throw error;
  }
}

function describe(manifest: Manifest, digest: Digest, size: number): Descriptor {
  const artifactType = artifactTypeOf(manifest);
  return {
    mediaType: manifest.mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  };
}
