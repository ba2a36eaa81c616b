import { type Subject, textTrial } from '../parser.ts';

/** Keys and references to them. */
export const KEYS: readonly Subject[] = [
  {
    name: 'public-key',
    seeds: [{ files: 'vectors/cosign/keys/*.pub' }],
    load: async () => {
      const { parsePublicKeyPem, publicKeyPem } = await import('@bulla/trust/crypto/public-key');
      return textTrial((text) => parsePublicKeyPem(text, 'input'), {
        encode: publicKeyPem,
        law: 'stable',
      });
    },
  },
  {
    name: 'private-key',
    seeds: [{ files: 'vectors/cosign/keys/*.{key,pem}' }],
    load: async () => {
      const { TrustFault } = await import('@bulla/trust/fault/fault');
      const { readPrivateKey } = await import('@bulla/trust/keys/file/private-key');
      // Nobody answers, so that no passphrase is derived: the parser is fuzzed, not scrypt.
      const silent = (): Promise<string> =>
        Promise.reject(new TrustFault('key.passphrase-missing', 'nobody to ask'));
      return textTrial((text) => readPrivateKey(text, 'input', silent));
    },
  },
  {
    name: 'key-reference',
    seeds: [{ text: 'cosign.key' }, { text: 'file:///keys/a.pem' }, { text: 'env://COSIGN_KEY' }],
    load: async () => {
      const { parseKeyReference } = await import('@bulla/trust/keys/file/reference');
      return textTrial(parseKeyReference);
    },
  },
];
