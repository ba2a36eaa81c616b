/** Faults and refusals of a door that decides by policies. */
export const DOOR_CODES = {
  'policy.stale': {
    status: 500,
    exit: 1,
    means:
      'The policy files have changed and cannot be used; the policies before them go on deciding.',
    remedy: 'Correct what the message names: `bulla policy check` shows every place.',
  },
  'decision.timeout': {
    status: 503,
    exit: 3,
    means: 'A decision took longer than a door may wait.',
    remedy: 'Ask again; if it persists, see which registry the findings name as slow.',
  },
} as const;
