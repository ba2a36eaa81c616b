import { type DerValue, derOid } from '../bytes/der.ts';
import { writeOid } from '../bytes/der-writer.ts';

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

function octets(content: Uint8Array): string {
  return String.fromCharCode(...content);
}

function contentOf(dotted: string): string {
  // Every identifier here is shorter than 128 octets: two octets of header.
  return octets(writeOid(dotted).subarray(2));
}

// A Fulcio certificate has some 25 extensions; looking their names up is ten times as fast as
// decoding the arcs.
const KNOWN = new Map(
  [
    ...Object.values(OID),
    ...Array.from({ length: 24 }, (_, at) => `1.3.6.1.4.1.57264.1.${at + 1}`),
  ].map((dotted) => [contentOf(dotted), dotted] as const),
);

/** Dotted form of an OBJECT IDENTIFIER, the usual ones from a table. Throws `der.malformed`. */
export function readOid(value: DerValue | undefined, where: string): string {
  if (value?.tag === 0x06 && value.content.length <= 16) {
    const known = KNOWN.get(octets(value.content));
    if (known !== undefined) return known;
  }
  return derOid(value, where);
}
