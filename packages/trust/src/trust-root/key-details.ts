import { ALGORITHMS, algorithmOfKeyDetails, type SignatureAlgorithm } from '../crypto/algorithm.ts';
import { type PublicKey, parsePkcs1PublicKey, parseSpki } from '../crypto/public-key.ts';
import { algorithmFitsKey } from '../crypto/verify-signature.ts';
import { TrustFault } from '../fault/fault.ts';

/** `PublicKeyDetails` names that are deprecated and still in trust roots (sigstore_common.proto). */
const LEGACY: ReadonlyMap<string, SignatureAlgorithm> = new Map<string, SignatureAlgorithm>([
  ['PKCS1_RSA_PKCS1V5', ALGORITHMS['rsa-pkcs1v15-sha256']],
  ['PKCS1_RSA_PSS', ALGORITHMS['rsa-pss-sha256']],
  ['PKIX_RSA_PKCS1V5', ALGORITHMS['rsa-pkcs1v15-sha256']],
  ['PKIX_RSA_PSS', ALGORITHMS['rsa-pss-sha256']],
  ['PKIX_ECDSA_P256_HMAC_SHA_256', ALGORITHMS['ecdsa-sha256']],
  ['PKIX_ECDSA_P384_SHA_256', ALGORITHMS['ecdsa-sha256']],
  ['PKIX_ECDSA_P521_SHA_256', ALGORITHMS['ecdsa-sha256']],
]);

/** The algorithm of a `PublicKeyDetails` name, legacy ones too; null for one that is not known. */
export function algorithmOf(details: string): SignatureAlgorithm | null {
  return algorithmOfKeyDetails(details) ?? LEGACY.get(details) ?? null;
}

/**
 * The key in `raw`, in the encoding that its details name. Throws `crypto.key-malformed`,
 * `crypto.key-unsupported`, and `crypto.algorithm-mismatch` when the key is of another kind.
 */
export function keyOf(
  raw: Uint8Array,
  details: string,
  algorithm: SignatureAlgorithm,
  where: string,
): PublicKey {
  const key = details.startsWith('PKCS1_')
    ? parsePkcs1PublicKey(raw, where)
    : parseSpki(raw, where);
  const [, curve] = /_(P256|P384|P521)_/.exec(details) ?? [];
  const fits = curve === undefined || key.kind === `ecdsa-${curve.toLowerCase()}`;
  if (!fits || !algorithmFitsKey(algorithm, key)) {
    const says = `expected a key for ${details} at ${where}, found ${key.kind}`;
    throw new TrustFault('crypto.algorithm-mismatch', says);
  }
  return key;
}
