import type { Statement } from '../../claims/statement.ts';
import type { Finding } from '../../finding/finding.ts';

/** A statement that decides for its authority, and since when it is known to be there. */
export interface Deciding {
  readonly statement: Statement;
  /** The earliest trusted time (semantics 10); null when none was proved. */
  readonly trusted: Date | null;
}

/** What a condition came to, and until when that holds; null when time does not end it. */
export interface ConditionAnswer {
  readonly finding: Finding;
  readonly until: Date | null;
}

/**
 * A condition on the statement that decides. What a statement says or lacks can only make it fail
 * (semantics 2); it never throws for that.
 */
export type Condition = (deciding: Deciding) => Promise<ConditionAnswer>;
