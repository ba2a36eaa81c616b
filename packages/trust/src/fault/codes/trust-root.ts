/** Faults of trust roots and of the configuration of signing services. */
export const TRUST_ROOT_CODES = {
  'trust-root.malformed': {
    status: 400,
    exit: 2,
    means: 'A trusted_root.json is not what its media type describes.',
    remedy: 'Get the trust root again from its operator, whole and unedited.',
  },
  'trust-root.version': {
    status: 400,
    exit: 2,
    means: 'A trust root has a media type that Bulla does not know.',
    remedy: 'Give a trusted_root.json of version 0.1 or 0.2.',
  },
  'trust-root.unsupported': {
    status: 400,
    exit: 2,
    means: 'Every log of one kind in a trust root has a key that Bulla cannot use.',
    remedy: 'Give a trust root whose logs use ECDSA, RSA of 2048 to 4096 bits, or Ed25519.',
  },
  'signing-config.malformed': {
    status: 400,
    exit: 2,
    means: 'A signing_config.json is not what its media type describes.',
    remedy: 'Get the signing configuration again from its operator, whole and unedited.',
  },
  'signing-config.version': {
    status: 400,
    exit: 2,
    means: 'A signing configuration is not of version 0.2.',
    remedy: 'Get signing_config.v0.2.json from the operator; earlier versions are withdrawn.',
  },
  'signing-config.no-service': {
    status: 400,
    exit: 2,
    means:
      'A signing configuration names too few services that are valid now and speak a version that Bulla does.',
    remedy: 'Get the operator’s current signing configuration.',
  },
} as const;
