import type { Signer } from '@bulla/trust/crypto/signer';
import type { TestKey } from '../tlog/synthetic-log.ts';

/** The `Signer` of a test key. */
export function signerOf(key: TestKey, name = 'the lab key'): Signer {
  return {
    publicKey: key.publicKey,
    algorithm: key.algorithm,
    name,
    sign: async (message) => key.sign(message),
    async [Symbol.asyncDispose]() {},
  };
}

/** A key store gone wrong: what it calls a signature is one over something else. */
export function garblingSigner(key: TestKey): Signer {
  return { ...signerOf(key), sign: async () => key.sign(Buffer.from('something else')) };
}
