import { TrustFault } from '../../fault/fault.ts';

/** Where a reader stands in the code points of an expression. */
export interface RegexCursor {
  readonly points: readonly string[];
  /** Whether ASCII letters match both their cases, `(?i)`. */
  readonly fold: boolean;
  at: number;
}

/** The fault of an expression that is wrong at `at`; characters count from 1. */
export function invalid(cursor: RegexCursor, what: string, at: number = cursor.at): TrustFault {
  return new TrustFault(
    'policy.pattern-invalid',
    `the expression has ${what} at character ${at + 1}`,
  );
}
