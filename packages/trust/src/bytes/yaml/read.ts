import type { Code } from '../../fault/codes.ts';
import { quote } from '../../fault/fault.ts';
import { nearestWord } from './nearest.ts';
import { memberPath, type Place, type YamlNode } from './node.ts';
import { hasErrors, type Problem, problemAt, warningAt } from './problem.ts';

/**
 * A cursor on a positioned value: `node` is undefined where a member is absent, and `place` is then
 * that of the map that lacks it. `code` is the code of problems; they are collected in `problems`.
 */
export interface YamlCursor {
  readonly node: YamlNode | undefined;
  readonly place: Place;
  readonly code: Code;
  /** Grows as the document is read. */
  readonly problems: Problem[];
}

/**
 * Reads what is under a cursor. Undefined means that a problem was added, so that a caller who goes
 * on finds the others too; nothing that is read is ever undefined.
 */
export type Read<T> = (at: YamlCursor) => T | undefined;

/**
 * Reads a whole document and gives its value, or null when any error was found: a value of which a
 * part is wrong is never given. The problems come with it, in the order of the text.
 */
export function readDocument<T>(
  node: YamlNode,
  code: Code,
  read: Read<T>,
): { readonly value: T | null; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const value = read({ node, place: node.place, code, problems });
  const sorted = problems.toSorted(
    (a, b) => a.place.line - b.place.line || a.place.column - b.place.column,
  );
  return { value: value === undefined || hasErrors(problems) ? null : value, problems: sorted };
}

/** Adds an error at the cursor; `code` and `remedy` replace the cursor's and the code's own. */
export function addProblem(
  at: YamlCursor,
  message: string,
  options: { readonly code?: Code; readonly remedy?: string } = {},
): undefined {
  at.problems.push(problemAt(at.place, options.code ?? at.code, message, options.remedy));
}

/** Adds a remark at the cursor, which refuses nothing. */
export function addWarning(at: YamlCursor, code: Code, message: string, remedy?: string): void {
  at.problems.push(warningAt(at.place, code, message, remedy));
}

/** Adds `expected … at PATH, found …`; the tail may name what was probably meant. */
export function addUnexpected(at: YamlCursor, expected: string, tail = ''): undefined {
  const where = at.place.path === '' ? 'as the document' : `at ${at.place.path}`;
  addProblem(at, `expected ${expected} ${where}, found ${describe(at.node)}${tail}`);
}

function describe(node: YamlNode | undefined): string {
  if (node === undefined) return 'nothing';
  if (node.kind !== 'scalar') return node.kind === 'map' ? 'a map' : 'a list';
  if (node.value === null) return 'null';
  return typeof node.value === 'string' ? quote(node.value) : `${node.value}`;
}

/** `(did you mean "…"?)` when one of `words` is near, else nothing; to stand at a message's end. */
export function meantWord(found: string, words: readonly string[]): string {
  const near = nearestWord(found, words);
  return near === null ? '' : ` (did you mean ${quote(near)}?)`;
}

/** A cursor on member `key`; its node is undefined when absent, or when this is no map. */
export function memberOf(at: YamlCursor, key: string): YamlCursor {
  const entries = at.node?.kind === 'map' ? at.node.entries : [];
  const entry = entries.find((candidate) => candidate.key === key);
  const place = entry?.value.place ?? { ...at.place, path: memberPath(at.place.path, key) };
  return { ...at, node: entry?.value, place };
}

/** The keys of the map under the cursor; none when it is no map, which is not reported. */
export function keysOf(at: YamlCursor): readonly string[] {
  return at.node?.kind === 'map' ? at.node.entries.map(({ key }) => key) : [];
}

/** Any text, the empty one too. */
export function readString(at: YamlCursor): string | undefined {
  if (at.node?.kind === 'scalar' && typeof at.node.value === 'string') return at.node.value;
  const tail = at.node?.kind === 'scalar' && at.node.value !== null ? '; put it in quotes' : '';
  return addUnexpected(at, 'text', tail);
}

/** Text that is not empty. */
export function readText(at: YamlCursor): string | undefined {
  const text = readString(at);
  return text === '' ? addUnexpected(at, 'text that is not empty') : text;
}

/** Text that matches `form` as a whole; `expected` says in words what that is. */
export function textOf(form: RegExp, expected: string): Read<string> {
  return (at) => {
    const text = readString(at);
    if (text === undefined) return undefined;
    return form.test(text) ? text : addUnexpected(at, expected);
  };
}

/** `true` or `false`; `yes` and `on` are text in YAML 1.2 and refused. */
export function readBoolean(at: YamlCursor): boolean | undefined {
  if (at.node?.kind === 'scalar' && typeof at.node.value === 'boolean') return at.node.value;
  return addUnexpected(at, 'true or false');
}

/** A whole number within both bounds. */
export function integerOf(min: number, max: number = Number.MAX_SAFE_INTEGER): Read<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return (at) => {
    const value = at.node?.kind === 'scalar' ? at.node.value : null;
    const fits = typeof value === 'number' && Number.isSafeInteger(value);
    return fits && value >= min && value <= max
      ? value
      : addUnexpected(at, `a whole number ${range}`);
  };
}

/** One of the words; a near one is named. */
export function oneOf<const T extends string>(words: readonly T[]): Read<T> {
  return (at) => {
    const value = at.node?.kind === 'scalar' ? at.node.value : null;
    const found = words.find((word) => word === value);
    const tail = typeof value === 'string' ? meantWord(value, words) : '';
    return found ?? addUnexpected(at, `one of ${words.join(', ')}`, tail);
  };
}

/** A list, each item read by `read`; by default of 0 to 1000 items. */
export function listOf<T>(
  read: Read<T>,
  { min = 0, max = 1000 }: { readonly min?: number; readonly max?: number } = {},
): Read<readonly T[]> {
  return (at) => {
    if (at.node?.kind !== 'list') return addUnexpected(at, 'a list');
    const { items } = at.node;
    if (items.length < min || items.length > max) {
      const expected = items.length < min ? `at least ${min}` : `at most ${max}`;
      return addProblem(
        at,
        `expected a list of ${expected} at ${at.place.path}, found ${items.length} items`,
      );
    }
    const read_ = items.map((node) => read({ ...at, node, place: node.place }));
    const kept = read_.filter((item) => item !== undefined);
    return kept.length === items.length ? kept : undefined;
  };
}

/** A map of any keys, each value read by `read`, in the order of the text. */
export function mapOf<T>(read: Read<T>): Read<ReadonlyMap<string, T>> {
  return (at) => {
    if (at.node?.kind !== 'map') return addUnexpected(at, 'a map');
    const found = new Map<string, T>();
    for (const { key, value: node } of at.node.entries) {
      const value = read({ ...at, node, place: node.place });
      if (value !== undefined) found.set(key, value);
    }
    return found.size === at.node.entries.length ? found : undefined;
  };
}

/** As `mapOf`, as an object without prototype. */
export function recordOf<T>(read: Read<T>): Read<Readonly<Record<string, T>>> {
  const readMap = mapOf(read);
  return (at) => {
    const map = readMap(at);
    if (map === undefined) return undefined;
    const record: Record<string, T> = Object.create(null);
    for (const [key, value] of map) record[key] = value;
    return record;
  };
}
