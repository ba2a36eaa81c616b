/** Faults of the signing services that Bulla calls: logs and timestamp authorities. */
export const SERVICE_CODES = {
  'service.url': {
    status: 400,
    exit: 2,
    means: 'The address of a service is not an http or https URL, or carries credentials.',
    remedy: 'Write the service’s address as https://HOST[:PORT][/PATH].',
  },
  'service.unreachable': {
    status: 502,
    exit: 3,
    means: 'A log or timestamp authority could not be reached, or broke off the answer.',
    remedy: 'Check the address and the network, and try again.',
  },
  'service.timeout': {
    status: 504,
    exit: 3,
    means: 'A log or timestamp authority did not answer by the deadline.',
    remedy: 'Try again; if it persists, ask the service’s operator.',
  },
  'service.cancelled': {
    status: 499,
    exit: 3,
    means: 'A request to a log or timestamp authority was given up by the caller.',
    remedy: 'Run the command again.',
  },
  'service.busy': {
    status: 503,
    exit: 3,
    means: 'A log or timestamp authority went on answering 429 or 503.',
    remedy: 'Try again later, or use a service with a higher limit.',
  },
  'service.refused': {
    status: 502,
    exit: 2,
    means: 'A log or timestamp authority refused the request.',
    remedy: 'Read the service’s reason in the message; use a key and an algorithm that it accepts.',
  },
  'service.duplicate': {
    status: 409,
    exit: 2,
    means: 'The log already holds this very entry and gives no second proof of it.',
    remedy: 'Use the bundle that was made the first time, or sign again with an ECDSA key.',
  },
  'service.redirect': {
    status: 502,
    exit: 2,
    means: 'A log or timestamp authority redirected the request; signatures follow no redirects.',
    remedy: 'Give the address that the message names, if it is the right one.',
  },
  'service.answer-limit': {
    status: 502,
    exit: 1,
    means: 'The answer of a service is larger than any honest one.',
    remedy: 'Check that the address is the one of a log or a timestamp authority.',
  },
  'service.answer-malformed': {
    status: 502,
    exit: 1,
    means: 'The answer of a service is not what its protocol describes.',
    remedy: 'Check that the address is the one of a Rekor v2 log or an RFC 3161 authority.',
  },
} as const;
