import { concat } from '../bytes/byte-string.ts';
import {
  DER,
  type DerValue,
  derChildren,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  expectTag,
} from '../bytes/der.ts';
import type { HashName } from '../bytes/hash.ts';
import { ALGORITHMS, type SignatureAlgorithm } from '../crypto/algorithm.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { parseDigestIdentifier, parseSignatureIdentifier } from './algorithm-identifier.ts';

/** How a SignerInfo names its signer's certificate (RFC 5652 §5.3). */
export type SignerId =
  | { readonly kind: 'issuer-and-serial'; readonly issuer: Uint8Array; readonly serial: bigint }
  | { readonly kind: 'subject-key-id'; readonly keyId: Uint8Array };

/** The one signer of a SignedData. */
export interface SignerInfo {
  readonly id: SignerId;
  readonly digest: HashName;
  /** Values of the signed attributes by object identifier. */
  readonly attributes: ReadonlyMap<string, readonly DerValue[]>;
  /** The signed attributes as they were signed: tagged as a SET (RFC 5652 §5.4). */
  readonly signedBytes: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/** A CMS SignedData with one signer and signed attributes, as RFC 3161 tokens are. */
export interface SignedData {
  /** Object identifier of the content's type. */
  readonly contentType: string;
  readonly content: Uint8Array;
  /** DER of each embedded certificate, not parsed: they are not signed and may be anything. */
  readonly certificates: readonly Uint8Array[];
  readonly signer: SignerInfo;
}

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
const MAX_CERTIFICATES = 16;

/**
 * Reads a ContentInfo that holds a SignedData (RFC 5652 §3, §5). Throws `x509.cms-malformed`,
 * `x509.malformed`, `der.*`, `x509.limit` (over 16 certificates) and `crypto.algorithm-unknown`
 * (SHA-1 too). What is outside of the signed attributes is not signed: trust none of it.
 */
export function parseSignedData(contentInfo: DerValue, where: string): SignedData {
  const [type, wrapped, ...rest] = derSequence(contentInfo, where);
  const oid = derOid(type, where);
  if (oid !== SIGNED_DATA || rest.length > 0) throw malformed(where, `content of type ${oid}`);
  const fields = derSequence(only(wrapped, 0xa0, where), where);
  const [version, digests, encapsulated] = fields;
  // RFC 5652 §5.1: version 3 when the content is of another type than id-data.
  if (derInteger(version, where) !== 3n) throw malformed(where, 'another version than 3');
  const tail = fields.slice(3);
  const certificates = tail[0]?.tag === 0xa0 ? parseCertificates(tail.shift(), where) : [];
  // Revocation lists may come along; they are not what revocation is judged by.
  if (tail[0]?.tag === 0xa1) tail.shift();
  const [signers, ...more] = tail;
  const [signer, ...others] = derSet(signers, where);
  if (more.length > 0 || signer === undefined || others.length > 0) {
    throw malformed(where, 'not exactly one signer');
  }
  const info = parseSignerInfo(signer, where);
  const named = derSet(digests, where).map((digest) => parseDigestIdentifier(digest, where).hash);
  if (!named.includes(info.digest)) throw malformed(where, 'a digest that its list does not name');
  return { ...parseEncapsulated(encapsulated, where), certificates, signer: info };
}

function parseEncapsulated(
  value: DerValue | undefined,
  where: string,
): Pick<SignedData, 'contentType' | 'content'> {
  const [type, wrapped, ...rest] = derSequence(value, where);
  if (rest.length > 0) throw malformed(where, 'content in several parts');
  const content = derOctetString(only(wrapped, 0xa0, where), where);
  return { contentType: derOid(type, where), content };
}

function parseCertificates(set: DerValue | undefined, where: string): readonly Uint8Array[] {
  const certificates = set === undefined ? [] : derChildren(set, where);
  if (certificates.length > MAX_CERTIFICATES) {
    throw new TrustFault('x509.limit', `${where} holds ${certificates.length} certificates`);
  }
  return certificates.map((certificate) => expectTag(certificate, DER.sequence, where).raw);
}

/** SignerInfo (RFC 5652 §5.3). */
function parseSignerInfo(value: DerValue, where: string): SignerInfo {
  const [version, sid, digest, attributes, algorithm, signature, ...rest] = derSequence(
    value,
    where,
  );
  const id = parseSignerId(sid, where);
  const expected = id.kind === 'issuer-and-serial' ? 1n : 3n;
  if (derInteger(version, where) !== expected) throw malformed(where, 'a signer of wrong version');
  if (rest.length > 1 || (rest[0] !== undefined && rest[0].tag !== 0xa1)) {
    throw malformed(where, 'a signer with fields that RFC 5652 does not know');
  }
  const { hash, oid } = parseDigestIdentifier(digest, where);
  if (hash === null) {
    throw new TrustFault('crypto.algorithm-unknown', `the digest at ${where} is ${quote(oid)}`);
  }
  // RFC 5652 §5.3: signed attributes are there when the content is of another type than id-data.
  const signed = expectTag(attributes, 0xa0, where);
  return {
    id,
    digest: hash,
    attributes: parseAttributes(signed, where),
    signedBytes: concat(Uint8Array.of(DER.set), signed.raw.subarray(1)),
    algorithm: parseAlgorithm(algorithm, hash, where),
    signature: derOctetString(signature, where),
  };
}

function parseSignerId(sid: DerValue | undefined, where: string): SignerId {
  if (sid?.tag === 0x80) return { kind: 'subject-key-id', keyId: sid.content };
  const [issuer, serial, ...rest] = derSequence(sid, where);
  if (rest.length > 0) throw malformed(where, 'a signer that is not named by issuer and serial');
  const name = expectTag(issuer, DER.sequence, where).raw;
  return { kind: 'issuer-and-serial', issuer: name, serial: derInteger(serial, where) };
}

/** Each attribute once, with at least one value (RFC 5652 §5.3). */
function parseAttributes(list: DerValue, where: string): ReadonlyMap<string, readonly DerValue[]> {
  const attributes = new Map<string, readonly DerValue[]>();
  for (const child of derChildren(list, where)) {
    const [type, set, ...rest] = derSequence(child, where);
    const oid = derOid(type, where);
    const values = derSet(set, where);
    if (rest.length > 0 || values.length === 0 || attributes.has(oid)) {
      throw malformed(where, `attribute ${oid} twice or without a value`);
    }
    attributes.set(oid, values);
  }
  return attributes;
}

/** RFC 5754 §3.2: `rsaEncryption` means PKCS#1 v1.5 with the signer's digest. */
function parseAlgorithm(
  value: DerValue | undefined,
  hash: HashName,
  where: string,
): SignatureAlgorithm {
  const [type] = derSequence(value, where);
  if (derOid(type, where) !== RSA_ENCRYPTION) return parseSignatureIdentifier(value, where);
  parseDigestIdentifier(value, where);
  return ALGORITHMS[`rsa-pkcs1v15-${hash}`];
}

function only(value: DerValue | undefined, tag: number, where: string): DerValue {
  const [inner, ...rest] = derChildren(expectTag(value, tag, where), where);
  if (inner === undefined || rest.length > 0) throw malformed(where, 'not one value in a tag');
  return inner;
}

function malformed(where: string, what: string): TrustFault {
  return new TrustFault('x509.cms-malformed', `the CMS at ${where} has ${what}`);
}
