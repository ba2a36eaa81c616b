import { equalBytes } from '../bytes/byte-string.ts';
import { asFault } from '../fault/fault.ts';
import type { CertificateAuthority } from '../x509/authority.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import type { SignedData, SignerId } from '../x509/cms.ts';
import { refersTo, signingCertificates } from './signing-certificate.ts';

/** The certificate that a timestamp's signer claims, and those that came along. */
export interface SignerSearch {
  /** Null when no certificate at hand has the signer's name. */
  readonly signer: Certificate | null;
  readonly others: readonly Certificate[];
}

/**
 * The signer's certificate: from the timestamp when it carries any (RFC 3161 §2.4.1: then the
 * signer's is among them), else from the authorities' chains. Of several with the signer's name the
 * one that the signing-certificate attribute refers to. Nothing is trusted by being found.
 * Embedded certificates that cannot be read are passed over.
 */
export function findSigner(
  signedData: SignedData,
  authorities: readonly CertificateAuthority[],
): SignerSearch {
  const known = authorities.flatMap((authority) => authority.chain);
  const embedded = signedData.certificates.flatMap((der) => readEmbedded(der, known));
  const pool = signedData.certificates.length > 0 ? embedded : known;
  const named = pool.filter((certificate) => isNamed(certificate, signedData.signer.id));
  const [first] = named;
  if (first === undefined) return { signer: null, others: embedded };
  // Serial numbers are unique per CA only, and small CAs repeat them.
  const exact = named.length > 1 ? named.find((one) => isReferredTo(signedData, one)) : first;
  const signer = exact ?? first;
  return { signer, others: embedded.filter((certificate) => certificate !== signer) };
}

/** An attribute that cannot be read refers to nothing; its own check says why. */
function isReferredTo({ signer }: SignedData, certificate: Certificate): boolean {
  try {
    return signingCertificates(signer).every((one) => refersTo(one, certificate));
  } catch (error) {
    if (asFault(error).code === 'internal.defect') throw error;
    return false;
  }
}

/** A certificate of the trust root is not parsed again. */
function readEmbedded(der: Uint8Array, known: readonly Certificate[]): readonly Certificate[] {
  const same = known.find((certificate) => equalBytes(certificate.raw, der));
  if (same !== undefined) return [same];
  try {
    return [parseCertificate(der, 'timestamp certificate')];
  } catch (error) {
    if (asFault(error).code === 'internal.defect') throw error;
    return [];
  }
}

function isNamed(certificate: Certificate, id: SignerId): boolean {
  if (id.kind === 'issuer-and-serial') {
    return id.serial === certificate.serial && equalBytes(id.issuer, certificate.issuer);
  }
  const { subjectKeyId } = certificate;
  return subjectKeyId !== null && equalBytes(subjectKeyId, id.keyId);
}
