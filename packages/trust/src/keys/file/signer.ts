import { constants, type KeyObject, sign } from 'node:crypto';
import {
  ALGORITHMS,
  SIGSTORE_ALGORITHMS,
  type SignatureAlgorithm,
} from '../../crypto/algorithm.ts';
import { signEd25519ph } from '../../crypto/ed25519ph.ts';
import type { PublicKey } from '../../crypto/public-key.ts';
import type { Signer } from '../../crypto/signer.ts';
import { TrustFault } from '../../fault/fault.ts';

/** A signer whose key lies in a file, with what its user should know about that file. */
export interface FileSigner extends Signer {
  readonly warnings: readonly string[];
}

/** Which of the two schemes an Ed25519 key signs with; the other kinds of keys have one. */
export type Ed25519Scheme = 'ed25519' | 'ed25519ph';

/** What `fileSigner` needs beside the private key. */
export interface FileSignerParts {
  readonly publicKey: PublicKey;
  readonly name: string;
  readonly warnings: readonly string[];
  readonly ed25519: Ed25519Scheme;
}

/**
 * The contract of `Signer` on a private key in memory. The algorithm is the one that Sigstore's
 * tools use by default for the kind of key. After its disposal it signs no more.
 */
export function fileSigner(key: KeyObject, parts: FileSignerParts): FileSigner {
  const { publicKey, name, warnings } = parts;
  const chosen =
    publicKey.kind === 'ed25519' ? parts.ed25519 : SIGSTORE_ALGORITHMS[publicKey.kind][0];
  const algorithm: SignatureAlgorithm = ALGORITHMS[chosen];
  let held: KeyObject | null = key;
  return {
    publicKey,
    algorithm,
    name,
    warnings,
    async sign(message, options) {
      options?.signal?.throwIfAborted();
      if (held === null) throw new TrustFault('internal.defect', `${name} was closed before`);
      return await signWith(held, algorithm, message);
    },
    async [Symbol.asyncDispose]() {
      held = null;
    },
  };
}

function signWith(
  key: KeyObject,
  algorithm: SignatureAlgorithm,
  message: Uint8Array,
): Promise<Uint8Array> {
  if (algorithm.scheme === 'ed25519ph') return signPrehashed(key, message);
  const options =
    algorithm.scheme === 'rsa-pkcs1v15'
      ? { key, padding: constants.RSA_PKCS1_PADDING }
      : { key, dsaEncoding: 'der' as const };
  return new Promise((resolve, reject) => {
    sign(algorithm.hash, message, options, (error, signature) =>
      error === null ? resolve(signature) : reject(error),
    );
  });
}

async function signPrehashed(key: KeyObject, message: Uint8Array): Promise<Uint8Array> {
  // RFC 8410 §7: the 32-byte seed ends the PKCS#8 document that OpenSSL writes.
  const document = key.export({ format: 'der', type: 'pkcs8' });
  try {
    return await signEd25519ph(document.subarray(-32), message);
  } finally {
    document.fill(0);
  }
}
