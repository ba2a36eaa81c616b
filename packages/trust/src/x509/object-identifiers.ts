import { DER, type DerValue, derOid } from '../bytes/der.ts';

/** Object identifiers of certificates that Bulla processes (RFC 5280 unless said otherwise). */
export const OID = {
  commonName: '2.5.4.3',
  localityName: '2.5.4.7',
  stateOrProvinceName: '2.5.4.8',
  organizationName: '2.5.4.10',
  organizationalUnitName: '2.5.4.11',
  countryName: '2.5.4.6',
  streetAddress: '2.5.4.9',
  domainComponent: '0.9.2342.19200300.100.1.25',
  userId: '0.9.2342.19200300.100.1.1',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  anyExtendedKeyUsage: '2.5.29.37.0',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  /** RFC 6962 §3.3. */
  sctList: '1.3.6.1.4.1.11129.2.4.2',
  /** Fulcio's certificate specification: a username SAN. */
  fulcioUsername: '1.3.6.1.4.1.57264.1.7',
} as const;

// 1.3.6.1.4.1.57264.1, without its last arc.
const FULCIO = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01];

/**
 * Dotted form of an OBJECT IDENTIFIER. Throws `der.malformed`. Names under 2.5 and Fulcio's, of
 * which a certificate has some thirty, are read without arithmetic on big integers.
 */
export function readOid(value: DerValue | undefined, where: string): string {
  if (value?.tag === DER.oid) {
    const { content } = value;
    const last = content[content.length - 1] ?? 0x80;
    const middle = content[1] ?? 0x80;
    // One octet below 0x80 is one arc (X.690 §8.19.2); 0x55 is the pair 2.5.
    if (content.length === 3 && content[0] === 0x55 && middle < 0x80 && last < 0x80) {
      return `2.5.${middle}.${last}`;
    }
    if (
      content.length === 10 &&
      last < 0x80 &&
      FULCIO.every((octet, at) => content[at] === octet)
    ) {
      return `1.3.6.1.4.1.57264.1.${last}`;
    }
  }
  return derOid(value, where);
}
