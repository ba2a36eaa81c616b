import { TrustFault } from '../fault/fault.ts';
import { parseCompanionTag } from '../formats/cosign-legacy/layer.ts';
import { mapBounded } from '../oci/bounded.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { artifactTypeOf, type Manifest, parseManifest } from '../oci/manifest.ts';
import { fallbackTag, parseReferrerList } from '../oci/referrer-list.ts';
import { type FetchedManifest, getManifest } from '../oci/registry/manifests.ts';
import { listReferrers } from '../oci/registry/referrers.ts';
import type { Repository } from '../oci/registry/repository.ts';
import type { ArtifactSource, CallOptions, StoredManifest } from '../oci/store.ts';

const PARALLEL = 8;
const FALLBACK = /^sha(?:256|512)-[0-9a-f]{64}$/;

/** What is wrong with one entry, or missing, in the words of a finding. */
export interface ScanProblem {
  readonly code:
    | 'doctor.referrer-unlisted'
    | 'doctor.index-broken'
    | 'doctor.index-dangling'
    | 'doctor.index-untyped';
  readonly says: string;
}

/** The referrers of one subject as they lie in a repository. */
export interface SubjectScan {
  readonly subject: Digest;
  /** The fallback tag's manifest as it was read; null when there is none. */
  readonly index: FetchedManifest | null;
  readonly problems: readonly ScanProblem[];
  /** The entries that a whole index has: every referrer that is there. */
  readonly whole: readonly Descriptor[];
  /** Referrers that a referrers API does not list, for pushing them again. */
  readonly unlisted: readonly StoredManifest[];
  readonly isGone: boolean;
}

/** What was found in a repository. */
export interface RepositoryScan {
  readonly subjects: readonly SubjectScan[];
  /** Companion tags whose artifact is gone. */
  readonly orphanedTags: readonly string[];
  readonly tags: number;
}

interface Ground {
  readonly repository: Repository;
  readonly store: ArtifactSource;
  readonly api: boolean;
  readonly call: CallOptions;
}

/**
 * Looks at every tag of a repository: fallback indexes and their entries, tagged manifests with a
 * subject, cosign's companion tags. Referrers that neither a tag nor a list leads to cannot be found
 * by anyone. With a referrers API the fallback tags count only for what the API does not list.
 */
export async function scanRepository(
  repository: Repository,
  store: ArtifactSource,
  tags: readonly string[],
  options: CallOptions & { readonly api: boolean },
): Promise<RepositoryScan> {
  const { api, ...call } = options;
  const ground: Ground = { repository, store, api, call };
  const orphans = await mapBounded(tags, PARALLEL, (tag) => orphanOf(ground, tag));
  const plain = tags.filter((tag) => !FALLBACK.test(tag) && parseCompanionTag(tag) === null);
  const tagged = await mapBounded(plain, PARALLEL, (tag) => referrerUnder(ground, tag));
  const bySubject = new Map<Digest, Referrer[]>();
  for (const tag of tags.filter((name) => FALLBACK.test(name))) {
    const subject = await subjectOfTag(ground, tag);
    if (subject !== null) bySubject.set(subject, []);
  }
  for (const found of tagged) {
    if (found === null) continue;
    bySubject.set(found.subject, [...(bySubject.get(found.subject) ?? []), found]);
  }
  const subjects = await mapBounded([...bySubject], PARALLEL, ([subject, reachable]) =>
    scanSubject(ground, subject, reachable),
  );
  return {
    subjects: subjects.toSorted((a, b) => (a.subject < b.subject ? -1 : 1)),
    orphanedTags: orphans.filter((tag) => tag !== null),
    tags: tags.length,
  };
}

interface Referrer {
  readonly subject: Digest;
  readonly stored: StoredManifest;
  readonly manifest: Manifest;
}

async function orphanOf(ground: Ground, tag: string): Promise<string | null> {
  const digest = parseCompanionTag(tag)?.digest;
  if (digest === undefined || !isDigest(digest)) return null;
  return (await ground.store.resolve(digest, ground.call)) === null ? tag : null;
}

async function referrerUnder(ground: Ground, tagOrDigest: string): Promise<Referrer | null> {
  const stored = await ground.store.manifest(tagOrDigest, ground.call);
  const manifest = stored && readable(stored);
  if (stored === null || manifest === null || manifest.subject === undefined) return null;
  return { subject: manifest.subject.digest, stored, manifest };
}

function readable(stored: StoredManifest): Manifest | null {
  try {
    return parseManifest(stored);
  } catch (error) {
    // What is no manifest is no referrer; the registry took it, and nobody can list it.
    if (error instanceof TrustFault) return null;
    throw error;
  }
}

/** A sha512 subject is cut in its tag: only the entries know it whole. */
async function subjectOfTag(ground: Ground, tag: string): Promise<Digest | null> {
  const own = tag.replace('-', ':');
  if (isDigest(own)) return own;
  const index = await getManifest(ground.repository, tag, ground.call);
  for (const { digest } of index === null ? [] : (entriesOf(index)?.descriptors ?? [])) {
    const found = await referrerUnder(ground, digest);
    if (found !== null && fallbackTag(found.subject) === tag) return found.subject;
  }
  return null;
}

function entriesOf(index: FetchedManifest): ReturnType<typeof parseReferrerList> | null {
  try {
    return parseReferrerList(index.bytes, 'the fallback index');
  } catch (error) {
    if (error instanceof TrustFault && error.code !== 'registry.limit') return null;
    throw error;
  }
}

async function scanSubject(
  ground: Ground,
  subject: Digest,
  reachable: readonly Referrer[],
): Promise<SubjectScan> {
  const { repository, store, api, call } = ground;
  const index = await getManifest(repository, fallbackTag(subject), call);
  const list = index === null ? null : entriesOf(index);
  const problems: ScanProblem[] = [];
  const found = new Map<Digest, Referrer>();
  if (index !== null && list === null) {
    problems.push({ code: 'doctor.index-broken', says: `${fallbackTag(subject)} holds no index` });
  }
  for (const says of list?.broken ?? []) problems.push({ code: 'doctor.index-broken', says });
  for (const entry of list?.descriptors ?? []) {
    const referrer = await referrerUnder(ground, entry.digest);
    const problem = problemOf(entry, referrer, subject);
    if (problem !== null) problems.push(problem);
    if (referrer?.subject === subject) found.set(entry.digest, referrer);
  }
  for (const referrer of reachable) {
    const { digest } = referrer.stored;
    if (!found.has(digest) && !api) problems.push(unlistedProblem(digest, subject));
    found.set(digest, referrer);
  }
  const isGone = (await store.resolve(subject, call)) === null;
  const base = { subject, index, isGone, whole: [...found.values()].map(describe) };
  if (!api) return { ...base, problems, unlisted: [] };
  const listed = await listReferrers(repository, { api: true }, subject, call);
  const known = new Set(listed.descriptors.map(({ digest }) => digest));
  const unlisted = [...found.values()].filter(({ stored }) => !known.has(stored.digest));
  return {
    ...base,
    problems: unlisted.map(({ stored }) => unlistedProblem(stored.digest, subject)),
    unlisted: unlisted.map(({ stored }) => stored),
  };
}

function problemOf(
  entry: Descriptor,
  referrer: Referrer | null,
  subject: Digest,
): ScanProblem | null {
  const name = `${fallbackTag(subject)} lists ${entry.digest}`;
  if (referrer === null) {
    return { code: 'doctor.index-dangling', says: `${name}, which is not there or no referrer` };
  }
  if (referrer.subject !== subject) {
    return { code: 'doctor.index-dangling', says: `${name}, which is about ${referrer.subject}` };
  }
  if (entry.artifactType !== undefined || artifactTypeOf(referrer.manifest) === undefined) {
    return null;
  }
  return { code: 'doctor.index-untyped', says: `${name} without its artifactType` };
}

function unlistedProblem(digest: Digest, subject: Digest): ScanProblem {
  const says = `${digest} is a referrer of ${subject}, which is not listed`;
  return { code: 'doctor.referrer-unlisted', says };
}

/** The entry as a referrers API gives it (distribution-spec "Listing Referrers"). */
function describe({ stored, manifest }: Referrer): Descriptor {
  const artifactType = artifactTypeOf(manifest);
  return {
    mediaType: manifest.mediaType,
    digest: stored.digest,
    size: stored.bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  };
}
