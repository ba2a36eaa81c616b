import { printable } from '../fault/fault.ts';
import { allOf } from '../finding/combine.ts';
import { type Finding, failed, passed } from '../finding/finding.ts';
import type { CertificateAuthority } from './authority.ts';
import type { Certificate } from './certificate.ts';
import { checkNameConstraints } from './name-constraints.ts';
import {
  type CertificateUsage,
  checkAuthorityPeriod,
  checkBasicConstraints,
  checkCriticalExtensions,
  checkExtendedKeyUsage,
  checkKeyUsage,
  checkValidity,
  describeCertificate,
} from './path-checks.ts';
import { findPaths, type IssuedPath } from './path-search.ts';

/** What `verifyChain` is asked. */
export interface ChainOptions {
  readonly leaf: Certificate;
  /** Certificates that came with the leaf; not trusted, at most 16. */
  readonly intermediates: readonly Certificate[];
  readonly authorities: readonly CertificateAuthority[];
  /** The trusted time at which the whole chain must be valid. */
  readonly at: Date;
  readonly usage: CertificateUsage;
}

/** `path` and `authority` are what the signatures lead to, also when a check of it failed. */
export interface ChainAnswer {
  readonly finding: Finding;
  /** Leaf first, anchor last; null when no signatures lead to an anchor. */
  readonly path: readonly Certificate[] | null;
  readonly authority: CertificateAuthority | null;
}

const MAX_INTERMEDIATES = 16;
const MAX_PATHS = 16;
const SOURCE = 'RFC 5280 §6.1';

/**
 * Whether `leaf` leads to an authority, by RFC 5280 path validation. The anchor is the last
 * certificate of an authority's chain and trusted as it is: its own signature is not checked, all
 * else is. Fails with `x509.untrusted` when no signatures lead there, `x509.limit` for too many
 * intermediates, else with the code of the first check that failed; throws for no certificate.
 * Of several paths the first that passes counts, else the first. Name constraints are honoured,
 * critical ones or not.
 */
export async function verifyChain(options: ChainOptions): Promise<ChainAnswer> {
  const { leaf, intermediates, authorities } = options;
  const refuse = (code: 'x509.limit' | 'x509.untrusted', says: string): ChainAnswer => ({
    finding: failed('x509.chain', code, says, SOURCE),
    path: null,
    authority: null,
  });
  if (intermediates.length > MAX_INTERMEDIATES) {
    const says = `expected at most ${MAX_INTERMEDIATES} certificates beside the leaf, found ${intermediates.length}`;
    return refuse('x509.limit', says);
  }
  let first: ChainAnswer | null = null;
  let seen = 0;
  for await (const found of findPaths(leaf, intermediates, authorities)) {
    const answer = { ...found, finding: checkPath(found, options) };
    if (answer.finding.outcome === 'pass') return answer;
    first ??= answer;
    if (++seen >= MAX_PATHS) break;
  }
  if (first !== null) return first;
  const anchors = authorities.map(({ name }) => printable(name)).join(', ') || 'none';
  const issuer = printable(leaf.issuerText);
  const says = `${describeCertificate(leaf)}, issued by ${issuer}, leads to no trusted authority (${anchors})`;
  return refuse('x509.untrusted', says);
}

function checkPath({ path, authority }: IssuedPath, { at, usage }: ChainOptions): Finding {
  const names = path.map(describeCertificate);
  const children = [
    passed('x509.path', `${path.length} certificates: ${names.join(' ← ')}`, SOURCE),
    checkValidity(path, at),
    checkAuthorityPeriod(authority, at),
    checkBasicConstraints(path),
    checkKeyUsage(path, usage),
    checkExtendedKeyUsage(path, usage),
    checkCriticalExtensions(path),
    checkNameConstraints(path),
  ];
  const says = `the certificate leads to ${printable(authority.name)}`;
  const broken = `the certificate leads to ${printable(authority.name)}, but not everything holds`;
  const passes = children.every((child) => child.outcome === 'pass');
  return allOf('x509.chain', children, passes ? says : broken, { source: SOURCE });
}
