import { equalBytes } from '../bytes/byte-string.ts';
import {
  DER,
  type DerValue,
  derBitString,
  derChildren,
  derInteger,
  derSequence,
  derTime,
  expectTag,
  readDer,
} from '../bytes/der.ts';
import { decodePem } from '../bytes/pem.ts';
import type { SignatureAlgorithm } from '../crypto/algorithm.ts';
import { type PublicKey, parseSpki } from '../crypto/public-key.ts';
import { TrustFault } from '../fault/fault.ts';
import { parseSignatureIdentifier } from './algorithm-identifier.ts';
import {
  type Extension,
  parseExtensions,
  readStandardExtensions,
  type StandardExtensions,
} from './extensions.ts';
import { formatName, parseName } from './name.ts';

export type { Extension } from './extensions.ts';

/**
 * An X.509 certificate (RFC 5280 §4.1) that was read strictly and not yet checked against anything.
 * Byte fields are views into what was received.
 */
export interface Certificate extends StandardExtensions {
  readonly raw: Uint8Array;
  /** TBSCertificate: the bytes that the issuer signed. */
  readonly tbs: Uint8Array;
  readonly serial: bigint;
  /** DER of the issuer's Name; names are compared byte by byte. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** RFC 4514; the values are foreign: print them with `printable`. */
  readonly issuerText: string;
  readonly subjectText: string;
  readonly notBefore: Date;
  /** Inclusive (RFC 5280 §4.1.2.5). */
  readonly notAfter: Date;
  readonly publicKey: PublicKey;
  /** SubjectPublicKeyInfo as it stands in the certificate, for digests that are taken over it. */
  readonly publicKeyInfo: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  /** By object identifier. */
  readonly extensions: ReadonlyMap<string, Extension>;
}

const MAX_CERTIFICATE_BYTES = 64 * 1024;
const MAX_CERTIFICATES_IN_PEM = 64;

/**
 * Reads one DER certificate. Throws `x509.malformed`, `x509.limit` (over 64 KiB), `der.*`,
 * `crypto.key-unsupported`, `crypto.key-malformed` and `crypto.algorithm-unknown` (SHA-1 too).
 */
export function parseCertificate(der: Uint8Array, where: string): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new TrustFault('x509.limit', `the certificate at ${where} has ${der.length} bytes`);
  }
  // Views of a plain Uint8Array are several times cheaper than those of a Buffer.
  const bytes = new Uint8Array(der.buffer, der.byteOffset, der.length);
  const [tbs, outer, signature, ...rest] = derSequence(readDer(bytes, where), where);
  if (tbs === undefined || outer === undefined || rest.length > 0) {
    throw malformed(where, 'is not made of three parts');
  }
  const fields = parseTbs(tbs, where);
  // RFC 5280 §4.1.1.2: the identifier outside of the signed part equals the one inside.
  if (!equalBytes(outer.raw, fields.algorithm.raw)) {
    throw malformed(where, 'names two signature algorithms');
  }
  const { algorithm: _, ...certificate } = fields;
  return {
    raw: bytes,
    tbs: tbs.raw,
    ...certificate,
    signatureAlgorithm: parseSignatureIdentifier(outer, where),
    signature: derBitString(signature, where),
  };
}

type SignedFields = Omit<Certificate, 'raw' | 'tbs' | 'signatureAlgorithm' | 'signature'> & {
  readonly algorithm: DerValue;
};

/** TBSCertificate (RFC 5280 §4.1). */
function parseTbs(tbs: DerValue, where: string): SignedFields {
  const parts = derSequence(tbs, where);
  const version = parseVersion(parts[0], where);
  const at = version === 1 ? 0 : 1;
  const [serial, algorithm, issuer, validity, subject, keyInfo] = parts.slice(at, at + 6);
  const [notBefore, notAfter, ...more] = derSequence(validity, where);
  if (more.length > 0 || algorithm === undefined) throw malformed(where, 'has no validity');
  const issuerName = expectTag(issuer, DER.sequence, where).raw;
  const subjectName = expectTag(subject, DER.sequence, where).raw;
  const publicKeyInfo = expectTag(keyInfo, DER.sequence, where).raw;
  const extensions = parseTail(parts.slice(at + 6), version, where);
  return {
    algorithm,
    serial: parseSerial(serial, where),
    issuer: issuerName,
    subject: subjectName,
    issuerText: nameText(issuerName, where),
    subjectText: nameText(subjectName, where),
    notBefore: derTime(notBefore, where),
    notAfter: derTime(notAfter, where),
    publicKey: parseSpki(publicKeyInfo, where),
    publicKeyInfo,
    extensions,
    ...readStandardExtensions(extensions, where),
  };
}

function parseVersion(value: DerValue | undefined, where: string): 1 | 3 {
  if (value?.tag !== 0xa0) return 1;
  const [number, ...rest] = derChildren(value, where);
  // Version 1 is the default, which DER leaves out; version 2 was never used.
  if (rest.length > 0 || derInteger(number, where) !== 2n) {
    throw malformed(where, 'is of another version than 1 and 3');
  }
  return 3;
}

/** RFC 5280 §4.1.2.2: at most 20 octets, not negative. */
function parseSerial(value: DerValue | undefined, where: string): bigint {
  const serial = derInteger(value, where);
  if (serial < 0n || (value?.content.length ?? 0) > 20) {
    throw malformed(where, 'has a serial number that is negative or over 20 octets');
  }
  return serial;
}

/** The optional fields after the key: unique identifiers, then extensions, each at most once. */
function parseTail(
  tail: readonly DerValue[],
  version: 1 | 3,
  where: string,
): ReadonlyMap<string, Extension> {
  if (tail.length > 0 && version !== 3) {
    throw malformed(where, 'has extensions and is not of version 3');
  }
  let before = 0;
  let extensions: ReadonlyMap<string, Extension> = new Map();
  for (const field of tail) {
    if (![0x81, 0x82, 0xa3].includes(field.tag) || field.tag <= before) {
      throw malformed(where, 'has a field after its key that RFC 5280 does not know');
    }
    before = field.tag;
    if (field.tag !== 0xa3) continue;
    const [list, ...rest] = derChildren(field, where);
    if (list === undefined || rest.length > 0) throw malformed(where, 'has no list of extensions');
    extensions = parseExtensions(list, where);
  }
  return extensions;
}

const EMPTY_NAME_BYTES = 2;

function nameText(raw: Uint8Array, where: string): string {
  return raw.length === EMPTY_NAME_BYTES ? '' : formatName(parseName(raw, where));
}

/**
 * Every `CERTIFICATE` block of a PEM text, in order; empty when there is none. Throws as
 * `parseCertificate`, `bytes.pem`, and `x509.limit` above 64 blocks.
 */
export function parseCertificatesPem(text: string, where: string): readonly Certificate[] {
  const blocks = decodePem(text, where).filter((block) => block.label === 'CERTIFICATE');
  if (blocks.length > MAX_CERTIFICATES_IN_PEM) {
    throw new TrustFault('x509.limit', `${where} holds ${blocks.length} certificates`);
  }
  return blocks.map((block) => parseCertificate(block.bytes, where));
}

function malformed(where: string, what: string): TrustFault {
  return new TrustFault('x509.malformed', `the certificate at ${where} ${what}`);
}
