import { constants, type KeyObject, verify } from 'node:crypto';
import type { SignatureAlgorithm } from './algorithm.ts';
import { verifyEd25519ph } from './ed25519ph.ts';
import type { PublicKey } from './public-key.ts';

/** How ECDSA signatures are written: DER (X.509, Sigstore) or raw r‖s (JOSE, COSE, Notary v1). */
export type EcdsaEncoding = 'der' | 'p1363';

function familyOf(key: PublicKey): SignatureAlgorithm['family'] {
  if (key.kind === 'ed25519') return 'ed25519';
  return key.kind.startsWith('rsa-') ? 'rsa' : 'ecdsa';
}

/** Whether a key of this kind can have made a signature of this algorithm. */
export function algorithmFitsKey(algorithm: SignatureAlgorithm, key: PublicKey): boolean {
  if (familyOf(key) !== algorithm.family) return false;
  // RFC 4055 §1.2: a key of type id-RSASSA-PSS signs by PSS only.
  if (algorithm.scheme !== 'rsa-pkcs1v15') return true;
  return key.object.asymmetricKeyType !== 'rsa-pss';
}

/**
 * Whether `signature` was made over `message` by `key` with exactly `algorithm`. Never throws for
 * bytes: a malformed signature is false. PSS salts are as long as the digest (RFC 8017 §9.1);
 * ECDSA signatures in DER must be strict (`30 len 02 r 02 s`, shortest form, nothing after).
 */
export async function verifySignature(
  key: PublicKey,
  algorithm: SignatureAlgorithm,
  message: Uint8Array,
  signature: Uint8Array,
  encoding: EcdsaEncoding = 'der',
): Promise<boolean> {
  if (!algorithmFitsKey(algorithm, key)) return false;
  switch (algorithm.scheme) {
    // A bare KeyObject means DER and PKCS#1 v1.5, and is 20 µs faster than one among options.
    case 'ecdsa':
      if (encoding === 'der') {
        return isStrictEcdsaDer(signature) && check(algorithm.hash, message, signature, key.object);
      }
      return check(algorithm.hash, message, signature, {
        key: key.object,
        dsaEncoding: 'ieee-p1363',
      });
    case 'rsa-pkcs1v15':
      return check(algorithm.hash, message, signature, key.object);
    case 'rsa-pss':
      return check(algorithm.hash, message, signature, {
        key: key.object,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case 'ed25519':
      return check(null, message, signature, key.object);
    case 'ed25519ph':
      return verifyEd25519ph(key.spki.subarray(-32), message, signature);
    default:
      return algorithm.scheme satisfies never;
  }
}

interface VerifyKey {
  readonly key: KeyObject;
  readonly dsaEncoding?: 'der' | 'ieee-p1363';
  readonly padding?: number;
  readonly saltLength?: number;
}

function check(
  hash: string | null,
  message: Uint8Array,
  signature: Uint8Array,
  key: KeyObject | VerifyKey,
): boolean {
  try {
    return verify(hash, message, key, signature);
  } catch {
    // OpenSSL reports some malformed signatures as errors; they are simply not valid.
    return false;
  }
}

/** Whether bytes are a strict ECDSA-Sig-Value: OpenSSL tolerates some BER, we refuse a second spelling. */
export function isStrictEcdsaDer(signature: Uint8Array): boolean {
  const length = signature[1];
  if (signature[0] !== 0x30 || length === undefined || signature.length < 3) return false;
  // Only P-521 needs a long-form length, of one octet.
  const long = length === 0x81;
  const body = signature.subarray(long ? 3 : 2);
  const declared = long ? signature[2] : length;
  if (declared === undefined || declared !== body.length) return false;
  if (declared >= 0x80 !== long) return false;
  const afterR = strictInteger(body, 0);
  return afterR !== null && strictInteger(body, afterR) === body.length;
}

function strictInteger(bytes: Uint8Array, at: number): number | null {
  const length = bytes[at + 1];
  const first = bytes[at + 2];
  if (bytes[at] !== 0x02 || length === undefined || first === undefined) return null;
  if (length === 0 || length > 0x7f || first >= 0x80) return null;
  if (first === 0 && length > 1 && (bytes[at + 3] ?? 0) < 0x80) return null;
  return at + 2 + length;
}
