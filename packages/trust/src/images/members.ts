import { quote, TrustFault } from '../fault/fault.ts';

type Members = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of a parsed YAML value; undefined where the value is no mapping or lacks it. */
export function memberOf(value: unknown, name: string): unknown {
  return isMap(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The value below `path`, or undefined. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce(memberOf, value);
}

/** The items of a list; empty where there is none. Throws `images.manifest-malformed` for another value. */
export function itemsOf(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new TrustFault(
    'images.manifest-malformed',
    `expected a list at ${where}, found ${quote(value)}`,
  );
}

/** Text, or undefined where there is none. Throws `images.manifest-malformed` for another value. */
export function textOf(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new TrustFault(
    'images.manifest-malformed',
    `expected the name of an image at ${where}, found ${quote(value)}`,
  );
}
