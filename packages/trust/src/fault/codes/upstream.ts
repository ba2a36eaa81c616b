/** Faults and refusals of the gateway that verifies. */
export const UPSTREAM_CODES = {
  'upstream.config-invalid': {
    status: 500,
    exit: 2,
    means: 'The configuration of a registry that is pulled through the gateway is not usable.',
    remedy: 'Correct what the message names in the configuration of the upstreams.',
  },
  'upstream.read-only': {
    status: 405,
    exit: 1,
    means: 'A push or a deletion goes to a prefix that is pulled through from another registry.',
    remedy: 'Push to the upstream registry itself, or to a name outside of the prefix.',
  },
  'upstream.unreachable': {
    status: 502,
    exit: 3,
    means: 'The upstream registry cannot be reached, or its TLS certificate is not trusted.',
    remedy: 'Try again; if it persists, check the network between the gateway and the upstream.',
  },
  'upstream.timeout': {
    status: 504,
    exit: 3,
    means: 'The upstream registry did not answer, or stopped answering, before the deadline.',
    remedy: 'Try again; if it persists, ask those who run the upstream registry.',
  },
  'upstream.rate-limited': {
    status: 429,
    exit: 3,
    means: 'The upstream registry refuses more requests of the gateway for now.',
    remedy: 'Wait and try again, or give the gateway an account with a higher limit.',
  },
  'upstream.failed': {
    status: 502,
    exit: 3,
    means: 'The upstream registry answered with an error of its own.',
    remedy: 'Try again later, or ask those who run the upstream registry.',
  },
  'upstream.denied': {
    status: 403,
    exit: 3,
    means: 'The upstream registry does not give this repository to the gateway.',
    remedy: 'Check the name, and the credentials that the gateway has for the upstream.',
  },
  'upstream.malformed': {
    status: 502,
    exit: 1,
    means:
      'The upstream registry sent what is not what was asked for: another digest, another type, too much, or no manifest.',
    remedy: 'Do not use the content; find out who altered it, the upstream or a proxy before it.',
  },
} as const;
