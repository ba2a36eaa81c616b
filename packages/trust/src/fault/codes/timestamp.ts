/** Faults of RFC 3161 timestamps. */
export const TIMESTAMP_CODES = {
  'timestamp.malformed': {
    status: 400,
    exit: 1,
    means: 'A timestamp or its CMS envelope is not what RFC 3161 and RFC 5652 describe.',
    remedy: 'Have the signature timestamped again.',
  },
  'timestamp.refused': {
    status: 502,
    exit: 1,
    means: 'A timestamp authority answered without granting a timestamp.',
    remedy: 'Ask the operator of the timestamp authority; the message holds its reason.',
  },
  'timestamp.digest-refused': {
    status: 403,
    exit: 1,
    means: 'A timestamp is over a digest that Bulla does not accept, such as SHA-1 or MD5.',
    remedy: 'Have the signature timestamped again with SHA-256, SHA-384 or SHA-512.',
  },
  'timestamp.imprint-mismatch': {
    status: 403,
    exit: 1,
    means: 'A timestamp is over other bytes than the signature that it came with.',
    remedy: 'Have this signature timestamped; the timestamp belongs to another one.',
  },
  'timestamp.content-mismatch': {
    status: 403,
    exit: 1,
    means: 'The signed attributes of a timestamp are about other content than it holds.',
    remedy: 'Have the signature timestamped again; the timestamp was altered.',
  },
  'timestamp.certificate-mismatch': {
    status: 403,
    exit: 1,
    means: 'The signed attributes of a timestamp name another certificate than its signer’s.',
    remedy: 'Have the signature timestamped again by an authority that follows RFC 5816.',
  },
  'timestamp.signature-invalid': {
    status: 403,
    exit: 1,
    means: 'The signature of a timestamp was not made by the certificate that it names.',
    remedy: 'Have the signature timestamped again; the timestamp was altered.',
  },
  'timestamp.untrusted': {
    status: 403,
    exit: 1,
    means: 'A timestamp is not of an authority that the trust root names.',
    remedy: 'Check that the trust root is the one that belongs to the signer.',
  },
  'timestamp.nonce-mismatch': {
    status: 502,
    exit: 1,
    means: 'A timestamp authority answered another request than the one that was sent.',
    remedy: 'Send the request again; if it persists, something between replays answers.',
  },
} as const;
