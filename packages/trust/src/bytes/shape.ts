import type { Code } from '../fault/codes.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { decodeBase64 } from './base64.ts';

/** An object of parsed JSON whose members are still unchecked. */
export type JsonObject = { readonly [key: string]: unknown };

/**
 * A cursor on unchecked JSON: the value, where it stands (`spec.signature.content`), and the code
 * of the fault that a wrong shape gives. `parse.ts` files read documents through it.
 */
export interface Cursor {
  readonly value: unknown;
  readonly path: string;
  readonly code: Code;
}

/** A cursor on the whole of a parsed document. */
export function cursor(value: unknown, path: string, code: Code): Cursor {
  return { value, path, code };
}

function wrong(at: Cursor, expected: string): TrustFault {
  const found =
    at.value === undefined
      ? 'nothing'
      : typeof at.value === 'object'
        ? Array.isArray(at.value)
          ? 'an array'
          : at.value === null
            ? 'null'
            : 'an object'
        : quote(at.value);
  return new TrustFault(at.code, `expected ${expected} at ${at.path}, found ${found}`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object under the cursor. Throws the cursor's code for anything else. */
export function asObject(at: Cursor): JsonObject {
  if (!isObject(at.value)) throw wrong(at, 'an object');
  return at.value;
}

/** A cursor on member `key` of the object under `at`; the value is undefined when absent. */
export function member(at: Cursor, key: string): Cursor {
  const object = asObject(at);
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return { value, path: at.path === '' ? key : `${at.path}.${key}`, code: at.code };
}

/** `read(at)`, or undefined when the member is absent or null (protojson writes null for absent). */
export function optional<T>(at: Cursor, read: (at: Cursor) => T): T | undefined {
  return at.value === undefined || at.value === null ? undefined : read(at);
}

/** Every element of the array under the cursor, each read by `read`; at most `max` of them. */
export function asArray<T>(at: Cursor, read: (at: Cursor) => T, max = 10_000): readonly T[] {
  const { value, path, code } = at;
  if (!Array.isArray(value)) throw wrong(at, 'an array');
  if (value.length > max) throw wrong(at, `an array of at most ${max} elements`);
  return value.map((item: unknown, index) =>
    read({ value: item, path: `${path}[${index}]`, code }),
  );
}

/** The string under the cursor. */
export function asString(at: Cursor): string {
  if (typeof at.value !== 'string') throw wrong(at, 'a string');
  return at.value;
}

/** The string under the cursor, which must be one of `allowed`. */
export function asOneOf<T extends string>(at: Cursor, allowed: readonly T[]): T {
  const text = asString(at);
  const found = allowed.find((candidate) => candidate === text);
  if (found === undefined) throw wrong(at, `one of ${allowed.join(', ')}`);
  return found;
}

/** The whole number from 0 to 2^53-1 under the cursor, written as a JSON number. */
export function asCount(at: Cursor): number {
  if (typeof at.value !== 'number' || !Number.isSafeInteger(at.value) || at.value < 0) {
    throw wrong(at, 'a whole number');
  }
  return at.value;
}

const INT64_MAX = 2n ** 63n - 1n;

/** A protojson int64 that is not negative: a decimal string or a JSON number. */
export function asUint63(at: Cursor): bigint {
  if (typeof at.value === 'number') return BigInt(asCount(at));
  if (typeof at.value !== 'string' || !/^(0|[1-9][0-9]{0,18})$/.test(at.value)) {
    throw wrong(at, 'a whole number of at most 63 bits');
  }
  const value = BigInt(at.value);
  if (value > INT64_MAX) throw wrong(at, 'a whole number of at most 63 bits');
  return value;
}

/** The object under the cursor, whose values are all strings; it has no prototype. */
export function asStringMap(at: Cursor): Readonly<Record<string, string>> {
  const found: Record<string, string> = Object.create(null);
  for (const key of Object.keys(asObject(at))) found[key] = asString(member(at, key));
  return found;
}

/** Bytes of the base64 string under the cursor (RFC 4648 §4). */
export function asBase64(at: Cursor): Uint8Array {
  const text = asString(at);
  try {
    return decodeBase64(text, at.path);
  } catch {
    throw wrong(at, 'base64');
  }
}

const INSTANT = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/** The RFC 3339 instant under the cursor, at millisecond precision. */
export function asInstant(at: Cursor): Date {
  const text = asString(at);
  const day = INSTANT.exec(text)?.[1];
  const date = new Date(text);
  if (day === undefined || !isDay(day) || Number.isNaN(date.getTime())) {
    throw wrong(at, 'an RFC 3339 instant');
  }
  return date;
}

/** `Date` takes 30 February for 2 March; RFC 3339 §5.7 does not. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}

/** Throws the cursor's code unless each member of the object is one of `known`. */
export function refuseUnknown(at: Cursor, known: readonly string[]): void {
  for (const key of Object.keys(asObject(at))) {
    if (!known.includes(key)) {
      throw new TrustFault(at.code, `unknown member ${quote(key)} at ${at.path || 'the document'}`);
    }
  }
}
