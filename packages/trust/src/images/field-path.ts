import { quote, TrustFault } from '../fault/fault.ts';
import { memberOf } from './members.ts';

/** Where a value stands in an object: names of members, and places in lists. */
export type ObjectPath = readonly (string | number)[];

/** One step of a pattern: a member by its name, or every item of a list. */
export type FieldStep = { readonly member: string } | 'items';

const MEMBER = /^([A-Za-z_][A-Za-z0-9_-]{0,62})((?:\[\*\]){0,4})$/;
const LONGEST = 256;

/**
 * A pattern of paths such as `spec.steps[*].image`, as configurations write it. Throws
 * `usage.invalid`.
 */
export function parseFieldPath(text: string): readonly FieldStep[] {
  const parts = text.length > LONGEST ? [] : text.split('.').map((part) => MEMBER.exec(part));
  const steps = parts.flatMap((match): readonly FieldStep[] => {
    const [, member, items = ''] = match ?? [];
    if (member === undefined) return [];
    return [{ member }, ...Array<FieldStep>(items.length / '[*]'.length).fill('items')];
  });
  if (parts.length > 0 && parts.every((match) => match !== null)) return steps;
  throw new TrustFault(
    'usage.invalid',
    `expected a path such as spec.steps[*].image, found ${quote(text)}`,
  );
}

/** A value that a pattern leads to. */
export interface FoundField {
  readonly path: ObjectPath;
  readonly value: unknown;
}

/**
 * All values of `object` that a pattern leads to; a member that is absent or null leads nowhere.
 * Throws `images.manifest-malformed` where something else stands in place of an object or a list: what
 * cannot be read would hide an image.
 */
export function findFields(object: unknown, steps: readonly FieldStep[]): readonly FoundField[] {
  return steps.reduce<readonly FoundField[]>(
    (found, step) => found.flatMap((field) => below(field, step)),
    [{ path: [], value: object }],
  );
}

function below({ path, value }: FoundField, step: FieldStep): readonly FoundField[] {
  if (step === 'items') {
    if (!Array.isArray(value)) throw unreadable('a list', path, value);
    return value.map((item: unknown, index) => ({ path: [...path, index], value: item }));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw unreadable('an object', path, value);
  }
  const inner = memberOf(value, step.member);
  if (inner === undefined || inner === null) return [];
  return [{ path: [...path, step.member], value: inner }];
}

function unreadable(expected: string, path: ObjectPath, value: unknown): TrustFault {
  const found = typeof value === 'object' ? 'another value' : quote(value);
  return new TrustFault(
    'images.manifest-malformed',
    `expected ${expected} at ${writePath(path)}, found ${found}`,
  );
}

/** A path for people: `spec.template.spec.containers[0].image`. */
export function writePath(path: ObjectPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** A path as a JSON Pointer (RFC 6901): `/spec/containers/0/image`. */
export function writePointer(path: ObjectPath): string {
  return path.map((step) => `/${escapeStep(String(step))}`).join('');
}

/** One member's name within a JSON Pointer (RFC 6901 §3). */
export function escapeStep(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1');
}
