import type { Code } from '../fault/codes.ts';
import { asFault } from '../fault/fault.ts';

/** What a check came to. `skipped` was switched off by the caller and does not count. */
export type Outcome = 'pass' | 'fail' | 'inconclusive' | 'skipped';

/** How the children of a finding combine: all of them, any of them, or at least so many. */
export type Needs = 'all' | 'any' | number;

/** One node of the tree that explains a verdict. Immutable; every door shows the same tree. */
export interface Finding {
  /** The check's stable name, `area.what`. */
  readonly check: string;
  readonly outcome: Outcome;
  /** One sentence with the actual values. */
  readonly says: string;
  /** The clause that the check obeys, such as `RFC 6962 §2.1.1`. */
  readonly source?: string;
  /** Present when the outcome is not `pass`; its row holds the remedy. */
  readonly code?: Code;
  /** A more exact remedy than the code's own. */
  readonly remedy?: string;
  readonly needs?: Needs;
  readonly because?: readonly Finding[];
}

/** A check that held. */
export function passed(check: string, says: string, source?: string): Finding {
  return source === undefined
    ? { check, outcome: 'pass', says }
    : { check, outcome: 'pass', says, source };
}

/** A check that did not hold. */
export function failed(check: string, code: Code, says: string, source?: string): Finding {
  return source === undefined
    ? { check, outcome: 'fail', says, code }
    : { check, outcome: 'fail', says, code, source };
}

/** An outage of a service that policy or configuration names, and nothing else (semantics 2). */
export function inconclusive(check: string, code: Code, says: string, source?: string): Finding {
  return source === undefined
    ? { check, outcome: 'inconclusive', says, code }
    : { check, outcome: 'inconclusive', says, code, source };
}

/** A check that the caller switched off; shown, never counted. */
export function skipped(check: string, says: string, source?: string): Finding {
  return source === undefined
    ? { check, outcome: 'skipped', says }
    : { check, outcome: 'skipped', says, source };
}

/**
 * The failed finding of a caught fault: what an image's publisher can cause is always `fail`,
 * whatever it was. Use it around parsers of evidence only; a defect is thrown on, not reported.
 */
export function failedBy(check: string, error: unknown, source?: string): Finding {
  const fault = asFault(error);
  if (fault.code === 'internal.defect') throw fault;
  return {
    check,
    outcome: 'fail',
    says: fault.message,
    code: fault.code,
    remedy: fault.remedy,
    ...(source === undefined ? {} : { source }),
  };
}
