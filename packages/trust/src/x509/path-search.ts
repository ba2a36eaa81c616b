import { equalBytes } from '../bytes/byte-string.ts';
import { verifySignature } from '../crypto/verify-signature.ts';
import type { CertificateAuthority } from './authority.ts';
import type { Certificate } from './certificate.ts';

/** Certificates from a leaf to the anchor of an authority, each signed by the next. */
export interface IssuedPath {
  readonly path: readonly Certificate[];
  readonly authority: CertificateAuthority;
}

/** Longest path that is looked for, leaf and anchor included. */
const MAX_PATH = 8;
/** Signature checks that one search may cost: hostile intermediates cannot buy more. */
const MAX_LINKS = 64;

// Which certificate was found to be signed by which. A trust root's chains live as long as the
// process, so the links above the leaf are checked once.
const LINKS = new WeakMap<Certificate, WeakSet<Certificate>>();

async function isSignedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  const known = LINKS.get(certificate);
  if (known?.has(issuer) === true) return true;
  const { signatureAlgorithm, tbs, signature } = certificate;
  if (!(await verifySignature(issuer.publicKey, signatureAlgorithm, tbs, signature))) return false;
  if (known === undefined) LINKS.set(certificate, new WeakSet([issuer]));
  else known.add(issuer);
  return true;
}

/**
 * Every path of valid signatures from `leaf` to the authorities' anchors, best candidates first,
 * within a bound of 8 certificates and 64 signature checks. It proves signatures only: what the
 * certificates allow is for `checkPath`. Issuers are found by name, byte by byte; key identifiers
 * decide what is tried first (RFC 5280 §4.2.1.1).
 */
export async function* findPaths(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  authorities: readonly CertificateAuthority[],
): AsyncGenerator<IssuedPath> {
  const budget = { left: MAX_LINKS };
  for (const byKeyId of [true, false]) {
    for (const authority of authorities) {
      const anchor = authority.chain[authority.chain.length - 1];
      if (anchor === undefined || !namesLeaf(authority, leaf)) continue;
      const pool = distinct([anchor, ...authority.chain, ...intermediates]);
      for await (const path of extend([leaf], { anchor, pool, byKeyId, budget })) {
        yield { path, authority };
      }
    }
  }
}

/**
 * A timestamp authority's chain may begin with its signing certificate (sigstore_trustroot.proto);
 * then no other certificate that its CA issued may sign for it.
 */
function namesLeaf(authority: CertificateAuthority, leaf: Certificate): boolean {
  const [first] = authority.chain;
  return first === undefined || first.isCa || equalBytes(first.raw, leaf.raw);
}

interface Search {
  readonly anchor: Certificate;
  readonly pool: readonly Certificate[];
  /** Whether only issuers whose key identifier fits are tried, or all. */
  readonly byKeyId: boolean;
  readonly budget: { left: number };
}

async function* extend(
  path: readonly Certificate[],
  search: Search,
): AsyncGenerator<readonly Certificate[]> {
  const last = path[path.length - 1];
  if (last === undefined) return;
  if (equalBytes(last.raw, search.anchor.raw)) {
    yield path;
    return;
  }
  if (path.length >= MAX_PATH) return;
  for (const issuer of search.pool) {
    if (path.includes(issuer) || !equalBytes(issuer.subject, last.issuer)) continue;
    if (search.byKeyId && !keyIdFits(last, issuer)) continue;
    if (search.budget.left-- <= 0) return;
    if (await isSignedBy(last, issuer)) yield* extend([...path, issuer], search);
  }
}

function keyIdFits(certificate: Certificate, issuer: Certificate): boolean {
  const { authorityKeyId } = certificate;
  const { subjectKeyId } = issuer;
  if (authorityKeyId === null || subjectKeyId === null) return true;
  return equalBytes(authorityKeyId, subjectKeyId);
}

function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return certificates.filter(
    (certificate, at) =>
      certificates.findIndex((other) => equalBytes(other.raw, certificate.raw)) === at,
  );
}
