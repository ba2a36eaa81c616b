import { parseJson } from '../bytes/json.ts';
import { asArray, asObject, type Cursor, cursor, member } from '../bytes/shape.ts';
import { TrustFault } from '../fault/fault.ts';
import { asDescriptor, type Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { MANIFEST_LIMIT } from './manifest.ts';

/** Most entries that one list of referrers may have. */
export const REFERRERS_LIMIT = 10_000;

/**
 * The tag under which clients keep a subject's referrers at registries without the referrers API
 * (distribution-spec "Referrers Tag Schema"): algorithm cut at 32, encoded digest at 64 characters.
 */
export function fallbackTag(subject: Digest): string {
  const [algorithm = '', encoded = ''] = subject.split(':');
  return `${algorithm.slice(0, 32)}-${encoded.slice(0, 64)}`;
}

/** A list of referrers with the entries that cannot be read told apart. */
export interface ReferrerList {
  readonly descriptors: readonly Descriptor[];
  /** One sentence for each entry that is no descriptor. */
  readonly broken: readonly string[];
  /** The document with all its members and entries, for writing it back. */
  readonly document: Readonly<Record<string, unknown>>;
  /** The entries of `document` as they stand there. */
  readonly entries: readonly unknown[];
}

/**
 * A referrers answer or fallback index, entry by entry: one broken entry does not hide the others.
 * Throws `manifest.malformed` when the document is no index at all, `registry.limit` when it has
 * too many entries.
 */
export function parseReferrerList(bytes: Uint8Array, where: string): ReferrerList {
  const value = parseJson(bytes, where, { maxBytes: MANIFEST_LIMIT });
  const at = cursor(value, '', 'manifest.malformed');
  const document = asObject(at);
  const manifests = member(at, 'manifests');
  const entries = manifests.value === null ? [] : asArray(manifests, (item) => item, Infinity);
  if (entries.length > REFERRERS_LIMIT) {
    throw new TrustFault(
      'registry.limit',
      `expected at most ${REFERRERS_LIMIT} referrers at ${where}, found ${entries.length}`,
    );
  }
  const descriptors: Descriptor[] = [];
  const broken: string[] = [];
  for (const entry of entries) {
    const read = readEntry(entry);
    if (typeof read === 'string') broken.push(read);
    else descriptors.push(read);
  }
  return { descriptors, broken, document, entries: entries.map(({ value: entry }) => entry) };
}

/**
 * The referrers that a caller asked for. Applied to every answer, whatever the registry filtered;
 * an entry without artifactType is kept, because some tools leave it out of fallback indexes and
 * only the manifest itself can tell.
 */
export function filterReferrers(
  descriptors: readonly Descriptor[],
  artifactType: string | undefined,
): readonly Descriptor[] {
  if (artifactType === undefined) return descriptors;
  return descriptors.filter(
    (found) => found.artifactType === undefined || found.artifactType === artifactType,
  );
}

function readEntry(entry: Cursor): Descriptor | string {
  try {
    return asDescriptor(entry);
  } catch (error) {
    if (error instanceof TrustFault) return error.message;
    throw error;
  }
}
