import type { SignatureAlgorithm } from './algorithm.ts';
import type { PublicKey } from './public-key.ts';

/**
 * What can sign: a key in a file today, a KMS, an HSM or a keyless identity by the same contract.
 * `sign` resolves to the signature over `message` with `algorithm`, ECDSA in DER. It may be called
 * concurrently, has no effect but the signature, and may be retried; a store that is away gives a
 * TrustFault whose exit is 3, one that refuses gives exit 2. The private key never leaves it.
 */
export interface Signer extends AsyncDisposable {
  readonly publicKey: PublicKey;
  readonly algorithm: SignatureAlgorithm;
  /** How people know the key: a file's name or a KMS reference; never a secret. */
  readonly name: string;
  sign(message: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array>;
}
