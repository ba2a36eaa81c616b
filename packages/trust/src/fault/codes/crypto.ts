/** Faults of keys and of bare signatures. */
export const CRYPTO_CODES = {
  'crypto.key-malformed': {
    status: 400,
    exit: 2,
    means: 'A public or private key cannot be read.',
    remedy: 'Give a key in one of the encodings that docs/keys.md lists.',
  },
  'crypto.key-unsupported': {
    status: 400,
    exit: 2,
    means: 'A key is of a kind or a size that Bulla does not accept.',
    remedy: 'Use ECDSA P-256, P-384 or P-521, RSA of 2048 to 4096 bits, or Ed25519.',
  },
  'crypto.algorithm-unknown': {
    status: 400,
    exit: 1,
    means: 'A document names an algorithm that is not in the table of algorithms.',
    remedy: 'Sign with one of the algorithms that docs/formats.md lists.',
  },
  'crypto.algorithm-mismatch': {
    status: 400,
    exit: 1,
    means: 'A document names an algorithm that does not fit the key.',
    remedy: 'Sign again with a tool that writes the algorithm of the key.',
  },
  'signature.invalid': {
    status: 403,
    exit: 1,
    means: 'The signature was not made by this key over these bytes.',
    remedy: 'Check that the key is the signer’s and that the artifact is the one that was signed.',
  },
  'signature.none': {
    status: 403,
    exit: 1,
    means: 'The registry answered and holds no signature for this artifact.',
    remedy: 'Sign the artifact (`bulla sign`), or name the digest that was signed.',
  },
  'signature.limit': {
    status: 403,
    exit: 1,
    means: 'An artifact carries more signatures than Bulla looks at.',
    remedy: 'Remove the signatures that are not yours (`bulla clean`).',
  },
  'signature.digest-mismatch': {
    status: 403,
    exit: 1,
    means: 'The signature is about another artifact than the one that is verified.',
    remedy: 'Verify the artifact that was signed, or sign this one.',
  },
  'signature.annotation-mismatch': {
    status: 403,
    exit: 1,
    means: 'The signed annotations lack one that was asked for, or hold another value.',
    remedy: 'Sign again with the annotation, or ask for the one that was signed.',
  },
  'signature.not-a-signature': {
    status: 403,
    exit: 1,
    means:
      'The evidence is an attestation or another statement, which says something about the artifact but does not sign it as such.',
    remedy: 'Sign the artifact (`bulla sign`), or verify the attestation with --attested TYPE.',
  },
} as const;
