import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { artifactTypeOf, type Manifest } from '../manifest.ts';
import { type LayoutIndex, REF_NAME } from './layout-index.ts';

/** The entries of an index.json as they are to be written; undefined leaves the file as it is. */
export type NextEntries = readonly unknown[] | undefined;

/** A manifest that has just been stored. */
export interface StoredEntry {
  readonly digest: Digest;
  readonly size: number;
  readonly manifest: Manifest;
}

/**
 * The entries with the manifest in them, under `tag` when one is given. A tag that pointed elsewhere
 * is moved. Children of a new index lose their own nameless entries: the index leads to them.
 */
export function addEntry(
  index: LayoutIndex,
  stored: StoredEntry,
  tag: string | undefined,
): NextEntries {
  const children = new Set(
    stored.manifest.kind === 'index' ? stored.manifest.manifests.map(({ digest }) => digest) : [],
  );
  const raw = rawEntries(index);
  const kept = index.entries.flatMap((entry, at) => {
    const name = entry.annotations?.[REF_NAME];
    const isSame = entry.digest === stored.digest;
    if (name === undefined && (isSame || (children.has(entry.digest) && !isReferrer(entry)))) {
      return [];
    }
    if (tag !== undefined && name === tag) return [];
    return [raw[at]];
  });
  const isNamed = index.entries.some(
    ({ digest, annotations }) => digest === stored.digest && annotations?.[REF_NAME] !== undefined,
  );
  // Without a tag of its own it still has its other names.
  if (tag === undefined && isNamed) return undefined;
  return [...kept, newEntry(stored, tag)];
}

/** The entries without those of a digest; undefined when there are none. */
export function removeEntries(index: LayoutIndex, digest: Digest): NextEntries {
  const raw = rawEntries(index);
  const kept = raw.filter((_, at) => index.entries[at]?.digest !== digest);
  return kept.length === raw.length ? undefined : kept;
}

/** The entries without a tag; its artifact stays, without a name. Undefined when it is not there. */
export function removeTag(index: LayoutIndex, tag: string): NextEntries {
  const raw = rawEntries(index);
  const removed = index.entries.filter(({ annotations }) => annotations?.[REF_NAME] === tag);
  if (removed.length === 0) return undefined;
  const kept = raw.filter((_, at) => index.entries[at]?.annotations?.[REF_NAME] !== tag);
  const orphans = removed.filter(
    ({ digest }) =>
      !index.entries.some(
        (entry) => entry.digest === digest && entry.annotations?.[REF_NAME] !== tag,
      ),
  );
  return [...kept, ...orphans.map(withoutName)];
}

function rawEntries(index: LayoutIndex): readonly unknown[] {
  const raw: unknown = index.document['manifests'];
  return Array.isArray(raw) ? raw : [];
}

function isReferrer(entry: Descriptor): boolean {
  return entry.artifactType !== undefined;
}

function withoutName(entry: Descriptor): Descriptor {
  const { annotations, ...rest } = entry;
  const others = Object.entries(annotations ?? {}).filter(([key]) => key !== REF_NAME);
  return others.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(others) };
}

function newEntry(stored: StoredEntry, tag: string | undefined): Descriptor {
  const { digest, size, manifest } = stored;
  const artifactType =
    manifest.subject === undefined ? manifest.artifactType : artifactTypeOf(manifest);
  return {
    mediaType: manifest.mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(tag === undefined ? {} : { annotations: { [REF_NAME]: tag } }),
  };
}
