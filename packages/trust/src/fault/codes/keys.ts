/** Faults of opening, protecting and writing private keys. */
export const KEY_CODES = {
  'key.reference-malformed': {
    status: 400,
    exit: 2,
    means: 'A key reference is empty or does not follow the form of its kind.',
    remedy: 'Write the path of a key file, file:///PATH or env://VARIABLE.',
  },
  'key.reference-unsupported': {
    status: 400,
    exit: 2,
    means: 'A key reference names a key store that this release does not open.',
    remedy: 'Give a key in a file: its path, file:///PATH or env://VARIABLE.',
  },
  'key.variable-unset': {
    status: 400,
    exit: 2,
    means: 'The environment variable that a key reference names is not set or is empty.',
    remedy: 'Set the variable to the text of the key in PEM.',
  },
  'key.passphrase-missing': {
    status: 400,
    exit: 2,
    means: 'A private key is encrypted and no passphrase was given.',
    remedy: 'Give the passphrase at the prompt, or in BULLA_PASSPHRASE.',
  },
  'key.passphrase-wrong': {
    status: 400,
    exit: 2,
    means: 'A private key cannot be decrypted with the passphrase that was given.',
    remedy: 'Give the passphrase with which this key was encrypted.',
  },
  'key.encryption-unsupported': {
    status: 400,
    exit: 2,
    means: 'A private key is encrypted by a scheme that Bulla does not open.',
    remedy: 'Encrypt the key with PBES2: `openssl pkcs8 -topk8 -in KEY -out NEW-KEY`.',
  },
  'key.derivation-refused': {
    status: 400,
    exit: 2,
    means: 'An encrypted key asks for a derivation that costs more than any honest one.',
    remedy: 'Encrypt the key again with the defaults of cosign, OpenSSL or Bulla.',
  },
  'key.exists': {
    status: 409,
    exit: 2,
    means: 'A key file would be written where another file already is.',
    remedy: 'Choose another name, or move the existing file away.',
  },
} as const;
