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

function asPlatform(at: Cursor): Platform {
  const variant = optional(member(at, 'variant'), asString);
  return {
    os: optional(member(at, 'os'), asString) ?? '',
    architecture: optional(member(at, 'architecture'), asString) ?? '',
    ...(variant === undefined ? {} : { variant }),
  };
}

/** The descriptor under the cursor. Throws the cursor's code for a wrong shape. */
export function asDescriptor(at: Cursor): Descriptor {
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
