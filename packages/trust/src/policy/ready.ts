import { digestOf } from '../bytes/hash.ts';
import { encodeHex } from '../bytes/hex.ts';
import { canonicalizeJcs } from '../bytes/jcs.ts';
import type { PublicKey } from '../crypto/public-key.ts';
import { printable, quote, TrustFault } from '../fault/fault.ts';
import type { Authority, Matcher } from '../proof/authority.ts';
import type { TrustedRoot } from '../trust-root/trusted-root.ts';
import { coverage } from './coverage.ts';
import type { AuthoritySpec, TrustPolicy } from './document.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import type { PolicySet, ReadyAuthority, ReadyPolicy } from './policy-set.ts';

/** What a policy names and does not hold. */
export interface PolicyResources {
  /** The key of each `key` authority, by the authority's name. */
  readonly keys: ReadonlyMap<string, PublicKey>;
  /** Every trust root that an authority names, by that name. */
  readonly trustRoots: ReadonlyMap<string, TrustedRoot>;
}

/**
 * A policy with its patterns compiled and its keys and trust roots at hand. Its hash covers the
 * document, the ids of the keys and the digests of the trust roots, so that equal hashes decide
 * alike. Throws `policy.trust-root-missing` and `policy.file` for what `resources` lack.
 */
export function readyPolicy(document: TrustPolicy, resources: PolicyResources): ReadyPolicy {
  const authorities = new Map(
    Object.entries(document.authorities).map(([name, spec]) => [
      name,
      readyAuthority(name, spec, resources),
    ]),
  );
  return {
    document,
    hash: hashOf({
      document,
      keys: Object.fromEntries([...authorities.values()].flatMap(keyOf)),
      trustRoots: Object.fromEntries([...authorities.values()].flatMap(trustRootOf)),
    }),
    authorities,
    covers: coverage(document),
  };
}

/**
 * The policies of a door, sorted by name. The hash of the set does not depend on their order, and
 * changes with each of them. Throws `policy.name-repeated` for two of one name.
 */
export function policySet(policies: readonly ReadyPolicy[]): PolicySet {
  const sorted = policies.toSorted((a, b) => compareText(a.document.name, b.document.name));
  for (const [index, { document }] of sorted.entries()) {
    if (sorted[index + 1]?.document.name !== document.name) continue;
    throw new TrustFault(
      'policy.name-repeated',
      `two policies have the name ${quote(document.name)}`,
    );
  }
  const roots = sorted.flatMap(({ authorities, document }) =>
    [...authorities.values()].flatMap(({ name, requirements }) => {
      const root = requirements.trustRoot;
      return root === null ? [] : [`${rootNameOf(document, name)}@${root.digest}`];
    }),
  );
  const versions = [...new Set(roots)].toSorted(compareText);
  return {
    policies: sorted,
    hash: hashOf(sorted.map(({ hash, document }) => ({ name: document.name, hash }))),
    trustRootVersion: versions.length === 0 ? 'none' : versions.join(' '),
  };
}

function rootNameOf(document: TrustPolicy, authority: string): string {
  const spec = document.authorities[authority];
  return spec !== undefined && 'trustRoot' in spec ? (spec.trustRoot ?? '') : '';
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function hashOf(value: unknown): string {
  const bytes = Buffer.from(canonicalizeJcs(value), 'utf8');
  return `sha256:${encodeHex(digestOf('sha256', bytes))}`;
}

function keyOf({ name, authority }: ReadyAuthority): readonly (readonly [string, string])[] {
  return authority?.kind === 'key' ? [[name, authority.key.id]] : [];
}

function trustRootOf({
  name,
  requirements,
}: ReadyAuthority): readonly (readonly [string, string])[] {
  return requirements.trustRoot === null ? [] : [[name, requirements.trustRoot.digest]];
}

function readyAuthority(
  name: string,
  spec: AuthoritySpec,
  resources: PolicyResources,
): ReadyAuthority {
  switch (spec.kind) {
    case 'key': {
      const key = resources.keys.get(name);
      if (key === undefined) {
        throw new TrustFault('policy.file', `the key of authority ${quote(name)} is not at hand`);
      }
      const trustRoot = spec.trustRoot === null ? null : namedRoot(spec.trustRoot, name, resources);
      const requirements = { trustRoot, ...spec.proof };
      return { name, kind: spec.kind, authority: { kind: 'key', name, key }, requirements };
    }
    case 'keyless': {
      const authority: Authority = {
        kind: 'keyless',
        name,
        issuer: matcherOf(spec.issuer),
        subject: matcherOf(spec.subject),
        claims: Object.entries(spec.claims).map(([claim, value]) => ({ claim, value })),
      };
      const trustRoot = namedRoot(spec.trustRoot, name, resources);
      return { name, kind: spec.kind, authority, requirements: { trustRoot, ...spec.proof } };
    }
    case 'static': {
      const requirements = { trustRoot: null, log: true, sct: true, timestamp: true };
      return { name, kind: spec.kind, authority: null, requirements, refusal: spec.message };
    }
    case 'notary':
    case 'x509':
    case 'openpgp': {
      const requirements = { trustRoot: null, log: true, sct: true, timestamp: true };
      return { name, kind: spec.kind, authority: null, requirements };
    }
    default:
      return spec satisfies never;
  }
}

function namedRoot(name: string, authority: string, { trustRoots }: PolicyResources): TrustedRoot {
  const root = trustRoots.get(name);
  if (root !== undefined) return root;
  throw new TrustFault(
    'policy.trust-root-missing',
    `authority ${quote(authority)} names the trust root ${quote(name)}, which nothing defines`,
  );
}

/** A pattern as identities are held against it, with its words for people. */
function matcherOf(pattern: Pattern): Matcher {
  const matches = compilePattern(pattern);
  if ('exact' in pattern) return { text: JSON.stringify(printable(pattern.exact)), matches };
  if ('glob' in pattern)
    return { text: `glob ${JSON.stringify(printable(pattern.glob))}`, matches };
  return { text: `/${printable(pattern.regex)}/`, matches };
}
