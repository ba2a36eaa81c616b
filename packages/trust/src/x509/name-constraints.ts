import { equalBytes } from '../bytes/byte-string.ts';
import { type DerValue, derChildren, derSequence, derText, readDer } from '../bytes/der.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { type Finding, failedBy, passed } from '../finding/finding.ts';
import type { Certificate } from './certificate.ts';
import { constraintMatches, NAME } from './name-match.ts';
import { OID, readOid } from './object-identifiers.ts';

const CHECK = 'x509.name-constraints';
const SOURCE = 'RFC 5280 §4.2.1.10';
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
/** Names times constraints that are compared for one certificate at most. */
const MAX_COMPARISONS = 4096;

/** A name that is constrained: the tag of its GeneralName, and its content. */
interface ConstrainedName {
  readonly tag: number;
  readonly content: Uint8Array;
}

interface NameConstraints {
  readonly permitted: readonly ConstrainedName[];
  readonly excluded: readonly ConstrainedName[];
}

/**
 * Every name below a CA lies within what that CA may certify. Constraints are honoured whether
 * critical or not, the anchor's too. Fails with `x509.name-constraints`, or `x509.malformed` for
 * constraints that cannot be read.
 */
export function checkNameConstraints(path: readonly Certificate[]): Finding {
  try {
    for (const [at, issuer] of path.entries()) {
      const extension = at === 0 ? undefined : issuer.extensions.get(OID.nameConstraints);
      if (extension === undefined) continue;
      const constraints = parseConstraints(extension.value);
      // RFC 5280 §6.1.3 (b): self-issued certificates are free, unless they are the leaf.
      const bound = path
        .slice(0, at)
        .filter((one, depth) => depth === 0 || !equalBytes(one.issuer, one.subject));
      for (const certificate of bound) refuseOutside(certificate, constraints);
    }
    return passed(CHECK, 'no name lies outside of what the CAs may certify', SOURCE);
  } catch (error) {
    return failedBy(CHECK, error, SOURCE);
  }
}

function refuseOutside(certificate: Certificate, { permitted, excluded }: NameConstraints): void {
  const names = namesOf(certificate);
  if (names.length * (permitted.length + excluded.length) > MAX_COMPARISONS) {
    throw new TrustFault('x509.limit', 'the certificate has too many names for its constraints');
  }
  for (const name of names) {
    const judge = (list: readonly ConstrainedName[]) =>
      list
        .filter((constraint) => constraint.tag === name.tag)
        .map((constraint) => constraintMatches(name.tag, name.content, constraint.content));
    const inside = judge(permitted);
    const outside = inside.length > 0 && !inside.includes(true);
    // What cannot be shown to lie outside of an excluded subtree is refused as well.
    if (!outside && judge(excluded).every((match) => match === false)) continue;
    const text = quote(Buffer.from(name.content).toString('latin1'));
    throw new TrustFault(
      'x509.name-constraints',
      `the name ${text} is ${outside ? 'not among' : 'excluded from'} what a CA above may certify`,
    );
  }
}

/** Subject alternative names, the subject, and the e-mail addresses in it (RFC 5280 §4.2.1.10). */
function namesOf(certificate: Certificate): readonly ConstrainedName[] {
  const where = 'certificate';
  const extension = certificate.extensions.get(OID.subjectAltName);
  const names: ConstrainedName[] =
    extension === undefined ? [] : [...derSequence(readDer(extension.value, where), where)];
  const subject = readDer(certificate.subject, where);
  if (subject.content.length === 0) return names;
  names.push({ tag: NAME.directory, content: subject.raw });
  for (const rdn of derChildren(subject, where)) {
    for (const attribute of derChildren(rdn, where)) {
      const [type, value] = derSequence(attribute, where);
      if (readOid(type, where) !== EMAIL_ADDRESS) continue;
      names.push({ tag: NAME.email, content: Buffer.from(derText(value, where)) });
    }
  }
  return names;
}

function parseConstraints(value: Uint8Array): NameConstraints {
  const where = 'name constraints';
  let permitted: readonly ConstrainedName[] = [];
  let excluded: readonly ConstrainedName[] = [];
  for (const list of derSequence(readDer(value, where), where)) {
    const subtrees = derChildren(list, where).map(parseSubtree);
    if (list.tag === 0xa0) permitted = subtrees;
    else if (list.tag === 0xa1) excluded = subtrees;
    else throw malformed('a part that is neither permitted nor excluded');
  }
  // RFC 5280 §4.2.1.10: not an empty sequence.
  if (permitted.length + excluded.length === 0) throw malformed('no names');
  return { permitted, excluded };
}

function parseSubtree(subtree: DerValue): ConstrainedName {
  const where = 'name constraints';
  const [base, ...bounds] = derSequence(subtree, where);
  // RFC 5280 §4.2.1.10: minimum is 0, so absent in DER, and maximum is absent.
  if (base === undefined || bounds.length > 0) throw malformed('a minimum or a maximum');
  if (base.tag !== NAME.directory) return base;
  const [name, ...rest] = derChildren(base, where);
  if (name === undefined || rest.length > 0) throw malformed('a broken directory name');
  return { tag: base.tag, content: name.raw };
}

function malformed(what: string): TrustFault {
  return new TrustFault('x509.malformed', `the name constraints hold ${what}`);
}
