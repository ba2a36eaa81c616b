import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { releaseContent } from './blobs.ts';
import { type ManifestRecord, readManifestRecord, writeManifestRecord } from './cells.ts';
import { keepContent } from './garbage/staying.ts';
import {
  deleteCell,
  ensureRepository,
  type Ground,
  hasContent,
  hasRepository,
  writeCell,
} from './ground.ts';
import { contentName, KEYS, shownName } from './keys.ts';
import { deleteListings, writeListings } from './listings.ts';
import type { Reference } from './names.ts';
import { type Listed, type PushedManifest, parseManifest } from './parse.ts';
import { type Conditions, checkConditions, deleteTagsOf, readTagCell, setTag } from './tags.ts';

/** A manifest as it is served. */
export interface FoundManifest {
  readonly digest: Digest;
  readonly record: ManifestRecord;
}

/** A manifest as it is pushed. */
export interface ManifestPush {
  readonly repository: string;
  readonly reference: Reference;
  /** More tags for a push by digest (distribution-spec, end-7b). */
  readonly tags: readonly string[];
  readonly contentType: string | null;
  readonly bytes: Uint8Array;
  readonly conditions: Conditions;
}

/** What became of a push. */
export interface PushedResult {
  readonly digest: Digest;
  /** The subject, when the registry lists this manifest among its referrers. */
  readonly subject: Digest | null;
}

const LOOKS_AT_ONCE = 32;
const SHOWN_MISSING = 10;

/** The record of a manifest of this repository, or null. */
export async function manifestRecord(
  { registers }: Ground,
  repository: string,
  digest: Digest,
): Promise<ManifestRecord | null> {
  const cell = await registers.read(KEYS.manifest(repository, digest));
  return cell === null ? null : readManifestRecord(cell.value);
}

/** The manifest behind a tag or a digest. Throws `gateway.name-unknown`, `gateway.manifest-unknown`. */
export async function findManifest(
  ground: Ground,
  repository: string,
  reference: Reference,
): Promise<FoundManifest> {
  const digest =
    'tag' in reference ? await readTagCell(ground, repository, reference.tag) : reference.digest;
  const record = digest === null ? null : await manifestRecord(ground, repository, digest);
  if (digest === null || record === null)
    throw await unknownManifest(ground, repository, reference);
  return { digest, record };
}

/** Why a manifest is not there: for lack of it, or of its whole repository. */
export async function unknownManifest(
  ground: Ground,
  repository: string,
  reference: Reference,
): Promise<TrustFault> {
  const what = 'tag' in reference ? quote(reference.tag) : reference.digest;
  return (await hasRepository(ground, repository))
    ? new TrustFault('gateway.manifest-unknown', `${shownName(repository)} has no manifest ${what}`)
    : new TrustFault('gateway.name-unknown', `no repository ${shownName(repository)}`);
}

/** The bytes of a manifest that `findManifest` found, exactly as they were pushed. */
export async function readManifest({ objects }: Ground, digest: Digest): Promise<Uint8Array> {
  const bytes = await objects.bytes(contentName(digest));
  if (bytes === null) throw new TrustFault('gateway.manifest-unknown', `no content of ${digest}`);
  return bytes;
}

/**
 * Keeps a manifest, lists it among the referrers of its subject, and points tags to it, in this
 * order: who sees a tag can pull what it points to. Doing it again after a fault is safe. Throws
 * `gateway.manifest-invalid`, `gateway.digest-invalid`, `gateway.manifest-blob-unknown`,
 * `gateway.precondition-failed`, and the `json.*` codes.
 */
export async function pushManifest(ground: Ground, push: ManifestPush): Promise<PushedResult> {
  const { repository, reference, bytes } = push;
  const parsed = parseManifest(bytes, push.contentType);
  const digest = 'tag' in reference ? computeDigest(bytes) : computeDigest(bytes, reference.digest);
  if ('digest' in reference && reference.digest !== digest) {
    throw new TrustFault('gateway.digest-invalid', `expected ${reference.digest}, found ${digest}`);
  }
  const tags = 'tag' in reference ? [reference.tag] : push.tags;
  for (const tag of tags) {
    checkConditions(await readTagCell(ground, repository, tag), push.conditions);
  }
  await requireContent(ground, repository, parsed.needs, hasContent);
  await keepManifest(ground, repository, digest, parsed, bytes);
  // A collection may have taken out what was there a moment ago: see `takeOut`.
  if (ground.config.untaggedMs !== null) {
    await requireContent(ground, repository, parsed.needs, keepContent);
  }
  for (const tag of tags) await setTag(ground, repository, tag, digest, push.conditions);
  const { subject } = parsed.record;
  return { digest, subject: subject !== undefined && ground.config.referrers ? subject : null };
}

/**
 * Keeps a manifest whose digest was checked: content, record, place among the referrers, and what it
 * lists, in this order. Doing it again after a fault is safe.
 */
export async function keepManifest(
  ground: Ground,
  repository: string,
  digest: Digest,
  { record, lists }: PushedManifest,
  bytes: Uint8Array,
): Promise<void> {
  await ensureRepository(ground, repository);
  await ground.objects.put(contentName(digest), bytes);
  await writeCell(
    ground,
    KEYS.manifest(repository, digest),
    writeManifestRecord({ ...record, at: ground.clock().toISOString() }),
  );
  if (!(await ground.objects.keep(contentName(digest)))) {
    await deleteCell(ground, KEYS.manifest(repository, digest));
    throw new TrustFault('storage.failed', `the content of ${digest} was removed meanwhile`);
  }
  // Also while the referrers API is off: it may be switched on later ("Enabling the Referrers API").
  if (record.subject !== undefined) {
    await writeCell(ground, KEYS.referrer(repository, record.subject, digest), new Uint8Array());
  }
  await writeListings(ground, repository, digest, lists);
  ground.contents.forget(repository, [digest, ...lists.map((one) => one.digest)]);
}

/** Everything but the subject must be there before the manifest (distribution-spec, "Push"). */
async function requireContent(
  ground: Ground,
  repository: string,
  needs: readonly Digest[],
  has: typeof hasContent,
): Promise<void> {
  const missing: Digest[] = [];
  for (let from = 0; from < needs.length; from += LOOKS_AT_ONCE) {
    const some = needs.slice(from, from + LOOKS_AT_ONCE);
    // An index may list blobs as well (build caches do), so either will do.
    const there = await Promise.all(some.map((digest) => has(ground, repository, digest)));
    missing.push(...some.filter((_, index) => there[index] !== true));
  }
  if (missing.length > 0) {
    const shown = missing.slice(0, SHOWN_MISSING).join(', ');
    throw new TrustFault(
      'gateway.manifest-blob-unknown',
      `${shownName(repository)} lacks ${missing.length} of ${needs.length}: ${shown}`,
    );
  }
}

/**
 * Deletes a manifest, the tags that point to it, and its place among referrers. The record goes
 * last, so that a delete that was broken off can be done again. Throws `gateway.name-unknown`,
 * `gateway.manifest-unknown`.
 */
export async function deleteManifest(
  ground: Ground,
  repository: string,
  digest: Digest,
): Promise<void> {
  const { record } = await findManifest(ground, repository, { digest });
  const key = KEYS.manifest(repository, digest);
  const bytes = await ground.objects.bytes(contentName(digest));
  const lists = bytes === null ? [] : listsOf(bytes, record.mediaType);
  for (;;) {
    const cell = await ground.registers.read(key);
    if (cell === null) break;
    await deleteTagsOf(ground, repository, digest);
    if (record.subject !== undefined) {
      await deleteCell(ground, KEYS.referrer(repository, record.subject, digest));
    }
    await deleteListings(ground, repository, digest, lists);
    // A push of the same manifest meanwhile gave the record a new version: delete that one as well.
    if (await ground.registers.delete(key, cell.version)) break;
  }
  ground.contents.forget(repository, [digest, ...lists.map((one) => one.digest)]);
  await releaseContent(ground, digest);
}

/** What a kept manifest lists; nothing for one that an older release took and this one would not. */
export function listsOf(bytes: Uint8Array, mediaType: string): readonly Listed[] {
  try {
    return parseManifest(bytes, mediaType).lists;
  } catch (error) {
    if (error instanceof TrustFault) return [];
    throw error;
  }
}

/** Deletes a tag, not what it points to. Throws `gateway.name-unknown`, `gateway.manifest-unknown`. */
export async function deleteTag(ground: Ground, repository: string, tag: string): Promise<void> {
  if (await deleteCell(ground, KEYS.tag(repository, tag))) return;
  throw await unknownManifest(ground, repository, { tag });
}
