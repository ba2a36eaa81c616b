/** Faults of questions about images that lie at other registries, and of push events. */
export const REACH_CODES = {
  'reach.host-unnamed': {
    status: 403,
    exit: 1,
    means:
      'An image lies at a registry whose host neither a policy nor the configuration names, so it was not asked.',
    remedy:
      'Use an image of a registry that is named, or have the server’s operator name this one under `registries` in its configuration.',
  },
  'hooks.unauthenticated': {
    status: 401,
    exit: 1,
    means: 'A push event came without the token of a sender that the configuration names.',
    remedy: 'Give the registry the token that `hooks.senders` names for it.',
  },
  'hooks.malformed': {
    status: 400,
    exit: 1,
    means: 'A push event is not of the form that its sender’s product has.',
    remedy:
      'Point the registry to the path of its own product, /hooks/distribution, /hooks/harbor or /hooks/zot.',
  },
} as const;
