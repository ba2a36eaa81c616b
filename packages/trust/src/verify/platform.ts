import { parseJson } from '../bytes/json.ts';
import { asString, cursor, member, optional } from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ImageManifest } from '../oci/manifest.ts';
import { platformName } from '../oci/platform.ts';
import type { ArtifactSource, CallOptions } from '../oci/store.ts';

const MAX_NAMED = 12;

/**
 * The child for a platform: the one of exactly that name, else the only one of which `wanted` is the
 * beginning (`linux/arm64` for `linux/arm64/v8`). Throws `artifact.no-platform` when there is none,
 * and when several could be meant: which of them would run is not for a verifier to guess.
 */
export function chooseChild(children: readonly Descriptor[], wanted: string): Descriptor {
  const exact = children.filter((child) => platformName(child) === wanted);
  const longer = children.filter((child) => platformName(child).startsWith(`${wanted}/`));
  const candidates = exact.length > 0 ? exact : longer;
  const [only] = candidates;
  const meant = new Set(candidates.map((child) => child.digest));
  if (only !== undefined && meant.size === 1) return only;
  const named = (candidates.length > 0 ? candidates : children)
    .slice(0, MAX_NAMED)
    .map((child) => quote(platformName(child)));
  throw new TrustFault(
    'artifact.no-platform',
    `expected one child for the platform ${quote(wanted)}, found ${meant.size} among ${named.join(', ') || 'none'}`,
  );
}

const CONFIG_TYPES: readonly string[] = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
];
const MAX_CONFIG_BYTES = 8 << 20;

/**
 * Throws `artifact.no-platform` unless an image that is no index is for the platform, by its config
 * (image-spec config.md): who asks for `linux/arm64` must not be told that an amd64 image is fine.
 */
export async function requirePlatform(
  source: ArtifactSource,
  image: ImageManifest,
  wanted: string,
  options: CallOptions,
): Promise<void> {
  const found = await configPlatform(source, image, options);
  if (found !== null && (found === wanted || found.startsWith(`${wanted}/`))) return;
  throw new TrustFault(
    'artifact.no-platform',
    `expected an artifact for the platform ${quote(wanted)}, found ${found === null ? 'one that names no platform' : quote(found)}`,
  );
}

async function configPlatform(
  source: ArtifactSource,
  { config }: ImageManifest,
  options: CallOptions,
): Promise<string | null> {
  if (!CONFIG_TYPES.includes(config.mediaType)) return null;
  const bytes = await source.blob(config, { ...options, maxBytes: MAX_CONFIG_BYTES });
  if (bytes === null) return null;
  const at = cursor(parseJson(bytes, 'the config'), 'config', 'manifest.malformed');
  const os = asString(member(at, 'os'));
  const architecture = asString(member(at, 'architecture'));
  const variant = optional(member(at, 'variant'), asString);
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return platformName({ platform });
}
