import { computeDigest } from '../../oci/digest.ts';
import type { TrustedRoot } from '../../trust-root/trusted-root.ts';
import type { AuthoritySpec } from '../document.ts';
import type { PolicySet, ReadyAuthority } from '../policy-set.ts';
import type { ChangedAuthority } from './change.ts';

/**
 * What retiring a trust root makes of each authority. `root` is the name of a trust root, which is
 * retired under each name that its content has; or the name or address of a certificate authority, a
 * log or a timestamp authority, which then goes from every trust root that names it.
 */
export function retireRoot(
  { policies }: PolicySet,
  root: string,
): (authority: ReadyAuthority, spec: AuthoritySpec | undefined) => ChangedAuthority {
  const digests = new Set<string>();
  for (const { document, authorities } of policies) {
    for (const [name, { requirements }] of authorities) {
      const { trustRoot } = requirements;
      if (trustRoot === null) continue;
      if (rootNameOf(document.authorities[name]) === root || trustRoot.name === root) {
        digests.add(trustRoot.digest);
      }
    }
  }
  return (authority) => {
    const { trustRoot } = authority.requirements;
    if (trustRoot === null) return null;
    if (digests.has(trustRoot.digest)) return 'gone';
    const rest = withoutInstance(trustRoot, root);
    if (rest === null) return null;
    // A trust root without a log asks for no entry: less to trust must never be less to prove.
    const lacksLog = rest.tlogs.length === 0 && trustRoot.tlogs.length > 0;
    if (lacksLog && authority.requirements.log) return 'gone';
    return { ...authority, requirements: { ...authority.requirements, trustRoot: rest } };
  };
}

function rootNameOf(spec: AuthoritySpec | undefined): string | null {
  return spec !== undefined && 'trustRoot' in spec ? spec.trustRoot : null;
}

/** The trust root without what is called so; null when nothing in it is. */
function withoutInstance(root: TrustedRoot, name: string): TrustedRoot | null {
  const isOther = (
    one: { readonly name: string } | { readonly baseUrl: string; origin: string },
  ) => ('name' in one ? one.name !== name : one.baseUrl !== name && one.origin !== name);
  const rest = {
    tlogs: root.tlogs.filter(isOther),
    ctlogs: root.ctlogs.filter(isOther),
    certificateAuthorities: root.certificateAuthorities.filter(isOther),
    timestampAuthorities: root.timestampAuthorities.filter(isOther),
  };
  const kept = Object.values(rest).reduce((sum, { length }) => sum + length, 0);
  const { tlogs, ctlogs, certificateAuthorities, timestampAuthorities } = root;
  const all = [tlogs, ctlogs, certificateAuthorities, timestampAuthorities];
  if (kept === all.reduce((sum, { length }) => sum + length, 0)) return null;
  // Evidence is proved once for equal trust roots: this one is another.
  const digest = computeDigest(Buffer.from(JSON.stringify([root.digest, 'without', name])));
  return { ...root, ...rest, digest };
}
