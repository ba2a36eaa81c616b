import { hash as digestWith } from 'node:crypto';
import { equalBytes } from '../bytes/byte-string.ts';
import {
  DER,
  type DerValue,
  derChildren,
  derInteger,
  derOctetString,
  derSequence,
} from '../bytes/der.ts';
import { digestOf, type HashName } from '../bytes/hash.ts';
import { TrustFault } from '../fault/fault.ts';
import { parseDigestIdentifier } from '../x509/algorithm-identifier.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { SignerInfo } from '../x509/cms.ts';

const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';

/** The certificate that a signer's attributes name (ESSCertID, ESSCertIDv2; RFC 5035). */
export interface CertificateReference {
  readonly hash: HashName | 'sha1';
  readonly digest: Uint8Array;
  /** DER of the issuer's Name and the serial number; null where the reference leaves them out. */
  readonly issuerSerial: { readonly issuer: Uint8Array; readonly serial: bigint } | null;
}

/**
 * The references of the signing-certificate attributes, of both versions where both are there; the
 * first certificate of each names the signer. Throws `timestamp.malformed` when there is none (RFC
 * 3161 §2.4.2 demands one), `der.malformed`.
 */
export function signingCertificates(signer: SignerInfo): readonly CertificateReference[] {
  const references = [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2].flatMap((oid) => {
    const values = signer.attributes.get(oid);
    if (values === undefined) return [];
    const [value, ...rest] = values;
    if (rest.length > 0) throw malformed('a signing-certificate attribute with two values');
    return [parseReference(value, oid === SIGNING_CERTIFICATE)];
  });
  if (references.length === 0) throw malformed('no signing-certificate attribute');
  return references;
}

/** Whether `certificate` is the one that is referred to. */
export function refersTo(reference: CertificateReference, certificate: Certificate): boolean {
  const { hash, digest, issuerSerial } = reference;
  // RFC 3161 fixes SHA-1 for version 1 of the attribute. It only picks one of the certificates that
  // a trusted authority issued, so that a forger would need a second preimage.
  const found =
    hash === 'sha1'
      ? digestWith('sha1', certificate.raw, 'buffer')
      : digestOf(hash, certificate.raw);
  if (!equalBytes(found, digest)) return false;
  if (issuerSerial === null) return true;
  return (
    issuerSerial.serial === certificate.serial &&
    equalBytes(issuerSerial.issuer, certificate.issuer)
  );
}

function parseReference(value: DerValue | undefined, isVersion1: boolean): CertificateReference {
  const where = 'signing-certificate attribute';
  const [ids] = derSequence(value, where);
  const [first] = derSequence(ids, where);
  const fields = [...derSequence(first, where)];
  let hash: HashName | 'sha1' | null = isVersion1 ? 'sha1' : 'sha256';
  if (!isVersion1 && fields[0]?.tag === DER.sequence) {
    hash = parseDigestIdentifier(fields.shift(), where).hash;
  }
  const [digest, issuerSerial, ...rest] = fields;
  if (hash === null || rest.length > 0) throw malformed('a reference by an unknown digest');
  return {
    hash,
    digest: derOctetString(digest, where),
    issuerSerial: issuerSerial === undefined ? null : parseIssuerSerial(issuerSerial, where),
  };
}

/** IssuerSerial (RFC 5035 §5): the issuer as exactly one directory name. */
function parseIssuerSerial(
  value: DerValue,
  where: string,
): NonNullable<CertificateReference['issuerSerial']> {
  const [names, serial, ...rest] = derSequence(value, where);
  const [name, ...others] = derSequence(names, where);
  const inner = name?.tag === 0xa4 ? derChildren(name, where) : [];
  const [issuer] = inner;
  if (issuer === undefined || inner.length !== 1 || others.length > 0 || rest.length > 0) {
    throw malformed('a reference whose issuer is not one directory name');
  }
  return { issuer: issuer.raw, serial: derInteger(serial, where) };
}

function malformed(what: string): TrustFault {
  return new TrustFault('timestamp.malformed', `the timestamp has ${what}`);
}
