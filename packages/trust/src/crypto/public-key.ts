import { createPublicKey, type KeyObject } from 'node:crypto';
import { derSequence, readDer } from '../bytes/der.ts';
import { writeNull, writeOid, writeSequence } from '../bytes/der-writer.ts';
import { digestOf } from '../bytes/hash.ts';
import { encodeHex } from '../bytes/hex.ts';
import { decodePem, encodePem } from '../bytes/pem.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import type { KeyKind } from './algorithm.ts';

/** A public key that was parsed and found acceptable. */
export interface PublicKey {
  readonly kind: KeyKind;
  /**
   * SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7) in one spelling: a named curve with an
   * uncompressed point, `rsaEncryption` for every RSA key. One key has one id (semantics 8).
   */
  readonly spki: Uint8Array;
  /** Lower-case hex of SHA-256 over `spki`: the identity of the key everywhere in Bulla. */
  readonly id: string;
  readonly object: KeyObject;
}

const CURVES = {
  prime256v1: 'ecdsa-p256',
  secp384r1: 'ecdsa-p384',
  secp521r1: 'ecdsa-p521',
} as const satisfies Record<string, KeyKind>;

function kindOf(object: KeyObject): KeyKind | null {
  const details = object.asymmetricKeyDetails;
  switch (object.asymmetricKeyType) {
    case 'ed25519':
      return 'ed25519';
    case 'ec':
      for (const [curve, kind] of Object.entries(CURVES)) {
        if (curve === details?.namedCurve) return kind;
      }
      return null;
    case 'rsa':
    case 'rsa-pss':
      return rsaKind(details?.modulusLength ?? 0, details?.publicExponent ?? 0n);
    default:
      return null;
  }
}

function rsaKind(bits: number, exponent: bigint): KeyKind | null {
  // An exponent below 65537 makes signature forgery attacks on sloppy padding practical.
  if (exponent < 65537n || exponent % 2n === 0n) return null;
  if (bits < 2048 || bits > 4096) return null;
  return bits < 3072 ? 'rsa-2048' : bits < 4096 ? 'rsa-3072' : 'rsa-4096';
}

/**
 * `object` as a checked public key. Throws `crypto.key-unsupported` for other curves, for RSA
 * outside of 2048 to 4096 bits or with an exponent below 65537, and for other kinds;
 * `crypto.key-malformed` for one that OpenSSL reads and cannot write again.
 */
export function publicKeyOf(object: KeyObject, where: string): PublicKey {
  const kind = kindOf(object);
  if (kind === null) {
    const found = `${object.asymmetricKeyType} ${
      object.asymmetricKeyDetails?.namedCurve ?? object.asymmetricKeyDetails?.modulusLength ?? ''
    }`.trim();
    throw new TrustFault('crypto.key-unsupported', `the key at ${where} is ${quote(found)}`);
  }
  try {
    const canonical = canonicalKey(object, kind);
    const spki = canonicalSpki(canonical);
    return { kind, spki, id: encodeHex(digestOf('sha256', spki)), object: canonical };
  } catch (cause) {
    // A PSS key with a negative salt length, for one.
    throw new TrustFault('crypto.key-malformed', `the key at ${where} is damaged`, undefined, {
      cause,
    });
  }
}

/** Lengths of an EC SubjectPublicKeyInfo with a named curve, and of the uncompressed point in it. */
const EC_SIZES: Readonly<
  Partial<Record<KeyKind, { readonly spki: number; readonly point: number }>>
> = {
  'ecdsa-p256': { spki: 91, point: 65 },
  'ecdsa-p384': { spki: 120, point: 97 },
  'ecdsa-p521': { spki: 158, point: 133 },
};

/** RFC 5480 §2.2: an EC point may be compressed; OpenSSL keeps that, and explicit curves, as read. */
function canonicalKey(object: KeyObject, kind: KeyKind): KeyObject {
  const sizes = EC_SIZES[kind];
  if (sizes === undefined) return object;
  const spki = object.export({ format: 'der', type: 'spki' });
  if (spki.length === sizes.spki && spki.at(-sizes.point) === 0x04) return object;
  return createPublicKey({ key: object.export({ format: 'jwk' }), format: 'jwk' });
}

function canonicalSpki(object: KeyObject): Uint8Array {
  const spki = object.export({ format: 'der', type: 'spki' });
  if (object.asymmetricKeyType !== 'rsa-pss') return spki;
  // RFC 4055 §1.2: the same modulus may be bound to PSS; it is still the same key. The object
  // keeps that bond.
  const [, bits] = derSequence(readDer(spki, 'an RSA key'), 'an RSA key');
  const rsaEncryption = writeSequence(writeOid('1.2.840.113549.1.1.1'), writeNull());
  return bits === undefined ? spki : writeSequence(rsaEncryption, bits.raw);
}

/** What a canonical SubjectPublicKeyInfo begins with, up to the point itself (RFC 5480, RFC 8410). */
const CANONICAL_HEADS = (
  [
    ['ecdsa-p256', '3059301306072a8648ce3d020106082a8648ce3d03010703420004', 91],
    ['ecdsa-p384', '3076301006072a8648ce3d020106052b8104002203620004', 120],
    ['ecdsa-p521', '30819b301006072a8648ce3d020106052b810400230381860004', 158],
    ['ed25519', '302a300506032b6570032100', 44],
  ] as const satisfies readonly (readonly [KeyKind, string, number])[]
).map(([kind, head, length]) => ({ kind, head: Buffer.from(head, 'hex'), length }));

/** The kind of a key whose encoding is canonical as it stands; null when that must be looked into. */
function canonicalKind(der: Uint8Array): KeyKind | null {
  const found = CANONICAL_HEADS.find(
    ({ head, length }) => der.length === length && head.compare(der.subarray(0, head.length)) === 0,
  );
  return found?.kind ?? null;
}

/** The key of a DER SubjectPublicKeyInfo. Throws `crypto.key-malformed`, `crypto.key-unsupported`. */
export function parseSpki(der: Uint8Array, where: string): PublicKey {
  const object = readSpki(der, where);
  // Re-encoding costs as much as reading: nearly all keys come in the canonical form already.
  const kind = canonicalKind(der);
  if (kind === null) return publicKeyOf(object, where);
  const spki = Uint8Array.from(der);
  return { kind, spki, id: encodeHex(digestOf('sha256', spki)), object };
}

function readSpki(der: Uint8Array, where: string): KeyObject {
  try {
    // As a text: for a key among options Node first asks, by catching exceptions, whether it is an
    // object of its own, which takes several times as long as reading it.
    return createPublicKey(encodePem('PUBLIC KEY', der));
  } catch (cause) {
    throw new TrustFault(
      'crypto.key-malformed',
      `expected a SubjectPublicKeyInfo in DER at ${where}`,
      undefined,
      { cause },
    );
  }
}

/** The key of a DER PKCS#1 RSAPublicKey (RFC 8017 §A.1.1). Throws as `parseSpki`. */
export function parsePkcs1PublicKey(der: Uint8Array, where: string): PublicKey {
  let object: KeyObject;
  try {
    object = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'pkcs1' });
  } catch (cause) {
    throw new TrustFault('crypto.key-malformed', `expected an RSA key at ${where}`, undefined, {
      cause,
    });
  }
  return publicKeyOf(object, where);
}

/**
 * The first public key of a PEM text: `PUBLIC KEY`, `RSA PUBLIC KEY`, or the key inside a
 * `CERTIFICATE`. Throws `crypto.key-malformed` when there is none, or a private key instead.
 */
export function parsePublicKeyPem(text: string, where: string): PublicKey {
  for (const { label, bytes } of decodePem(text, where)) {
    if (label === 'PUBLIC KEY') return parseSpki(bytes, where);
    if (label === 'RSA PUBLIC KEY') return parsePkcs1PublicKey(bytes, where);
    if (label === 'CERTIFICATE') return certificateKey(bytes, where);
    if (label.includes('PRIVATE KEY')) {
      throw new TrustFault(
        'crypto.key-malformed',
        `expected a public key at ${where}, found a private key`,
        'Give the public key: `bulla key public --key FILE` prints it.',
      );
    }
  }
  throw new TrustFault('crypto.key-malformed', `expected a PEM public key at ${where}`);
}

function certificateKey(der: Uint8Array, where: string): PublicKey {
  try {
    const pem = encodePem('CERTIFICATE', der);
    return publicKeyOf(createPublicKey(pem), where);
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    throw new TrustFault('crypto.key-malformed', `expected a certificate at ${where}`, undefined, {
      cause,
    });
  }
}

/** The key as a `PUBLIC KEY` PEM block. */
export function publicKeyPem(key: PublicKey): string {
  return encodePem('PUBLIC KEY', key.spki);
}
