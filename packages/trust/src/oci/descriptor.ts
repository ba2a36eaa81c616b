import { asCount, asObject, asString, type Cursor, member, optional } from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { type Digest, isDigest } from './digest.ts';

/** What points to content (image-spec, descriptor.md). Members that Bulla does not use are kept out. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** A descriptor's platform (image-spec, image-index.md). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** The digest string under the cursor. Throws the cursor's code. */
export function asDigest(at: Cursor): Digest {
  const text = asString(at);
  if (!isDigest(text)) {
    throw new TrustFault(at.code, `expected a digest at ${at.path}, found ${quote(text)}`);
  }
  return text;
}

/** The annotations under the cursor: an object whose values are strings. */
export function asAnnotations(at: Cursor): Readonly<Record<string, string>> {
  const found: Record<string, string> = Object.create(null);
  for (const key of Object.keys(asObject(at))) found[key] = asString(member(at, key));
  return found;
}

/** The name as Go compares it: `S`, `s` and `ſ` are one letter, so are `K`, `k` and the Kelvin sign. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/**
 * Throws `manifest.ambiguous` for a member that is one of `known` but for its case. Go's
 * encoding/json, by which the nodes that run images read them, takes it for that member, and the
 * last of several: such a document has children that this reader would not see.
 */
export function refuseLookAlikes(at: Cursor, known: readonly string[]): void {
  for (const key of Object.keys(asObject(at))) {
    if (known.includes(key)) continue;
    const meant = known.find((name) => folded(name) === folded(key));
    if (meant === undefined) continue;
    throw new TrustFault(
      'manifest.ambiguous',
      `expected ${quote(meant)} at ${at.path || 'the document'}, found ${quote(key)}`,
    );
  }
}

const PLATFORM_MEMBERS = ['architecture', 'os', 'os.version', 'os.features', 'variant', 'features'];

const DESCRIPTOR_MEMBERS = [
  'mediaType',
  'digest',
  'size',
  'urls',
  'annotations',
  'data',
  'platform',
  'artifactType',
];

function asPlatform(at: Cursor): Platform {
  refuseLookAlikes(at, PLATFORM_MEMBERS);
  const variant = optional(member(at, 'variant'), asString);
  return {
    os: optional(member(at, 'os'), asString) ?? '',
    architecture: optional(member(at, 'architecture'), asString) ?? '',
    ...(variant === undefined ? {} : { variant }),
  };
}

/** The descriptor under the cursor. Throws the cursor's code for a wrong shape, `manifest.ambiguous`. */
export function asDescriptor(at: Cursor): Descriptor {
  refuseLookAlikes(at, DESCRIPTOR_MEMBERS);
  const artifactType = optional(member(at, 'artifactType'), asString);
  const annotations = optional(member(at, 'annotations'), asAnnotations);
  const platform = optional(member(at, 'platform'), asPlatform);
  return {
    mediaType: asString(member(at, 'mediaType')),
    digest: asDigest(member(at, 'digest')),
    size: asCount(member(at, 'size')),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform }),
  };
}
