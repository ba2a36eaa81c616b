/** Faults of signing. */
export const SIGN_CODES = {
  'sign.not-verified': {
    status: 500,
    exit: 1,
    means: 'A signature that was just made does not verify; it was not left in place as good.',
    remedy: 'Check that key, log, timestamp authority and --trusted-root belong together.',
  },
  'sign.not-served': {
    status: 502,
    exit: 3,
    means: 'The registry took a signature and does not serve it.',
    remedy: 'Run `bulla doctor registry` against the registry, and sign again.',
  },
} as const;
