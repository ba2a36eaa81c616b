import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  writeBoolean,
  writeDer,
  writeInteger,
  writeOctetString,
  writeOid,
  writeSequence,
} from '@bulla/trust/bytes/der-writer';
import { encodePem } from '@bulla/trust/bytes/pem';
import { addressBytes } from '../address.ts';

/** A certificate to be written (RFC 5280 §4.1). */
export interface CertificateFields {
  /** The common name. */
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  /** ECDSA P-256, or RSA. */
  readonly issuerKey: KeyObject;
  readonly extensions: readonly Uint8Array[];
}

const ECDSA_SHA256 = writeSequence(writeOid('1.2.840.10045.4.3.2'));
// RFC 4055 §5: the parameters are NULL.
const RSA_SHA256 = writeSequence(writeOid('1.2.840.113549.1.1.11'), writeDer(0x05));
const FIRST_YEAR_OF_GENERALIZED_TIME = 2050;

/** The certificate in PEM, with a random serial number, signed with SHA-256. */
export function writeCertificatePem(fields: CertificateFields): string {
  const algorithm = fields.issuerKey.asymmetricKeyType === 'rsa' ? RSA_SHA256 : ECDSA_SHA256;
  const tbs = writeSequence(
    writeDer(0xa0, writeInteger(2)),
    // Positive, and 120 bits of chance (CA/Browser Forum BR §7.1 wants 64).
    writeInteger(BigInt(`0x01${randomBytes(15).toString('hex')}`)),
    algorithm,
    commonName(fields.issuer),
    writeSequence(writeTime(fields.notBefore), writeTime(fields.notAfter)),
    commonName(fields.subject),
    spkiOf(fields.publicKey),
    writeDer(0xa3, writeSequence(...fields.extensions)),
  );
  const signature = sign('sha256', tbs, fields.issuerKey);
  const certificate = writeSequence(tbs, algorithm, writeDer(0x03, Uint8Array.of(0), signature));
  return encodePem('CERTIFICATE', certificate);
}

function spkiOf(key: KeyObject): Uint8Array {
  return key.export({ format: 'der', type: 'spki' });
}

function commonName(text: string): Uint8Array {
  const attribute = writeSequence(writeOid('2.5.4.3'), writeDer(0x0c, Buffer.from(text)));
  return writeSequence(writeDer(0x31, attribute));
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. */
function writeTime(at: Date): Uint8Array {
  const digits = at.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return at.getUTCFullYear() < FIRST_YEAR_OF_GENERALIZED_TIME
    ? writeDer(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : writeDer(0x18, Buffer.from(`${digits}Z`));
}

function extension(oid: string, value: Uint8Array, critical = false): Uint8Array {
  const flag = critical ? [writeBoolean(true)] : [];
  return writeSequence(writeOid(oid), ...flag, writeOctetString(value));
}

/** RFC 5280 §4.2.1.2, method 1, with SHA-256 cut to 160 bits (RFC 7093 §2). */
function keyId(key: KeyObject): Uint8Array {
  return createHash('sha256').update(spkiOf(key)).digest().subarray(0, 20);
}

function generalName(name: string): Uint8Array {
  const bytes = addressBytes(name);
  return bytes === null ? writeDer(0x82, Buffer.from(name)) : writeDer(0x87, bytes);
}

/** A permitted subtree: a name with all below it, or exactly one address. */
function subtree(name: string): Uint8Array {
  const bytes = addressBytes(name);
  if (bytes === null) return writeSequence(writeDer(0x82, Buffer.from(name)));
  const mask = new Uint8Array(bytes.length).fill(0xff);
  return writeSequence(writeDer(0x87, bytes, mask));
}

/** Extensions of a CA that signs leaves for `names` and nothing else. */
export function authorityExtensions(
  key: KeyObject,
  names: readonly string[],
): readonly Uint8Array[] {
  return [
    extension('2.5.29.19', writeSequence(writeBoolean(true), writeInteger(0)), true),
    // keyCertSign and cRLSign.
    extension('2.5.29.15', Uint8Array.of(0x03, 0x02, 0x01, 0x06), true),
    extension('2.5.29.14', writeOctetString(keyId(key))),
    extension('2.5.29.30', nameConstraints(names), true),
  ];
}

/** The value of a NameConstraints extension that permits `names` alone (RFC 5280 §4.2.1.10). */
export function nameConstraints(names: readonly string[]): Uint8Array {
  return writeSequence(writeDer(0xa0, ...names.map(subtree)));
}

/** Extensions of a server's certificate for `names`. */
export function serverExtensions(
  key: KeyObject,
  issuerKey: KeyObject,
  names: readonly string[],
): readonly Uint8Array[] {
  return [
    extension('2.5.29.19', writeSequence(), true),
    // digitalSignature.
    extension('2.5.29.15', Uint8Array.of(0x03, 0x02, 0x07, 0x80), true),
    extension('2.5.29.37', writeSequence(writeOid('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', writeSequence(...names.map(generalName))),
    extension('2.5.29.14', writeOctetString(keyId(key))),
    extension('2.5.29.35', writeSequence(writeDer(0x80, keyId(issuerKey)))),
  ];
}
