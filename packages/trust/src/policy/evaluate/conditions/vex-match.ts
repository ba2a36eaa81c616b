import type { VexComponent, VexStatement } from '../../../claims/open-vex.ts';
import { type PackageUrl, parsePurl, purlCovers } from '../../../claims/purl.ts';
import { type Statement, subjectWithDigest } from '../../../claims/statement.ts';
import type { Vulnerability } from '../../../claims/vulnerability.ts';
import type { Digest } from '../../../oci/digest.ts';

/** A VEX statement that is about the artifact. */
export interface AppliedVex extends Omit<VexStatement, 'products'> {
  /** The components that it is narrowed to; null: all of the artifact. */
  readonly components: readonly VexComponent[] | null;
}

/** What the artifact is called. */
export interface VexSubject {
  readonly digest: Digest;
  /** Canonical `registry/repository`. */
  readonly repository: string;
  /** Names of the attestation's own subject of this digest. */
  readonly names: readonly string[];
}

/** The artifact as the subject of an attested document. */
export function vexSubject(statement: Statement, digest: Digest, repository: string): VexSubject {
  const name = subjectWithDigest(statement, digest)?.name ?? null;
  return { digest, repository, names: name === null ? [] : [name] };
}

/**
 * The statement as far as it is about the artifact; null when it is about other products. A product is
 * the artifact by a hash, by a package URL `pkg:oci/…` of this digest or of this repository without
 * one, or by the name of the attestation's subject. Without products the subject itself is the product
 * (OpenVEX ATTESTING.md).
 */
export function applyVex(
  { products, ...rest }: VexStatement,
  subject: VexSubject,
): AppliedVex | null {
  if (products === null) return { ...rest, components: null };
  const meant = products.filter((product) => isProduct(product, subject));
  if (meant.length === 0) return null;
  const whole = meant.some(({ subcomponents }) => subcomponents.length === 0);
  return {
    ...rest,
    components: whole ? null : meant.flatMap(({ subcomponents }) => subcomponents),
  };
}

function isProduct(product: VexComponent, subject: VexSubject): boolean {
  const [algorithm = '', hex = ''] = subject.digest.split(':');
  const hash = product.hashes[algorithm.replace(/^sha/, 'sha-')];
  // A hash decides before any name: a name may be that of many versions.
  if (hash !== undefined) return hash.toLowerCase() === hex;
  return product.ids.some((id) => isNamed(id, subject));
}

function isNamed(id: string, { digest, repository, names }: VexSubject): boolean {
  const purl = parsePurl(id);
  if (purl?.type === 'oci') {
    if (purl.version !== null) return purl.version === digest;
    const url = purl.qualifiers.get('repository_url');
    const path = purl.namespace === null ? purl.name : `${purl.namespace}/${purl.name}`;
    return url === undefined ? `/${repository}`.endsWith(`/${path}`) : url === repository;
  }
  return id === digest || id === `${repository}@${digest}` || names.includes(id);
}

/**
 * Whether a statement about the artifact says something about a finding, by its id and package. One
 * that clears a finding must name both exactly; one that calls it open counts however loosely it does.
 */
export function concerns(vex: AppliedVex, vulnerability: Vulnerability): boolean {
  const ids = [vulnerability.id, ...vulnerability.aliases];
  const { purl: text = null } = vulnerability.package ?? {};
  const purl = text === null ? null : parsePurl(text);
  if (!clears(vex)) {
    const isMeant = vex.names.some((name) => ids.some((id) => isLike(name, id)));
    return isMeant && (vex.components === null || vex.components.some((one) => mayBe(one, purl)));
  }
  if (!vex.names.some((name) => ids.includes(name))) return false;
  if (vex.components === null) return true;
  // What cannot be placed is not answered by a narrowed statement.
  if (purl === null) return false;
  return vex.components.some(({ ids: named }) => named.some((id) => covers(id, purl)));
}

function covers(id: string, found: PackageUrl): boolean {
  const wide = parsePurl(id);
  return wide !== null && purlCovers(wide, found);
}

/** `CVE-1` in any case, and an address that ends with it. */
function isLike(name: string, id: string): boolean {
  const [one, other] = [name.toLowerCase(), id.toLowerCase()];
  return other !== '' && (one === other || one.endsWith(`/${other}`));
}

/** Whether a component may be the package; one of the two may have no package URL to tell by. */
function mayBe({ ids }: VexComponent, found: PackageUrl | null): boolean {
  const named = ids.flatMap((id) => parsePurl(id) ?? []);
  if (found === null || named.length === 0) return true;
  return named.some((wide) => purlCovers(loosely(wide), loosely(found)));
}

/** Scanners and authors write qualifiers and the case of names differently. */
function loosely(purl: PackageUrl): PackageUrl {
  const namespace = purl.namespace?.toLowerCase() ?? null;
  return { ...purl, namespace, name: purl.name.toLowerCase(), qualifiers: new Map() };
}

/** Whether a statement takes a finding off the count. `not_affected` must say why. */
export function clears({ status, isJustified }: AppliedVex): boolean {
  return status === 'fixed' || (status === 'not_affected' && isJustified);
}
