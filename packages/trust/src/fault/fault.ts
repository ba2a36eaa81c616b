import { CODES, type Code } from './codes.ts';

/** Marks the class across copies: each command of the built CLI carries its own. */
const BRAND = Symbol.for('bulla.TrustFault');

/**
 * The one error of Bulla. `message` says what was expected, what was found and where; `remedy` is
 * an act that the reader can take (by default the one of the code's row). Neither ever holds a
 * secret. A verification does not throw this for a bad signature: it returns a `Finding`.
 */
export class TrustFault extends Error {
  override readonly name = 'TrustFault';
  readonly code: Code;
  readonly remedy: string;

  constructor(code: Code, message: string, remedy?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
    this.remedy = remedy ?? CODES[code].remedy;
  }
}

const QUOTE_LIMIT = 80;

/**
 * A foreign value as it may stand in a message: quoted, control characters escaped, cut at 80
 * characters or at `longest`. Terminal escapes of a hostile registry must not reach the reader's
 * terminal.
 */
export function quote(value: unknown, longest: number = QUOTE_LIMIT): string {
  const text = typeof value === 'string' ? value : String(value);
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return printable(JSON.stringify(cut));
}

/**
 * `text` with each control and bidirectional-override character replaced by its `\u` escape, for
 * values that stand in a finding without quotes (subjects, annotations, names).
 */
export function printable(text: string): string {
  // Controls, format characters (zero-width, bidirectional) and line separators.
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isTrustFault(error: unknown): error is TrustFault {
  return error instanceof TrustFault || (error instanceof Error && BRAND in error);
}

/** Whether `error` is a fault of this code. */
export function hasCode(error: unknown, code: Code): boolean {
  return isTrustFault(error) && error.code === code;
}

/** Why the system refused (`ENOENT`, `EACCES`, …), for messages that name what it was about. */
export function systemReason(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause
    ? String(cause.code)
    : 'unexpected error';
}

/** `error` as a TrustFault: itself, or wrapped as `internal.defect` with its cause kept. */
export function asFault(error: unknown): TrustFault {
  if (isTrustFault(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TrustFault('internal.defect', `unexpected: ${quote(message)}`, undefined, {
    cause: error,
  });
}
