/** Faults of asking what a change would do, and of taking a policy from warning to refusing. */
export const IMPACT_CODES = {
  'impact.change-unknown': {
    status: 400,
    exit: 2,
    means: 'A change names a key, an identity or a trust root that no policy uses.',
    remedy: 'Name it as the policies do, under `authorities` and `trustRoot`.',
  },
  'impact.inventory-malformed': {
    status: 400,
    exit: 2,
    means: 'An inventory of a cluster is not the JSON of Pods.',
    remedy: 'Give what `kubectl get pods -A -o json` prints.',
  },
  'impact.candidate-invalid': {
    status: 400,
    exit: 2,
    means: 'Policies that were handed in for a simulation have mistakes or lack a key.',
    remedy: 'Mend what the message names; `bulla policy check` says the same of files.',
  },
  'impact.unknown': {
    status: 404,
    exit: 2,
    means: 'There is no stored simulation of this id.',
    remedy: 'List them; the oldest are removed when there are too many.',
  },
  'impact.busy': {
    status: 503,
    exit: 3,
    means: 'Too many simulations run or wait on this server.',
    remedy: 'Ask again when one has ended.',
  },
  'rollout.policy-unknown': {
    status: 404,
    exit: 2,
    means: 'No policy of this name is in force, or none is being rolled out.',
    remedy: 'Name a policy that the server has loaded, as GET /policies lists them.',
  },
  'rollout.state': {
    status: 409,
    exit: 2,
    means: 'What was asked for does not follow from where the policy’s rollout stands.',
    remedy: 'Look at `bulla policy rollout status`.',
  },
  'rollout.window-open': {
    status: 409,
    exit: 1,
    means: 'The observation window of the policy has not ended.',
    remedy: 'Wait until it has; the message says when that is.',
  },
  'rollout.policy-changed': {
    status: 409,
    exit: 1,
    means: 'The policy is another than the one that was observed.',
    remedy:
      'Open a new window with `bulla policy rollout start`: nothing was observed of this one.',
  },
  'rollout.denials-remain': {
    status: 409,
    exit: 1,
    means: 'Images would be denied that nobody has mended or accepted.',
    remedy: 'Sign them, or name each with --accept and a --reason, which is recorded.',
  },
  'rollout.accept-unknown': {
    status: 400,
    exit: 2,
    means: 'An image was accepted that is none of those that would be denied.',
    remedy: 'Name REPOSITORY or REPOSITORY@DIGEST as the status shows it.',
  },
} as const;
