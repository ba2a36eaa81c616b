import { quote, TrustFault } from '@bulla/trust/fault/fault';

/** A value as it goes into a statement. */
export type Parameter = null | bigint | number | string | Uint8Array;

/**
 * `value` as every room stores it: bytes are copied, whole numbers become bigint (so that a division
 * in SQL is one of integers). Throws `storage.value-invalid` for what one room would take and another
 * refuse or change: text with a NUL or half a surrogate pair, numbers beyond 2^53, undefined,
 * booleans, dates and other objects.
 */
export function parameterOf(value: unknown): Parameter {
  switch (typeof value) {
    case 'string':
      if (value.includes('\0') || !value.isWellFormed()) throw invalid('well-formed text', value);
      return value;
    case 'number':
      if (Number.isSafeInteger(value)) return BigInt(value);
      if (!Number.isFinite(value) || Number.isInteger(value))
        throw invalid('an exact number', value);
      return value;
    case 'bigint':
      return parameterOf(Number(value));
    default:
      if (value === null) return null;
      if (value instanceof Uint8Array) return new Uint8Array(value);
      throw invalid('text, a number or bytes', typeof value);
  }
}

function invalid(expected: string, found: unknown): TrustFault {
  return new TrustFault('storage.value-invalid', `expected ${expected}, found ${quote(found)}`);
}
