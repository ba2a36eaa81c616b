import { type CharSet, CLASSES, charSet, complement, foldAscii, pairsOf } from './char-set.ts';
import { invalid, type RegexCursor } from './regex-cursor.ts';

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['t', 0x09],
  ['n', 0x0a],
  ['v', 0x0b],
  ['f', 0x0c],
  ['r', 0x0d],
]);

const NAMED: ReadonlyMap<string, CharSet> = new Map([
  ['d', CLASSES.d],
  ['D', complement(CLASSES.d)],
  ['w', CLASSES.w],
  ['W', complement(CLASSES.w)],
  ['s', CLASSES.s],
  ['S', complement(CLASSES.s)],
]);

/** The set of the escape at the cursor, which then stands behind it. */
export function readEscape(cursor: RegexCursor): CharSet {
  const letter = cursor.points[cursor.at + 1];
  if (letter === undefined) throw invalid(cursor, 'a backslash at its end');
  const named = NAMED.get(letter);
  if (named !== undefined) {
    cursor.at += 2;
    return named;
  }
  const point = readEscapedPoint(cursor, letter);
  return [point, point];
}

function readEscapedPoint(cursor: RegexCursor, letter: string): number {
  if (letter === 'x') return readHexPoint(cursor);
  const control = CONTROLS.get(letter);
  // RE2: a backslash before ASCII punctuation takes its meaning; before others it is an error.
  if (control === undefined && !/^[!-/:-@[-`{-~]$/.test(letter)) {
    throw invalid(cursor, 'an escape that is not allowed');
  }
  cursor.at += 2;
  return control ?? letter.charCodeAt(0);
}

/** `\xHH` or `\x{H…}`. */
function readHexPoint(cursor: RegexCursor): number {
  const rest = cursor.points.slice(cursor.at, cursor.at + 10).join('');
  const [whole, short, long] = /^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest) ?? [];
  const point = Number.parseInt(short ?? long ?? '', 16);
  if (whole === undefined || point > 0x10ffff) throw invalid(cursor, 'a code point that is none');
  cursor.at += whole.length;
  return point;
}

/** The set of the class `[…]` at the cursor, which then stands behind it. */
export function readClass(cursor: RegexCursor): CharSet {
  const opened = cursor.at;
  cursor.at++;
  const negated = cursor.points[cursor.at] === '^';
  if (negated) cursor.at++;
  const pairs: (readonly [number, number])[] = [];
  const first = cursor.at;
  for (;;) {
    const next = cursor.points[cursor.at];
    if (next === undefined) throw invalid(cursor, 'a class that is not closed', opened);
    if (next === ']') break;
    pairs.push(...readRange(cursor, first));
  }
  // `[]` is nothing in JavaScript and begins a class with "]" in RE2.
  if (cursor.at === first) throw invalid(cursor, 'an empty class');
  cursor.at++;
  // Folded before it is negated: `(?i)[^a]` excludes "A" as well.
  const set = cursor.fold ? foldAscii(charSet(pairs)) : charSet(pairs);
  return negated ? complement(set) : set;
}

function readRange(cursor: RegexCursor, first: number): readonly (readonly [number, number])[] {
  const start = cursor.at;
  const set = readMember(cursor, first);
  const [from, to] = set;
  const follows = cursor.points[cursor.at + 1];
  if (cursor.points[cursor.at] !== '-' || follows === ']' || follows === undefined) {
    return pairsOf(set);
  }
  cursor.at++;
  const [last, end] = readMember(cursor, first);
  const single = set.length === 2 && from === to && last === end;
  if (!single || from === undefined || last === undefined || last < from) {
    throw invalid(
      { ...cursor, at: start },
      'a range that is not from a lower to a higher character',
    );
  }
  return [[from, last]];
}

function readMember(cursor: RegexCursor, first: number): CharSet {
  const character = cursor.points[cursor.at] ?? '';
  if (character === '\\') return readEscape(cursor);
  // `[[:alpha:]]` is a named class to RE2 and four characters to JavaScript.
  if (character === '[') throw invalid(cursor, '"[" in a class without a backslash');
  const last = cursor.points[cursor.at + 1] === ']';
  if (character === '-' && cursor.at !== first && !last) {
    throw invalid(cursor, '"-" inside a class without a backslash');
  }
  cursor.at++;
  const point = character.codePointAt(0) ?? 0;
  return [point, point];
}
