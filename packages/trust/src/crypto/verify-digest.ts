import { constants, publicDecrypt } from 'node:crypto';
import { equalBytes } from '../bytes/byte-string.ts';
import { writeNull, writeOctetString, writeOid, writeSequence } from '../bytes/der-writer.ts';
import type { HashName } from '../bytes/hash.ts';
import type { SignatureAlgorithm } from './algorithm.ts';
import type { PublicKey } from './public-key.ts';
import { algorithmFitsKey, isStrictEcdsaDer } from './verify-signature.ts';

const HASH_OIDS = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const satisfies Record<HashName, string>;

const DIGEST_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const satisfies Record<
  HashName,
  number
>;

/**
 * Whether `signature` was made over a message whose digest is `digest`, for callers that have the
 * digest only. Null when the algorithm cannot be checked that way (Ed25519 signs the message
 * itself; RSA-PSS and Ed25519ph are not offered) or when the digest has another length than its.
 */
export async function verifyDigestSignature(
  key: PublicKey,
  algorithm: SignatureAlgorithm,
  digest: Uint8Array,
  signature: Uint8Array,
): Promise<boolean | null> {
  if (!algorithmFitsKey(algorithm, key)) return false;
  // Of an empty or short digest anyone can forge an ECDSA signature from the public key alone.
  if (algorithm.hash === null || digest.length !== DIGEST_BYTES[algorithm.hash]) return null;
  if (algorithm.scheme === 'ecdsa') return verifyEcdsa(key, digest, signature);
  if (algorithm.scheme === 'rsa-pkcs1v15') {
    return verifyPkcs1(key, algorithm.hash, digest, signature);
  }
  return null;
}

async function verifyEcdsa(
  key: PublicKey,
  digest: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (!isStrictEcdsaDer(signature)) return false;
  const { p256, p384, p521 } = await import('@noble/curves/nist.js');
  const curve = { 'ecdsa-p256': p256, 'ecdsa-p384': p384, 'ecdsa-p521': p521 };
  if (key.kind !== 'ecdsa-p256' && key.kind !== 'ecdsa-p384' && key.kind !== 'ecdsa-p521') {
    return false;
  }
  const jwk = key.object.export({ format: 'jwk' });
  const point = Buffer.concat([
    Uint8Array.of(4),
    Buffer.from(jwk.x ?? '', 'base64url'),
    Buffer.from(jwk.y ?? '', 'base64url'),
  ]);
  try {
    // lowS: Sigstore's ECDSA signatures are not normalised; both s and n-s are valid.
    return curve[key.kind].verify(signature, digest, point, {
      prehash: false,
      lowS: false,
      format: 'der',
    });
  } catch {
    return false;
  }
}

function verifyPkcs1(
  key: PublicKey,
  hash: HashName,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  // RFC 8017 §8.2.2: the recovered encoding must equal the one that we make, byte for byte.
  const expected = writeSequence(
    writeSequence(writeOid(HASH_OIDS[hash]), writeNull()),
    writeOctetString(digest),
  );
  try {
    const length = Math.ceil((key.object.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
    if (signature.length !== length) return false;
    const encoded = publicDecrypt(
      { key: key.object, padding: constants.RSA_NO_PADDING },
      signature,
    );
    const padding = Buffer.alloc(length - expected.length - 3, 0xff);
    const wanted = Buffer.concat([Uint8Array.of(0, 1), padding, Uint8Array.of(0), expected]);
    return equalBytes(encoded, wanted);
  } catch {
    return false;
  }
}
