import { Composer, type Document, isAlias, isMap, isScalar, isSeq, LineCounter } from 'yaml';
import type { Code } from '../../fault/codes.ts';
import { printable, quote } from '../../fault/fault.ts';
import { memberPath, type Place, type YamlEntry, type YamlNode } from './node.ts';
import { type Problem, problemAt } from './problem.ts';
import { scanSyntax } from './syntax.ts';

/** What a file of YAML may be at most. */
export interface YamlLimits {
  /** Largest file, in bytes. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Deepest nesting of maps and lists. Default 64. */
  readonly maxDepth?: number;
  /** Most values and keys in the file. Default 100,000. */
  readonly maxNodes?: number;
}

/** The documents of a file, and what is wrong with it. */
export interface YamlFile {
  readonly documents: readonly YamlNode[];
  readonly problems: readonly Problem[];
}

const decoder = new TextDecoder('utf-8', { fatal: true });
/**
 * YAML 1.2.2 §5.1 allows no other controls. Beyond it, what some readers take for the end of a line
 * and others for part of a comment, and overrides of direction, which hide what is said.
 */
const UNPRINTABLE =
  /(?![\t\n\r])\p{Cc}|\r(?!\n)|[\u2028\u2029\uFEFF\uFFFE\uFFFF\u202A-\u202E\u2066-\u2069]/u;

/**
 * The documents of YAML 1.2 (core schema) or JSON text, separated by `---`; empty ones are left out.
 * Problems carry the caller's `code`, with line and column. Refused are: what is not UTF-8 or not
 * YAML, duplicate and non-string keys, anchors, aliases, merge keys, tags, directives, NaN and
 * infinities, whole numbers above 2^53, control characters, and what exceeds the limits. Whoever
 * finds an error among the problems must not use the documents but to look for more. Never throws.
 */
export function parseYamlDocuments(
  bytes: Uint8Array,
  file: string,
  code: Code,
  limits: YamlLimits = {},
): YamlFile {
  const start: Place = { file, line: 1, column: 1, path: '' };
  const refused = (message: string): YamlFile => ({
    documents: [],
    problems: [problemAt(start, code, message)],
  });
  const maxBytes = limits.maxBytes ?? 1 << 20;
  if (bytes.length > maxBytes) {
    return refused(`expected at most ${maxBytes} bytes, found ${bytes.length}`);
  }
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return refused('expected UTF-8, found other bytes');
  }
  const lines = new LineCounter();
  const { maxDepth = 64, maxNodes = 100_000 } = limits;
  const { tokens, refusals } = scanSyntax(text, { maxDepth, maxNodes }, lines.addNewLine);
  const source: Source = { file, code, lines, problems: [] };
  const hidden = text.search(UNPRINTABLE);
  if (hidden !== -1) {
    const found = quote(text.slice(hidden, hidden + 1));
    report(source, hidden, '', `expected printable text, found ${found}`);
  }
  for (const { offset, message } of refusals) report(source, offset, '', message);
  const documents = refusals.length > 0 ? [] : compose(source, tokens);
  return { documents, problems: source.problems };
}

/** The file that is read, and what was found wrong so far. */
interface Source {
  readonly file: string;
  readonly code: Code;
  readonly lines: LineCounter;
  readonly problems: Problem[];
}

function placeAt(source: Source, offset: number, path: string): Place {
  const { line, col } = source.lines.linePos(offset);
  return { file: source.file, line: Math.max(1, line), column: Math.max(1, col), path };
}

function report(source: Source, offset: number, path: string, message: string): void {
  const at = path === '' ? '' : ` at ${path}`;
  source.problems.push(problemAt(placeAt(source, offset, path), source.code, `${message}${at}`));
}

function compose(source: Source, tokens: Parameters<Composer['compose']>[0]): YamlNode[] {
  // The composer compares each key with each other one; entriesOf does it in linear time.
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter: source.lines,
  });
  const documents: YamlNode[] = [];
  for (const document of composer.compose(tokens)) {
    for (const { pos, message } of [...document.errors, ...document.warnings]) {
      report(source, pos[0], '', `expected YAML: ${printable(message).slice(0, 300)}`);
    }
    const node = document.errors.length > 0 ? null : rootOf(source, document);
    if (node !== null) documents.push(node);
  }
  return documents;
}

function rootOf(source: Source, { contents }: Document.Parsed): YamlNode | null {
  const isEmpty =
    contents === null || (isScalar(contents) && contents.value === null && contents.source === '');
  return isEmpty ? null : nodeOf(source, contents, '', 0);
}

/** The composer's node, of whatever kind, as ours; `before` is the offset for what has no own. */
function nodeOf(source: Source, value: unknown, path: string, before: number): YamlNode {
  const offset = offsetOf(value) ?? before;
  const place = placeAt(source, offset, path);
  if (isMap(value)) return { kind: 'map', entries: entriesOf(source, value.items, place), place };
  if (isSeq(value)) {
    const items = value.items.map((item, index) =>
      nodeOf(source, item, `${path}[${index}]`, offset),
    );
    return { kind: 'list', items, place };
  }
  const scalar: unknown = isScalar(value) ? value.value : isAlias(value) ? undefined : value;
  return { kind: 'scalar', value: scalarOf(source, scalar, offset, path), place };
}

function offsetOf(value: unknown): number | null {
  return isMap(value) || isSeq(value) || isScalar(value) ? (value.range?.[0] ?? null) : null;
}

function scalarOf(
  source: Source,
  value: unknown,
  offset: number,
  path: string,
): string | number | boolean | null {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      if (!value.isWellFormed()) {
        report(source, offset, path, 'expected Unicode text, found half of a surrogate pair');
      }
      return value;
    case 'number':
      if (!Number.isFinite(value)) {
        report(source, offset, path, 'expected a finite number');
      } else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        report(source, offset, path, 'expected a number of at most 2^53, or text in quotes');
      }
      return value;
    default:
      // null; other values no token of the core schema without tags makes.
      if (value !== null) report(source, offset, path, 'expected a plain value');
      return null;
  }
}

/** What the composer calls a pair. */
interface Member {
  readonly key: unknown;
  readonly value: unknown;
}

function entriesOf(source: Source, items: readonly Member[], map: Place): readonly YamlEntry[] {
  const entries = new Map<string, YamlEntry>();
  const start = source.lines.lineStarts[map.line - 1] ?? 0;
  for (const item of items) {
    const offset = offsetOf(item.key) ?? start + map.column - 1;
    const key: unknown = isScalar(item.key) ? item.key.value : null;
    if (typeof key !== 'string' || !key.isWellFormed()) {
      report(source, offset, map.path, 'expected text as a key; put other values in quotes');
      continue;
    }
    const path = memberPath(map.path, key);
    if (key === '<<' && isScalar(item.key) && item.key.type === 'PLAIN') {
      const why = 'what a document says must stand where it holds, so write it out';
      report(source, offset, path, `found a merge key (<<): ${why}`);
      continue;
    }
    const earlier = entries.get(key);
    if (earlier !== undefined) {
      const line = earlier.place.line;
      report(
        source,
        offset,
        path,
        `expected each key once, found ${quote(key)} of line ${line} again`,
      );
      continue;
    }
    const place = placeAt(source, offset, path);
    entries.set(key, { key, place, value: nodeOf(source, item.value, path, offset) });
  }
  return [...entries.values()];
}
