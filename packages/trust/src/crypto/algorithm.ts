import type { HashName } from '../bytes/hash.ts';

/** The kinds of keys, with the parameter that their algorithm depends on. */
export type KeyKind =
  | 'ecdsa-p256'
  | 'ecdsa-p384'
  | 'ecdsa-p521'
  | 'rsa-2048'
  | 'rsa-3072'
  | 'rsa-4096'
  | 'ed25519';

/** One way of signing: what is hashed how, and how the signature is written. */
export interface SignatureAlgorithm {
  readonly name: AlgorithmName;
  /** The key family that can make it. */
  readonly family: 'ecdsa' | 'rsa' | 'ed25519';
  /** The digest of the message; null where the scheme takes the message whole (pure Ed25519). */
  readonly hash: HashName | null;
  /** RSA padding, or whether Ed25519 pre-hashes; ECDSA has none. */
  readonly scheme: 'ecdsa' | 'rsa-pkcs1v15' | 'rsa-pss' | 'ed25519' | 'ed25519ph';
}

/** Names of the table; ECDSA's curve is the key's, its hash is the algorithm's. */
export type AlgorithmName =
  | 'ecdsa-sha256'
  | 'ecdsa-sha384'
  | 'ecdsa-sha512'
  | 'rsa-pkcs1v15-sha256'
  | 'rsa-pkcs1v15-sha384'
  | 'rsa-pkcs1v15-sha512'
  | 'rsa-pss-sha256'
  | 'rsa-pss-sha384'
  | 'rsa-pss-sha512'
  | 'ed25519'
  | 'ed25519ph';

/** The one table of signature algorithms. */
export const ALGORITHMS: Readonly<Record<AlgorithmName, SignatureAlgorithm>> = {
  'ecdsa-sha256': { name: 'ecdsa-sha256', family: 'ecdsa', hash: 'sha256', scheme: 'ecdsa' },
  'ecdsa-sha384': { name: 'ecdsa-sha384', family: 'ecdsa', hash: 'sha384', scheme: 'ecdsa' },
  'ecdsa-sha512': { name: 'ecdsa-sha512', family: 'ecdsa', hash: 'sha512', scheme: 'ecdsa' },
  'rsa-pkcs1v15-sha256': {
    name: 'rsa-pkcs1v15-sha256',
    family: 'rsa',
    hash: 'sha256',
    scheme: 'rsa-pkcs1v15',
  },
  'rsa-pkcs1v15-sha384': {
    name: 'rsa-pkcs1v15-sha384',
    family: 'rsa',
    hash: 'sha384',
    scheme: 'rsa-pkcs1v15',
  },
  'rsa-pkcs1v15-sha512': {
    name: 'rsa-pkcs1v15-sha512',
    family: 'rsa',
    hash: 'sha512',
    scheme: 'rsa-pkcs1v15',
  },
  'rsa-pss-sha256': { name: 'rsa-pss-sha256', family: 'rsa', hash: 'sha256', scheme: 'rsa-pss' },
  'rsa-pss-sha384': { name: 'rsa-pss-sha384', family: 'rsa', hash: 'sha384', scheme: 'rsa-pss' },
  'rsa-pss-sha512': { name: 'rsa-pss-sha512', family: 'rsa', hash: 'sha512', scheme: 'rsa-pss' },
  ed25519: { name: 'ed25519', family: 'ed25519', hash: null, scheme: 'ed25519' },
  ed25519ph: { name: 'ed25519ph', family: 'ed25519', hash: 'sha512', scheme: 'ed25519ph' },
};

/**
 * How Sigstore's tools sign with a key of each kind by default, first, and what else they have
 * written with it (sigstore algorithm registry). A verifier tries them in this order; each binds
 * the message as strongly as the key.
 */
export const SIGSTORE_ALGORITHMS: Readonly<
  Record<KeyKind, readonly [AlgorithmName, ...AlgorithmName[]]>
> = {
  'ecdsa-p256': ['ecdsa-sha256'],
  'ecdsa-p384': ['ecdsa-sha384', 'ecdsa-sha256'],
  'ecdsa-p521': ['ecdsa-sha512', 'ecdsa-sha256'],
  'rsa-2048': ['rsa-pkcs1v15-sha256'],
  'rsa-3072': ['rsa-pkcs1v15-sha256'],
  'rsa-4096': ['rsa-pkcs1v15-sha256'],
  ed25519: ['ed25519', 'ed25519ph'],
};

/** Protobuf names of `PublicKeyDetails` (sigstore_common.proto) that trust roots and logs write. */
export const KEY_DETAILS: Readonly<Record<string, AlgorithmName>> = {
  PKIX_ECDSA_P256_SHA_256: 'ecdsa-sha256',
  PKIX_ECDSA_P384_SHA_384: 'ecdsa-sha384',
  PKIX_ECDSA_P521_SHA_512: 'ecdsa-sha512',
  PKIX_RSA_PKCS1V15_2048_SHA256: 'rsa-pkcs1v15-sha256',
  PKIX_RSA_PKCS1V15_3072_SHA256: 'rsa-pkcs1v15-sha256',
  PKIX_RSA_PKCS1V15_4096_SHA256: 'rsa-pkcs1v15-sha256',
  PKIX_RSA_PSS_2048_SHA256: 'rsa-pss-sha256',
  PKIX_RSA_PSS_3072_SHA256: 'rsa-pss-sha256',
  PKIX_RSA_PSS_4096_SHA256: 'rsa-pss-sha256',
  PKIX_ED25519: 'ed25519',
  PKIX_ED25519_PH: 'ed25519ph',
};

/** The algorithm of a protobuf `PublicKeyDetails` name, or null for one that Bulla does not know. */
export function algorithmOfKeyDetails(details: string): SignatureAlgorithm | null {
  for (const [name, algorithm] of Object.entries(KEY_DETAILS)) {
    if (name === details) return ALGORITHMS[algorithm];
  }
  return null;
}

/** The protobuf `PublicKeyDetails` name under which a key of `kind` signs with `algorithm`. */
export function keyDetailsOf(kind: KeyKind, algorithm: AlgorithmName): string | null {
  const size = kind.startsWith('rsa-') ? `_${kind.slice(4)}_` : '';
  for (const [name, candidate] of Object.entries(KEY_DETAILS)) {
    if (candidate === algorithm && name.includes(size)) return name;
  }
  return null;
}
