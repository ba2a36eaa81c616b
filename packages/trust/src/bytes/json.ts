import { TrustFault } from '../fault/fault.ts';

/** What a document of one kind may be at most. */
export interface JsonLimits {
  /** Largest document, in bytes. Default 4 MiB. */
  readonly maxBytes?: number;
  /** Deepest nesting of objects and arrays. Default 64. */
  readonly maxDepth?: number;
}

const DEFAULT_MAX_BYTES = 4 << 20;
const DEFAULT_MAX_DEPTH = 64;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The value of a JSON text of foreign origin (RFC 8259), as `unknown`: the one place that calls
 * `JSON.parse` on foreign bytes. Refuses invalid UTF-8, a byte-order mark, trailing bytes
 * (`json.malformed`), the same key twice in one object (`json.duplicate-key`), a key that is not
 * Unicode (`json.malformed`), and what is larger or deeper than the limits or has over 4 million
 * values (`json.limit`). Objects keep `__proto__` as an ordinary own key.
 */
export function parseJson(bytes: Uint8Array, where: string, limits: JsonLimits = {}): unknown {
  const maxBytes = limits.maxBytes ?? DEFAULT_MAX_BYTES;
  if (bytes.length > maxBytes) {
    throw new TrustFault(
      'json.limit',
      `expected at most ${maxBytes} bytes of JSON at ${where}, found ${bytes.length}`,
    );
  }
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new TrustFault('json.malformed', `${where} is not UTF-8`, undefined, { cause });
  }
  const maxDepth = limits.maxDepth ?? DEFAULT_MAX_DEPTH;
  const plain = parsePlain(text, maxDepth);
  if (plain !== null) return plain.value;
  const members = countMembers(text, maxDepth, where);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TrustFault('json.malformed', `${where} is not JSON`, undefined, { cause });
  }
  // JSON.parse keeps the last of two equal keys: fewer keys than members means a duplicate.
  if (countKeys(value) !== members) {
    throw new TrustFault('json.duplicate-key', `${where} has an object with the same key twice`);
  }
  // RFC 8259 §8.2: many readers take each lone surrogate for U+FFFD, and two keys for one.
  if (text.includes('\\u') && SURROGATE_ESCAPE.test(text) && !hasUnicodeKeys(value)) {
    throw new TrustFault('json.malformed', `${where} has a key that is not Unicode`);
  }
  return value;
}

/** A text of this length cannot hold so many values that reading it could fill the memory. */
const PLAIN_LONGEST = 1 << 20;

/**
 * The value of a text that is exactly what `JSON.stringify` writes of it, as most machines' is: then no
 * key of it was lost by standing twice. Null for every other text, which is looked through. It takes a
 * third of the time of that.
 */
function parsePlain(text: string, maxDepth: number): { readonly value: unknown } | null {
  if (text.length > PLAIN_LONGEST || text.includes('\\u')) return null;
  try {
    const value: unknown = JSON.parse(text);
    const isShallow = () => opensAtMost(text, maxDepth) || isWithin(value, maxDepth);
    return JSON.stringify(value) === text && isShallow() ? { value } : null;
  } catch {
    // No JSON, or deeper than the stack: the long way says what is wrong.
    return null;
  }
}

/** Whether a text has so few brackets, in strings or not, that it cannot nest deeper. */
function opensAtMost(text: string, most: number): boolean {
  let left = most;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (--left < 0) return false;
    }
  }
  return true;
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isWithin(item, depth - 1)) return false;
    return true;
  }
  for (const item of Object.values(value)) if (!isWithin(item, depth - 1)) return false;
  return true;
}

/** A value takes up to 100 bytes of memory and as few as 3 of text: `[],` of 96 MiB fills any heap. */
const MAX_VALUES = 4_000_000;

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Number of members of all objects in a JSON text: the colons outside of strings. A value is the
 * first of an array or object, or follows a comma.
 */
function countMembers(text: string, maxDepth: number, where: string): number {
  let members = 0;
  let values = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      at = endOfString(text, at + 1);
    } else if (character === COLON) {
      members++;
    } else if (character === COMMA) {
      values++;
    } else if (character === OPEN_BRACE || character === OPEN_BRACKET) {
      values++;
      if (++depth > maxDepth) {
        throw new TrustFault('json.limit', `${where} nests deeper than ${maxDepth} levels`);
      }
    } else if (character === CLOSE_BRACE || character === CLOSE_BRACKET) {
      depth--;
    }
  }
  if (values > MAX_VALUES) {
    throw new TrustFault('json.limit', `${where} has more than ${MAX_VALUES} values`);
  }
  return members;
}

/** Index of the closing quote of a string whose first character is at `from`. */
function endOfString(text: string, from: number): number {
  let at = from;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end === -1) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH && end - 1 - slashes >= from) slashes++;
    if (slashes % 2 === 0) return end;
    at = end + 1;
  }
}

/** Number of members of all objects in a parsed value. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) keys += countKeys(item);
    return keys;
  }
  for (const item of Object.values(value)) keys += 1 + countKeys(item);
  return keys;
}

function hasUnicodeKeys(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(hasUnicodeKeys);
  return Object.entries(value).every(([key, item]) => key.isWellFormed() && hasUnicodeKeys(item));
}
