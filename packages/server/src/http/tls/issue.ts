import { generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { equalBytes } from '@bulla/trust/bytes/byte-string';
import { parseCertificate } from '@bulla/trust/x509/certificate';
import { addressBytes } from '../address.ts';
import {
  authorityExtensions,
  nameConstraints,
  serverExtensions,
  writeCertificatePem,
} from './certificate-writer.ts';

/** A certificate with its key. */
export interface Pair {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** ECDSA P-256, or RSA of 3072 bits. */
export type KeyType = 'ecdsa' | 'rsa';

/** What is issued. */
export interface Wanted {
  /** The common name; of an authority its beginning, made unlike every other by a number. */
  readonly subject: string;
  readonly names: readonly string[];
  readonly at: Date;
  readonly days: number;
  readonly keyType: KeyType;
}

const DAY_MS = 24 * 3600_000;
// Clocks of clients run behind.
const BACKDATE_MS = 5 * 60_000;

/** A new authority, which can vouch for `names` and nothing else. */
export function issueAuthority({ subject, names, at, days, keyType }: Wanted): Pair {
  const { publicKey, privateKey } = makeKeys(keyType);
  // Two CAs of one name would be taken for one another where both are trusted.
  const name = `${subject} ${randomBytes(4).toString('hex')}`;
  const text = writeCertificatePem({
    subject: name,
    issuer: name,
    ...periodOf(at, days),
    publicKey,
    issuerKey: privateKey,
    extensions: authorityExtensions(publicKey, names),
  });
  return { certificate: new X509Certificate(text), key: privateKey };
}

/** A server's certificate by `authority`, which it never outlives. */
export function issueServer(authority: Pair, wanted: Wanted): Pair {
  const { subject, names, at, days, keyType } = wanted;
  const { publicKey, privateKey } = makeKeys(keyType);
  const period = periodOf(at, days);
  const last = authority.certificate.validToDate.getTime();
  const text = writeCertificatePem({
    subject,
    issuer: commonNameOf(authority.certificate),
    notBefore: period.notBefore,
    notAfter: new Date(Math.min(period.notAfter.getTime(), last)),
    publicKey,
    issuerKey: authority.key,
    extensions: serverExtensions(publicKey, authority.certificate.publicKey, names),
  });
  return { certificate: new X509Certificate(text), key: privateKey };
}

/** Days until the certificate ends; 0 for one that is not valid yet. */
export function daysLeft({ certificate }: Pick<Pair, 'certificate'>, at: Date): number {
  if (at < certificate.validFromDate) return 0;
  return (certificate.validToDate.getTime() - at.getTime()) / DAY_MS;
}

/** Whether the certificate is an authority's that can vouch for exactly these names. */
export function vouchesFor(
  { certificate }: Pick<Pair, 'certificate'>,
  names: readonly string[],
): boolean {
  const { extensions, isCa } = parseCertificate(certificate.raw, 'the local CA');
  const constraint = extensions.get('2.5.29.30')?.value;
  return isCa && constraint !== undefined && equalBytes(constraint, nameConstraints(names));
}

/** Whether `authority` signed the certificate, and it is for each of the names. */
export function isIssuedFor(
  { certificate }: Pick<Pair, 'certificate'>,
  authority: Pick<Pair, 'certificate'>,
  names: readonly string[],
): boolean {
  const issued = certificate.checkIssued(authority.certificate);
  if (!issued || !certificate.verify(authority.certificate.publicKey)) return false;
  return names.every((name) =>
    addressBytes(name) === null ? certificate.checkHost(name) : certificate.checkIP(name),
  );
}

function makeKeys(keyType: KeyType) {
  return keyType === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 3072 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function commonNameOf({ subject }: X509Certificate): string {
  return subject.replace(/^CN=/, '');
}

function periodOf(at: Date, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const from = at.getTime();
  return { notBefore: new Date(from - BACKDATE_MS), notAfter: new Date(from + days * DAY_MS) };
}
