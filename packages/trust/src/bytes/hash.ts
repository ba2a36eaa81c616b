import { createHash, hash } from 'node:crypto';

/** Digest algorithms that Bulla computes. */
export type HashName = 'sha256' | 'sha384' | 'sha512';

/** The digest of `bytes`. */
export function digestOf(algorithm: HashName, bytes: Uint8Array): Uint8Array {
  return hash(algorithm, bytes, 'buffer');
}

/** The digest of the parts one after another, without joining them in memory. */
export function digestOfParts(algorithm: HashName, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = createHash(algorithm);
  for (const part of parts) state.update(part);
  return state.digest();
}
