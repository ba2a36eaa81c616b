import type { ReadyAuthority } from '../policy-set.ts';
import type { ChangedAuthority, IdentityName } from './change.ts';

/**
 * What renaming an identity makes of an authority whose patterns accept `from`: `from` counts no more,
 * also where a glob would go on matching it, and `to` counts although no pattern may match it yet. All
 * other identities count as before. Without an issuer of its own `to` is one of the authority's.
 */
export function renameIdentity(
  from: IdentityName,
  to: IdentityName,
): (authority: ReadyAuthority) => ChangedAuthority {
  return (ready) => {
    const { authority } = ready;
    if (authority?.kind !== 'keyless') return null;
    const { issuer, subject, overrule } = authority;
    const accepts =
      subject.matches(from.subject) && (from.issuer === null || issuer.matches(from.issuer));
    if (!accepts) return null;
    return {
      ...ready,
      authority: {
        ...authority,
        subject: {
          ...subject,
          text: `${JSON.stringify(to.subject)}, or ${subject.text} without ${JSON.stringify(from.subject)}`,
        },
        overrule(foundIssuer, foundSubject) {
          const isIssuer = (wanted: string | null) => wanted === null || wanted === foundIssuer;
          const isOwnIssuer =
            to.issuer === null ? issuer.matches(foundIssuer) : isIssuer(to.issuer);
          if (foundSubject === to.subject && isOwnIssuer) return true;
          if (foundSubject === from.subject && isIssuer(from.issuer)) return false;
          return overrule?.(foundIssuer, foundSubject) ?? null;
        },
      },
    };
  };
}
