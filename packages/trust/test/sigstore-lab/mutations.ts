import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { flipped } from '../tlog/merkle-tree.ts';

/** The way to a node of a JSON document: member names and array indexes. */
export type Path = readonly (string | number)[];

/** `verificationMaterial.tlogEntries.0.logIndex` */
export function nameOf(path: Path): string {
  return path.join('.');
}

function childrenOf(value: unknown): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return [...value.entries()];
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** Every node of a document but the document itself. */
export function* pathsOf(document: unknown, at: Path = []): Generator<Path> {
  for (const [key, child] of childrenOf(document)) {
    const path = [...at, key];
    yield path;
    yield* pathsOf(child, path);
  }
}

/** The value at a path; undefined where the document has none. */
export function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    document,
  );
}

/** A copy of the document with another value at a path; undefined takes the member away. */
export function edited<T>(document: T, path: Path, value: unknown): T {
  const copy = structuredClone(document);
  const parent = valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  const last = path.at(-1) ?? '';
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return copy;
}

/** As `edited`, with the path as text. */
export function set<T>(document: T, path: string, value: unknown): T {
  const keys = path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  return edited(document, keys, value);
}

/** Base64 of the same bytes with one bit flipped; a negative index counts from the end. */
export function flipBase64(text: unknown, index = 0): string {
  const bytes = Buffer.from(String(text), 'base64');
  return encodeBase64(flipped(bytes, index < 0 ? bytes.length + index : index));
}

/** A copy of the document with one bit of the base64 at a path flipped. */
export function flip<T>(document: T, path: string, index = 0): T {
  const keys = path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  return edited(document, keys, flipBase64(valueAt(document, keys), index));
}

/** One change of a document. */
export interface Mutation<T> {
  readonly name: string;
  readonly path: Path;
  readonly document: T;
}

const EMPTY_VALUES = ['', 0, {}, [], null] as const;
const OTHER_TYPES = ['x', 12345, true, { x: 1 }, ['x']] as const;

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}

/**
 * Each node of the document taken away, made empty, given another type, and replaced by the same
 * node of `other`, a valid document about something else.
 */
export function* mutationsOf<T>(document: T, other: unknown): Generator<Mutation<T>> {
  for (const path of pathsOf(document)) {
    const value = valueAt(document, path);
    const change = (what: string, replacement: unknown): Mutation<T> => ({
      name: `${nameOf(path)} ${what}`,
      path,
      document: edited(document, path, replacement),
    });
    yield change('deleted', undefined);
    for (const empty of EMPTY_VALUES) {
      if (JSON.stringify(empty) !== JSON.stringify(value)) {
        yield change(`= ${JSON.stringify(empty)}`, empty);
      }
    }
    for (const strange of OTHER_TYPES) {
      if (kindOf(strange) !== kindOf(value)) yield change(`= ${JSON.stringify(strange)}`, strange);
    }
    const theirs = valueAt(other, path);
    if (theirs !== undefined && JSON.stringify(theirs) !== JSON.stringify(value)) {
      yield change('of another document', theirs);
    }
  }
}
