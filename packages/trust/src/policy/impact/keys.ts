import type { AuthoritySpec } from '../document.ts';
import type { PolicySet, ReadyAuthority } from '../policy-set.ts';
import type { ChangedAuthority } from './change.ts';

/**
 * What retiring a key makes of each authority. The name of an authority stands for its key, and a key
 * that is retired is so under every name and in every policy that lists it; a keyless authority that
 * is named goes with each that has the same patterns.
 */
export function retireKey(
  { policies }: PolicySet,
  key: string,
): (authority: ReadyAuthority, spec: AuthoritySpec | undefined) => ChangedAuthority {
  const named = policies.flatMap(({ document, authorities }) => {
    const authority = authorities.get(key);
    return authority === undefined ? [] : [{ authority, spec: document.authorities[key] }];
  });
  const keys = new Set([key.toLowerCase()]);
  const patterns = new Set<string>();
  for (const { authority, spec } of named) {
    if (authority.authority?.kind === 'key') keys.add(authority.authority.key.id);
    else patterns.add(patternsOf(authority, spec));
  }
  return (authority, spec) => {
    const isGone =
      authority.authority?.kind === 'key'
        ? keys.has(authority.authority.key.id)
        : patterns.has(patternsOf(authority, spec));
    return isGone ? 'gone' : null;
  };
}

/** Equal for authorities that accept the same identities; a kind without patterns is its own. */
function patternsOf({ name, authority }: ReadyAuthority, spec: AuthoritySpec | undefined): string {
  if (authority?.kind !== 'keyless') return JSON.stringify([name, spec ?? null]);
  const { issuer, subject, claims } = authority;
  return JSON.stringify([issuer.text, subject.text, claims]);
}
