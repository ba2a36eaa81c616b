/** What the server said about a request that it did not serve; the console's one error. */
export class ApiProblem extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** The fault's code, such as `access.password-wrong`. */
  readonly code: string;
  /** An act of the reader that mends it; null when the server named none. */
  readonly remedy: string | null;

  constructor(status: number, code: string, message: string, remedy: string | null) {
    super(message);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
    this.remedy = remedy;
  }
}

/** Whether a request was refused because nobody is signed in (any more). */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 401;
}

/** Whether the signed-in user's rights are too few, and not a rule that holds for everybody. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ApiProblem && TOO_FEW.has(error.code);
}

const TOO_FEW: ReadonlySet<string> = new Set(['access.denied', 'access.exceeds-rights']);

/** Whether what was asked for does not exist. */
export function isAbsent(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 404;
}
