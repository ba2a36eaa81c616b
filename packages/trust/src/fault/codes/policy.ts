/** Faults of what the verifier was told, and of putting findings together. */
export const POLICY_CODES = {
  'policy.nothing-checked': {
    status: 403,
    exit: 1,
    means: 'A check had no part that counts, and nothing is never enough.',
    remedy: 'Say what must hold: name a key, an identity or an attestation type.',
  },
  'policy.threshold-not-met': {
    status: 403,
    exit: 1,
    means: 'Fewer distinct authorities have signed than are asked for.',
    remedy: 'Have the missing authorities sign this digest.',
  },
  'policy.threshold-invalid': {
    status: 400,
    exit: 2,
    means: 'A threshold is below 1 or above the number of authorities.',
    remedy: 'Give a threshold between 1 and the number of distinct authorities.',
  },
  'policy.pattern-invalid': {
    status: 400,
    exit: 2,
    means: 'A regular expression cannot be read, is too long, or uses what is not allowed.',
    remedy:
      'Give a shorter expression without back-references or look-around; it is matched against the whole value.',
  },
  'usage.invalid': {
    status: 400,
    exit: 2,
    means: 'The command or call was used wrongly.',
    remedy: 'See `bulla COMMAND --help`.',
  },
  'usage.trust-root': {
    status: 400,
    exit: 2,
    means: 'A trust root that was named cannot be read.',
    remedy: 'Give a trusted_root.json of version 0.1 or 0.2.',
  },
  'usage.file': {
    status: 400,
    exit: 2,
    means: 'A file that was named cannot be read or written.',
    remedy: 'Check the path, its permissions, and the space on the disk.',
  },
  'usage.interrupted': {
    status: 499,
    exit: 3,
    means: 'The user interrupted the command while it waited for input.',
    remedy: 'Run the command again.',
  },
  'internal.defect': {
    status: 500,
    exit: 4,
    means: 'Bulla itself went wrong.',
    remedy: 'Report it with the command and the output; nothing was accepted.',
  },
} as const;
