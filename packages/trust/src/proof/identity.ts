import { printable, quote, TrustFault } from '../fault/fault.ts';
import { allOf } from '../finding/combine.ts';
import { type Finding, failed, failedBy, passed } from '../finding/finding.ts';
import type { Certificate } from '../x509/certificate.ts';
import { type FulcioClaims, fulcioClaims } from '../x509/fulcio-extensions.ts';
import { OID } from '../x509/object-identifiers.ts';
import type { KeylessAuthority } from './authority.ts';

/** Who a certificate says signed. */
export interface CertificateIdentity {
  readonly issuer: string;
  readonly subjects: readonly string[];
  readonly claims: FulcioClaims;
}

const SOURCE = 'Fulcio oid-info, semantics 9';

/** The identity in a Fulcio certificate; a failed finding when it has none. */
function identityOf(certificate: Certificate): CertificateIdentity | Finding {
  try {
    const claims = fulcioClaims(certificate);
    // Other-names of foreign types are no subjects: what is in a Windows login name, or in one that
    // an applicant chose, would be read as an address.
    const subjects = certificate.alternativeNames
      .filter(({ kind, oid }) => kind !== 'other-name' || oid === OID.fulcioUsername)
      .map(({ value }) => value);
    if (claims.issuer === null || subjects.length === 0) {
      throw new TrustFault(
        'proof.identity-mismatch',
        `the certificate names ${claims.issuer === null ? 'no issuer' : 'no subject'}`,
      );
    }
    return { issuer: claims.issuer, subjects, claims };
  } catch (error) {
    return failedBy('proof.identity', error, SOURCE);
  }
}

/** Whether the certificate's identity is the authority's, and the principals that it stands for. */
export function checkIdentity(
  certificate: Certificate,
  authority: KeylessAuthority,
): { readonly finding: Finding; readonly principals: readonly string[] } {
  const identity = identityOf(certificate);
  if ('outcome' in identity) return { finding: identity, principals: [] };
  const { subject, ruled } = subjectOf(identity, authority);
  const children = [
    ruled || authority.issuer.matches(identity.issuer)
      ? passed('proof.issuer', `the issuer is ${printable(identity.issuer)}`, SOURCE)
      : failed(
          'proof.issuer',
          'proof.identity-mismatch',
          `expected the issuer ${authority.issuer.text}, found ${quote(identity.issuer)}`,
          SOURCE,
        ),
    subject !== undefined
      ? passed('proof.subject', `the subject is ${printable(subject)}`, SOURCE)
      : failed(
          'proof.subject',
          'proof.identity-mismatch',
          `expected the subject ${authority.subject.text}, found ${identity.subjects.map((name) => quote(name)).join(', ')}`,
          SOURCE,
        ),
    ...authority.claims.map((required) => checkClaim(identity.claims, required)),
  ];
  return {
    finding: allOf(
      'proof.identity',
      children,
      // The name that was asked for, where a certificate has several.
      `signed by ${printable(subject ?? identity.subjects[0] ?? '')}`,
    ),
    principals: [`identity:${identity.issuer}|${subject ?? ''}`],
  };
}

/** The subject that the authority accepts. One that counts no more takes its whole certificate along. */
function subjectOf(
  { issuer, subjects }: CertificateIdentity,
  authority: KeylessAuthority,
): { readonly subject: string | undefined; readonly ruled: boolean } {
  const rulings = subjects.map((name) => authority.overrule?.(issuer, name) ?? null);
  const ruled = subjects.find((_, at) => rulings[at] === true);
  if (ruled !== undefined) return { subject: ruled, ruled: true };
  if (rulings.includes(false)) return { subject: undefined, ruled: false };
  return { subject: subjects.find((name) => authority.subject.matches(name)), ruled: false };
}

function checkClaim(
  claims: FulcioClaims,
  required: { readonly claim: string; readonly value: string },
): Finding {
  const found = Object.entries(claims).find(([name]) => name === required.claim)?.[1];
  if (found === required.value) {
    return passed('proof.claim', `${required.claim} is ${printable(required.value)}`, SOURCE);
  }
  return failed(
    'proof.claim',
    'proof.claim-mismatch',
    `expected ${required.claim} to be ${quote(required.value)}, found ${typeof found === 'string' ? quote(found) : 'no such claim'}`,
    SOURCE,
  );
}
