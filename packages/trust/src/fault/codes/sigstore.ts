/** Faults of the two Sigstore formats and of how they are proved. */
export const SIGSTORE_CODES = {
  'bundle.malformed': {
    status: 400,
    exit: 1,
    means: 'A Sigstore bundle is not what its media type’s version describes.',
    remedy: 'Fetch the bundle again; if it persists, sign again.',
  },
  'bundle.version': {
    status: 400,
    exit: 1,
    means: 'A bundle has a media type that is not one of versions 0.1, 0.2 and 0.3.',
    remedy: 'Sign again with a tool that writes bundle version 0.3.',
  },
  'bundle.referrer': {
    status: 403,
    exit: 1,
    means: 'A referrer that should hold a bundle has another artifact type, layer type or count.',
    remedy: 'Push the bundle again as a referrer whose artifactType is the bundle’s media type.',
  },
  'cosign-legacy.malformed': {
    status: 400,
    exit: 1,
    means:
      'A manifest under a cosign tag, or an annotation of it, is not what the format describes.',
    remedy: 'Sign the image again; the signature manifest was altered.',
  },
  'proof.identity-mismatch': {
    status: 403,
    exit: 1,
    means: 'The certificate names another subject or issuer than the authority.',
    remedy: 'Check who is meant to sign; have that identity sign the artifact.',
  },
  'proof.claim-mismatch': {
    status: 403,
    exit: 1,
    means: 'A claim in the certificate has another value than the one that was asked for.',
    remedy: 'Have the artifact signed from the workflow, branch or trigger that is asked for.',
  },
  'proof.material-mismatch': {
    status: 403,
    exit: 1,
    means:
      'A key was named and the evidence has a certificate of another key, or the other way round.',
    remedy:
      'Name the signer by the kind that signed: --key for keys, --certificate-identity for identities.',
  },
  'proof.no-trusted-time': {
    status: 403,
    exit: 1,
    means: 'A short-lived certificate comes without a verified time at which it was valid.',
    remedy: 'Sign with a timestamp authority or a log whose key the trust root names.',
  },
  'proof.log-missing': {
    status: 403,
    exit: 1,
    means: 'The trust root names a transparency log and the evidence has no entry of it.',
    remedy: 'Sign again with a log: `bulla sign --signing-config FILE`.',
  },
  'proof.no-trust-root': {
    status: 400,
    exit: 2,
    means: 'An identity can only be verified against a trust root, and none was given.',
    remedy: 'Give --trusted-root FILE.',
  },
  'proof.key-expired': {
    status: 403,
    exit: 1,
    means: 'The signature was made outside of the period in which the key is valid.',
    remedy: 'Sign again with a key that is valid now.',
  },
} as const;
