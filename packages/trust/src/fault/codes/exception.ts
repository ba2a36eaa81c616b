/** Exceptions and break-glass: their documents, and why one does not lift what it names. */
export const EXCEPTION_CODES = {
  'exception.malformed': {
    status: 400,
    exit: 2,
    means: 'A document is not a TrustException, or a member of it has another shape than it must.',
    remedy: 'Have the exception requested anew with `bulla exception request`.',
  },
  'exception.none-accepted': {
    status: 403,
    exit: 1,
    means: 'The policy accepts no exception of this kind: it names nobody who may give one.',
    remedy: 'Have the image signed or attested as the policy asks.',
  },
  'exception.signature': {
    status: 403,
    exit: 1,
    means: 'A signature over an exception was not made by the key that it names, or not over this.',
    remedy: 'Have the exception requested and approved anew; what was signed was altered.',
  },
  'exception.approval-missing': {
    status: 403,
    exit: 1,
    means: 'Nobody has approved the exception.',
    remedy: 'Have one of the approvers whom the policy names approve it.',
  },
  'exception.approver-unknown': {
    status: 403,
    exit: 1,
    means: 'An exception was approved with a key that the policy does not name for that.',
    remedy:
      'Sign it with a key that the policy names: of an approver, or for break-glass of `breakGlass.keys`.',
  },
  'exception.self-approved': {
    status: 403,
    exit: 1,
    means: 'Requester and approver of an exception are one, by their identity or by their key.',
    remedy: 'Have somebody else approve it, with a key of their own.',
  },
  'exception.not-recorded': {
    status: 403,
    exit: 1,
    means:
      'A break-glass document is valid only where its record is durable, and a file proves none.',
    remedy: 'Break the glass at the server, which records it first.',
  },
  'exception.scope': {
    status: 403,
    exit: 1,
    means:
      'An exception is for another image, place or policy, or for more than the policy allows.',
    remedy: 'Have an exception approved for exactly this image and policy.',
  },
  'exception.expired': {
    status: 403,
    exit: 1,
    means: 'An exception has expired.',
    remedy: 'Have the image signed as the policy asks, or a new exception approved.',
  },
  'exception.not-yet-valid': {
    status: 403,
    exit: 1,
    means: 'An exception says that it was issued or approved in the future.',
    remedy: 'Correct the clocks of those who signed it, and have it signed anew.',
  },
  'exception.too-long': {
    status: 403,
    exit: 1,
    means: 'An exception is to hold for longer than the policy allows.',
    remedy: 'Have one approved that expires within the `maxDuration` of the policy.',
  },
  'exception.clause-unknown': {
    status: 403,
    exit: 1,
    means: 'An exception lifts a clause that the policy does not have.',
    remedy: 'Name the clauses that `bulla policy explain` shows.',
  },
  'exception.clause-changed': {
    status: 403,
    exit: 1,
    means: 'The clause that an exception lifts says something else now than when it was requested.',
    remedy: 'Have the exception requested and approved anew, for what the policy says now.',
  },
  'exception.not-liftable': {
    status: 403,
    exit: 1,
    means: 'A clause failed by a digest mismatch or a revocation, which no exception lifts.',
    remedy:
      'Find out who altered the image or revoked the key; have the image built and signed anew.',
  },
  'exception.insufficient': {
    status: 403,
    exit: 1,
    means: 'A valid exception lifts what it names, and the policy is not satisfied by the rest.',
    remedy: 'Mend the clauses that still fail.',
  },
  'exception.limit': {
    status: 403,
    exit: 1,
    means: 'There are more exceptions for one image than are looked at.',
    remedy: 'Revoke the exceptions that are not needed.',
  },
  'exception.too-many': {
    status: 429,
    exit: 2,
    means:
      'There are more requests for exceptions, of one person or for one repository, than are read.',
    remedy: 'Withdraw with `bulla exception revoke` what is not needed, or have some approved.',
  },
  'exception.unknown': {
    status: 404,
    exit: 2,
    means: 'No exception of this id was handed in to the server.',
    remedy: 'List them with `bulla exception list`.',
  },
  'exception.state': {
    status: 409,
    exit: 2,
    means: 'What was asked for does not fit what became of the exception meanwhile.',
    remedy: 'Look at it with `bulla exception list`.',
  },
  'exception.self-reviewed': {
    status: 403,
    exit: 2,
    means: 'Who broke the glass cannot close the review of it.',
    remedy: 'Have somebody else look at it and close the review.',
  },
} as const;
