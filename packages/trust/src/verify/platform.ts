import { quote, TrustFault } from '../fault/fault.ts';
import type { Descriptor } from '../oci/descriptor.ts';

const MAX_NAMED = 12;

/** The platform of a descriptor as people write it: `linux/arm64/v8`. Foreign text. */
export function platformName(descriptor: Descriptor): string {
  const { os = '', architecture = '', variant } = descriptor.platform ?? {};
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

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
