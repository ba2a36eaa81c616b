/** Faults of policy documents and of the files that they name. */
export const POLICY_DOCUMENT_CODES = {
  'policy.invalid': {
    status: 400,
    exit: 2,
    means: 'A policy file, or a file that it names, has mistakes; none of its policies is used.',
    remedy: 'Correct what `bulla policy check` lists.',
  },
  'policy.malformed': {
    status: 400,
    exit: 2,
    means: 'A policy is not YAML or JSON, or a field of it has another shape than it must.',
    remedy: 'Correct the field at the line that is named; docs/policy.md lists them.',
  },
  'policy.unknown-field': {
    status: 400,
    exit: 2,
    means: 'A policy has a field that no policy has; left out, it could loosen what was meant.',
    remedy: 'Correct the spelling of the field, or remove it.',
  },
  'policy.requirement-empty': {
    status: 400,
    exit: 2,
    means:
      'A requirement has no part, so that nothing would satisfy it, and nothing is never enough.',
    remedy: 'Name at least one authority or requirement.',
  },
  'policy.threshold-range': {
    status: 400,
    exit: 2,
    means: 'An `atLeast` is below 1 or above the number of what it counts.',
    remedy: 'Give a number between 1 and the number of names or requirements that it counts.',
  },
  'policy.name-repeated': {
    status: 400,
    exit: 2,
    means: 'A name stands twice where each counts once, or two policies have one name.',
    remedy: 'Name each once; an authority counts once however often it is named.',
  },
  'policy.authority-unknown': {
    status: 400,
    exit: 2,
    means: 'A requirement names an authority that the policy does not define.',
    remedy: 'Define the authority under `spec.authorities`, or correct its name.',
  },
  'policy.authority-unused': {
    status: 400,
    exit: 2,
    means: 'A policy defines an authority that none of its requirements and exceptions names.',
    remedy: 'Name the authority in `spec.require`, or remove it.',
  },
  'policy.break-glass-shared': {
    status: 400,
    exit: 2,
    means:
      'A break-glass key approves exceptions or signs images as well, and is kept for one use.',
    remedy: 'Make a key of its own for break-glass, and keep it where it is used for nothing else.',
  },
  'policy.approver-signs': {
    status: 400,
    exit: 2,
    means: 'An approver of exceptions is a signer of images too: one key could do both.',
    remedy: 'Give the approvers keys that sign no images.',
  },
  'policy.exceptions-long': {
    status: 400,
    exit: 2,
    means: 'A policy accepts exceptions of more than thirty days: they outlive what they are for.',
    remedy: 'Give a shorter `maxDuration`, and have exceptions approved anew as long as they last.',
  },
  'policy.approver-repeated': {
    status: 400,
    exit: 2,
    means: 'Approvers of a policy have one key: under its names there is one person, not several.',
    remedy: 'Give each approver a key of their own, or name the key once.',
  },
  'policy.trust-root-missing': {
    status: 400,
    exit: 2,
    means: 'An authority names no trust root where it must, or one that is nowhere defined.',
    remedy:
      'Name `public-good`, a trust root under `spec.trustRoots`, or one of the configuration.',
  },
  'policy.pin-missing': {
    status: 400,
    exit: 2,
    means: 'A `notary` authority has no pin, and a policy never trusts a repository on first use.',
    remedy: 'Give `pin` with the key ids of the root role, taken from whoever made the repository.',
  },
  'policy.predicate-mismatch': {
    status: 400,
    exit: 2,
    means: 'A helper stands beside an attestation type whose predicate it cannot read.',
    remedy: 'Use the helper with its own predicate type; docs/policy.md lists them.',
  },
  'policy.file': {
    status: 400,
    exit: 2,
    means: 'A policy file, or a key or trust root that it names, cannot be read or is too large.',
    remedy: 'Check the path, which is relative to the policy, its permissions and its kind.',
  },
  'policy.test-malformed': {
    status: 400,
    exit: 2,
    means:
      'A file of policy tests cannot be read, or a field of it has another shape than it must.',
    remedy: 'Correct the field at the line that is named; docs/policy.md shows a whole file.',
  },
  'policy.unreadable': {
    status: 503,
    exit: 2,
    means: 'A file or folder that must hold policies is gone or cannot be read.',
    remedy: 'Check the path and its permissions; until it can be read, no image is admitted.',
  },
  'policy.static': {
    status: 403,
    exit: 1,
    means:
      'A policy refuses by its own word, or where what it was imported from cannot be expressed.',
    remedy:
      'Have the image satisfy another authority of the policy, or write what the message names.',
  },
  'policy.not-expressible': {
    status: 400,
    exit: 1,
    means: 'A policy of one tool asks for what the other cannot express; it refuses there instead.',
    remedy:
      'Express the clause that is named by what both know; the documentation lists what that is.',
  },
} as const;
