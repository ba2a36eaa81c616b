import { type Code, codeEntry } from '@bulla/trust/fault/codes';
import { asFault } from '@bulla/trust/fault/fault';

/** What a caller may be told of a fault. */
export interface PublicFault {
  readonly status: number;
  readonly code: Code;
  readonly message: string;
  readonly remedy: string;
}

/**
 * A fault in the words for callers, by the one rule of all doors: a fault of the server itself (5xx)
 * says what its code means and never its message, which may name folders or hosts and is for the log.
 * `isWorded` tells codes of 5xx whose messages are written for callers.
 */
export function publicFault(
  error: Error,
  isWorded: (code: Code) => boolean = () => false,
): PublicFault {
  const { code, message, remedy } = asFault(error);
  const entry = codeEntry(code);
  const isPrivate = entry.status >= 500 && !isWorded(code);
  return {
    status: entry.status,
    code,
    message: isPrivate ? entry.means : message,
    remedy: isPrivate ? entry.remedy : remedy,
  };
}
