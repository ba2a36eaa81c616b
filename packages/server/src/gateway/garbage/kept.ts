import { mapBounded } from '@bulla/trust/oci/bounded';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import { isIndexRecord, type ManifestRecord, readManifestRecord } from '../cells.ts';
import type { Ground } from '../ground.ts';
import { contentName, KEYS } from '../keys.ts';
import { listsOf } from '../manifests.ts';
import { readTagCell, subjectOfCompanion } from '../tags.ts';

/** A manifest of a repository, as a collection looks at it. */
export interface Kept {
  readonly digest: Digest;
  /** Of the cell of its record. */
  readonly version: string;
  readonly record: ManifestRecord;
  /** What an index lists; nothing for an image. */
  readonly children: readonly Digest[];
}

/** A tag and what it leads to. */
export interface Tagged {
  readonly tag: string;
  readonly digest: Digest;
}

const LOOKS_AT_ONCE = 16;

/** All manifests of a repository. */
export async function readKept(
  ground: Ground,
  repository: string,
): Promise<ReadonlyMap<Digest, Kept>> {
  const { registers, objects } = ground;
  const prefix = KEYS.manifests(repository);
  const found = await mapBounded(await registers.list(prefix), LOOKS_AT_ONCE, async (key) => {
    const digest = key.slice(prefix.length);
    const cell = await registers.read(key);
    if (cell === null || !isDigest(digest)) return [];
    const record = readManifestRecord(cell.value);
    const bytes = isIndexRecord(record) ? await objects.bytes(contentName(digest)) : null;
    const lists = bytes === null ? [] : listsOf(bytes, record.mediaType);
    return [{ digest, version: cell.version, record, children: lists.map((one) => one.digest) }];
  });
  return new Map(found.flat().map((kept) => [kept.digest, kept] as const));
}

/** All tags of a repository. */
export async function readTags(ground: Ground, repository: string): Promise<readonly Tagged[]> {
  const prefix = KEYS.tags(repository);
  const keys = await ground.registers.list(prefix);
  const found = await mapBounded(keys, LOOKS_AT_ONCE, async (key) => {
    const tag = key.slice(prefix.length);
    const digest = await readTagCell(ground, repository, tag);
    return digest === null ? [] : [{ tag, digest }];
  });
  return found.flat();
}

/**
 * The manifests that `roots` lead to, themselves included: what an index lists, and what is about a
 * manifest, by its `subject` or by a tag of the form `sha256-<hex>`. So the signatures of what is kept
 * are kept, of whatever scheme.
 */
export function reachOf(
  roots: Iterable<Digest>,
  all: ReadonlyMap<Digest, Kept>,
  tags: readonly Tagged[],
): ReadonlySet<Digest> {
  const about = new Map<Digest, Digest[]>();
  const note = (subject: Digest, digest: Digest) => {
    const known = about.get(subject);
    if (known === undefined) about.set(subject, [digest]);
    else known.push(digest);
  };
  for (const { digest, record } of all.values()) {
    if (record.subject !== undefined) note(record.subject, digest);
  }
  for (const { tag, digest } of tags) {
    const subject = subjectOfCompanion(tag);
    if (subject !== null) note(subject, digest);
  }
  const live = new Set<Digest>();
  const todo = [...roots];
  for (let digest = todo.pop(); digest !== undefined; digest = todo.pop()) {
    const kept = all.get(digest);
    if (live.has(digest) || kept === undefined) continue;
    live.add(digest);
    todo.push(...(about.get(digest) ?? []), ...kept.children);
  }
  return live;
}
