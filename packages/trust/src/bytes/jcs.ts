import { TrustFault } from '../fault/fault.ts';

/**
 * Canonical JSON by RFC 8785 (JCS): members sorted by UTF-16 code units, numbers and strings as
 * ECMAScript writes them, no white space. Throws `json.number` for a number that is not finite and
 * `json.malformed` for a lone surrogate or a value that JSON has no form for.
 */
export function canonicalizeJcs(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    // RFC 8785 §3.2.2.3: NaN and Infinity must not occur.
    if (!Number.isFinite(value)) throw new TrustFault('json.number', 'a number is not finite');
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    // RFC 8785 §3.2.2.2: a lone surrogate makes the text invalid.
    if (!value.isWellFormed()) {
      throw new TrustFault('json.malformed', 'a string holds a lone surrogate');
    }
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalizeJcs(item)).join(',')}]`;
  if (typeof value === 'object' && isPlain(value)) {
    const members = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${canonicalizeJcs(key)}:${canonicalizeJcs(item)}`);
    return `{${members.join(',')}}`;
  }
  throw new TrustFault('json.malformed', `JSON has no form for a ${typeof value}`);
}

/** Not a Date, a Map or bytes: their own members are not what they mean. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
