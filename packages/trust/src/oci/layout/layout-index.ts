import { parseJson } from '../../bytes/json.ts';
import { asArray, asCount, asObject, asString, cursor, member } from '../../bytes/shape.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import { asDescriptor, type Descriptor } from '../descriptor.ts';
import { isDigest } from '../digest.ts';
import type { LayoutContent } from './content.ts';

/** The annotation by which a layout names an artifact (image-spec annotations.md). */
export const REF_NAME = 'org.opencontainers.image.ref.name';

const INDEX_LIMIT = 16 << 20;

/** A layout's index.json: its entries as descriptors, and as they stand there, in one order. */
export interface LayoutIndex {
  readonly entries: readonly Descriptor[];
  /** The parsed document; written back with all members that Bulla does not know. */
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * The index.json of a layout whose `oci-layout` file says version 1. Throws `usage.file` when
 * nothing is there, and `layout.malformed`.
 */
export async function readLayoutIndex(content: LayoutContent): Promise<LayoutIndex> {
  const marker = await content.read('oci-layout', 4096);
  const bytes = await content.read('index.json', INDEX_LIMIT);
  if (marker === null || bytes === null) {
    const missing = marker === null ? 'oci-layout' : 'index.json';
    throw new TrustFault('usage.file', `there is no file ${missing} in ${quote(content.path)}`);
  }
  const version = asString(
    member(cursor(parseJson(marker, 'oci-layout'), '', 'layout.malformed'), 'imageLayoutVersion'),
  );
  if (!version.startsWith('1.')) {
    throw new TrustFault('layout.malformed', `expected layout version 1, found ${quote(version)}`);
  }
  const value = parseJson(bytes, 'index.json', { maxBytes: INDEX_LIMIT });
  const at = cursor(value, '', 'layout.malformed');
  if (asCount(member(at, 'schemaVersion')) !== 2) {
    throw new TrustFault('layout.malformed', 'expected schemaVersion 2 in index.json');
  }
  const manifests = member(at, 'manifests');
  return {
    entries: manifests.value === null ? [] : asArray(manifests, asDescriptor, 100_000),
    document: asObject(at),
  };
}

/**
 * The entry behind a digest or a name. A name is the whole annotation, or (as containerd writes
 * `repo:tag`) the part after its last colon; the empty name is the only artifact of the layout.
 * Undefined when there is none; throws `layout.ambiguous` when it could be several.
 */
export function findEntry(index: LayoutIndex, tagOrDigest: string): Descriptor | undefined {
  if (isDigest(tagOrDigest)) return index.entries.find(({ digest }) => digest === tagOrDigest);
  const named = (matches: (name: string) => boolean) =>
    index.entries.filter(({ annotations }) => {
      const name = annotations?.[REF_NAME];
      return name !== undefined && matches(name);
    });
  if (tagOrDigest === '') {
    const artifacts = named((name) => !isCompanionName(name));
    return only(artifacts.length === 0 ? index.entries : artifacts, 'the layout without a name');
  }
  const whole = named((name) => name === tagOrDigest);
  const where = quote(tagOrDigest);
  return only(
    whole.length > 0
      ? whole
      : named(
          (name) => name.slice(name.lastIndexOf(':') + 1) === tagOrDigest && name.includes(':'),
        ),
    where,
  );
}

/** Whether a tag belongs to another artifact: a referrers fallback tag or cosign's companions. */
export function isCompanionName(tag: string): boolean {
  return /^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{64,128})(?:\.[a-z0-9]+)?$/.test(tag);
}

function only(entries: readonly Descriptor[], where: string): Descriptor | undefined {
  const digests = new Set(entries.map(({ digest }) => digest));
  if (digests.size > 1) {
    throw new TrustFault('layout.ambiguous', `${where} leads to ${digests.size} artifacts`);
  }
  return entries[0];
}
