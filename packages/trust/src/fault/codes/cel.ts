/** Faults of expressions in CEL. All but `cel.invalid` are `fail` of the evidence (semantics 2). */
export const CEL_CODES = {
  'cel.invalid': {
    status: 400,
    exit: 2,
    means: 'An expression is not CEL, is too long, or names what is not defined.',
    remedy: 'Correct the expression; docs/cel.md lists the variables and functions.',
  },
  'cel.not-boolean': {
    status: 403,
    exit: 1,
    means: 'An expression gave something else than true or false.',
    remedy: 'Write the expression so that it compares: `predicate.count > 3`.',
  },
  'cel.failed': {
    status: 403,
    exit: 1,
    means: 'An expression could not be evaluated on this statement.',
    remedy: 'Check that the statement has the members that the expression reads; guard with has().',
  },
  'cel.timeout': {
    status: 403,
    exit: 1,
    means: 'An expression used more time or memory than it is given.',
    remedy: 'Write a cheaper expression; nested macros over large lists cost the most.',
  },
} as const;
