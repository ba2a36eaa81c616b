import { type CharSet, foldAscii, NOT_NEWLINE } from './char-set.ts';
import { readClass, readEscape } from './regex-class.ts';
import { invalid, type RegexCursor } from './regex-cursor.ts';
import type { PatternNode } from './syntax.ts';

const MAX_NESTING = 32;
const MAX_REPEAT = 1000;

/**
 * The regular part of RE2's syntax: literals, classes, `.`, groups, alternation, `* + ? {m,n}`
 * (lazy forms too: they match the same values), `^ $`, escapes, and `(?i)` in front, for ASCII
 * letters. Throws `policy.pattern-invalid`, with the position, for everything else: look-around,
 * back-references, other flags, `\b`, `\p`, and signs that engines read differently.
 */
export function parseRegex(text: string): PatternNode {
  const fold = text.startsWith('(?i)');
  const cursor: RegexCursor = { points: [...text], fold, at: fold ? 4 : 0 };
  const node = readChoice(cursor, 0);
  if (cursor.at < cursor.points.length) throw invalid(cursor, 'a group that was not opened');
  return node;
}

function readChoice(cursor: RegexCursor, depth: number): PatternNode {
  if (depth > MAX_NESTING) throw invalid(cursor, `groups nested over ${MAX_NESTING} deep`);
  const options = [readSequence(cursor, depth)];
  while (cursor.points[cursor.at] === '|') {
    cursor.at++;
    options.push(readSequence(cursor, depth));
  }
  const [only] = options;
  return options.length === 1 && only !== undefined ? only : { kind: 'choice', options };
}

function readSequence(cursor: RegexCursor, depth: number): PatternNode {
  const items: PatternNode[] = [];
  for (;;) {
    const next = cursor.points[cursor.at];
    if (next === undefined || next === '|' || next === ')') return { kind: 'sequence', items };
    items.push(readRepeat(cursor, readAtom(cursor, depth)));
  }
}

function readAtom(cursor: RegexCursor, depth: number): PatternNode {
  const character = cursor.points[cursor.at] ?? '';
  switch (character) {
    case '(':
      return readGroup(cursor, depth);
    case '[':
      return { kind: 'set', set: readClass(cursor) };
    case '\\':
      return charNode(cursor, readEscape(cursor));
    case '.':
      cursor.at++;
      return { kind: 'set', set: NOT_NEWLINE };
    case '^':
      cursor.at++;
      return { kind: 'start' };
    case '$':
      cursor.at++;
      return { kind: 'end' };
    case '*':
    case '+':
    case '?':
      throw invalid(cursor, 'a repetition of nothing');
    case '{':
    case '}':
    case ']':
      // Engines disagree on whether these stand for themselves.
      throw invalid(cursor, `"${character}" without a backslash`);
    default: {
      cursor.at++;
      const point = character.codePointAt(0) ?? 0;
      return charNode(cursor, [point, point]);
    }
  }
}

function charNode(cursor: RegexCursor, set: CharSet): PatternNode {
  return { kind: 'set', set: cursor.fold ? foldAscii(set) : set };
}

function readGroup(cursor: RegexCursor, depth: number): PatternNode {
  const opened = cursor.at;
  cursor.at++;
  if (cursor.points[cursor.at] === '?') {
    if (cursor.points[cursor.at + 1] !== ':')
      throw invalid(cursor, 'a flag, a name or look-around');
    cursor.at += 2;
  }
  const node = readChoice(cursor, depth + 1);
  if (cursor.points[cursor.at] !== ')') {
    throw invalid(cursor, 'a group that is not closed', opened);
  }
  cursor.at++;
  return node;
}

function readRepeat(cursor: RegexCursor, item: PatternNode): PatternNode {
  const bounds = readBounds(cursor);
  if (bounds === null) return item;
  if (item.kind === 'start' || item.kind === 'end') throw invalid(cursor, 'a repeated anchor');
  // A lazy repetition matches the same whole values as a greedy one.
  if (cursor.points[cursor.at] === '?') cursor.at++;
  if (/^[*+?{]$/.test(cursor.points[cursor.at] ?? '')) {
    throw invalid(cursor, 'a repetition of a repetition');
  }
  return { kind: 'repeat', item, ...bounds };
}

interface Bounds {
  readonly least: number;
  readonly most: number | null;
}

const SIGNS: ReadonlyMap<string, Bounds> = new Map([
  ['*', { least: 0, most: null }],
  ['+', { least: 1, most: null }],
  ['?', { least: 0, most: 1 }],
]);

function readBounds(cursor: RegexCursor): Bounds | null {
  const sign = SIGNS.get(cursor.points[cursor.at] ?? '');
  if (sign !== undefined) {
    cursor.at++;
    return sign;
  }
  if (cursor.points[cursor.at] !== '{') return null;
  const rest = cursor.points.slice(cursor.at, cursor.at + 12).join('');
  const [whole, first, comma, second] = /^\{(\d{1,4})(,)?(\d{1,4})?\}/.exec(rest) ?? [];
  if (whole === undefined || (comma === undefined && second !== undefined)) {
    throw invalid(cursor, 'a repetition that is not {m}, {m,} or {m,n}');
  }
  const least = Number(first);
  const most = comma === undefined ? least : second === undefined ? null : Number(second);
  if (least > MAX_REPEAT || (most ?? 0) > MAX_REPEAT || (most !== null && most < least)) {
    throw invalid(cursor, `a repetition that is not within 0 to ${MAX_REPEAT}, in order`);
  }
  cursor.at += whole.length;
  return { least, most };
}
