import type { Code } from '../../fault/codes.ts';
import { quote } from '../../fault/fault.ts';
import { problemAt } from './problem.ts';
import { addUnexpected, meantWord, memberOf, type Read, type YamlCursor } from './read.ts';

/** How one member of a map is read, and what it is when absent; null: it must be there. */
export interface Field<T> {
  readonly read: Read<T>;
  readonly absent: { readonly value: T } | null;
}

/** A table of members by their keys, and the values that they give. */
export type Fields = Readonly<Record<string, Field<unknown>>>;
export type FieldValues<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** A member that must be there. */
export function required<T>(read: Read<T>): Field<T> {
  return { read, absent: null };
}

/** A member that may be absent, and its value then. One that is there as null is not absent. */
export function optional<T, D>(read: Read<T>, value: D): Field<T | D> {
  return { read, absent: { value } };
}

/**
 * Reads the map under the cursor by a table of its members: every one is read, so that all mistakes
 * show, and any other key is a problem that names the nearest known one (with `unknownCode`, when
 * given). Undefined when a member is missing or wrong.
 */
export function readFields<const F extends Fields>(
  at: YamlCursor,
  fields: F,
  unknownCode: Code = at.code,
): FieldValues<F> | undefined {
  if (at.node?.kind !== 'map') return addUnexpected(at, 'a map');
  refuseUnknownKeys(at, Object.keys(fields), unknownCode);
  const values: Record<string, unknown> = Object.create(null);
  for (const [key, { read, absent }] of Object.entries(fields)) {
    const member = memberOf(at, key);
    const value = member.node === undefined && absent !== null ? absent.value : read(member);
    if (value !== undefined) values[key] = value;
  }
  return isComplete(values, fields) ? values : undefined;
}

function isComplete<F extends Fields>(values: object, fields: F): values is FieldValues<F> {
  return Object.keys(fields).every((key) => Object.hasOwn(values, key));
}

/** Adds a problem for each key of the map under the cursor that is none of `known`. */
export function refuseUnknownKeys(
  at: YamlCursor,
  known: readonly string[],
  code: Code = at.code,
): void {
  if (at.node?.kind !== 'map') return;
  for (const { key, place } of at.node.entries) {
    if (known.includes(key)) continue;
    const near = meantWord(key, known);
    const tail = near === '' ? `, expected one of ${known.join(', ')}` : near;
    const where = at.place.path === '' ? 'the document' : at.place.path;
    at.problems.push(problemAt(place, code, `unknown field ${quote(key)} in ${where}${tail}`));
  }
}
