import { asFault } from '@bulla/trust/fault/fault';
import { parseRegistryHost } from '@bulla/trust/oci/reference';
import type { Pattern } from '@bulla/trust/policy/pattern';
import type { PolicySet } from '@bulla/trust/policy/policy-set';

/** Answers whether the host of a canonical registry may be asked at all (semantics 19). */
export type IsNamed = (registry: string, set: PolicySet) => boolean;

/**
 * Hosts that the configuration names, and those that a policy in force names by their letters. Of a
 * policy only `images` counts, and there no host with a wildcard in it and no regular expression:
 * `**` covers every image, and names no host.
 */
export function namedHosts(configured: Iterable<string>): IsNamed {
  const always = new Set(configured);
  const bySet = new WeakMap<PolicySet, ReadonlySet<string>>();
  return (registry, set) => {
    if (always.has(registry)) return true;
    let named = bySet.get(set);
    if (named === undefined) {
      named = hostsOf(set);
      bySet.set(set, named);
    }
    return named.has(registry);
  };
}

function hostsOf({ policies }: PolicySet): ReadonlySet<string> {
  const patterns = policies.flatMap(({ document }) => document.images);
  return new Set(patterns.map(literalHost).filter((host) => host !== null));
}

/** The host that a pattern over canonical names spells out; null where it does not. */
export function literalHost(pattern: Pattern): string | null {
  if ('regex' in pattern) return null;
  const text = 'exact' in pattern ? pattern.exact : pattern.glob;
  const slash = text.indexOf('/');
  const host = text.slice(0, Math.max(slash, 0));
  // Another spelling of a host matches no canonical name, so the policy never speaks of it.
  return canonicalHost(host) === host ? host : null;
}

/** A host with its port in its canonical form; null for what is none, such as one with a wildcard. */
export function canonicalHost(host: string): string | null {
  try {
    return parseRegistryHost(host);
  } catch (error) {
    if (asFault(error).code === 'reference.malformed') return null;
    throw error;
  }
}
