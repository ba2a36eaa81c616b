/** A set of code points as sorted, disjoint, inclusive pairs: `[from, to, from, to, …]`. */
export type CharSet = readonly number[];

const LAST_CODE_POINT = 0x10ffff;

/** The set of the given pairs, in any order, which may overlap. */
export function charSet(pairs: readonly (readonly [number, number])[]): CharSet {
  const sorted = [...pairs].sort(([a], [b]) => a - b);
  const merged: number[] = [];
  for (const [from, to] of sorted) {
    const last = merged.at(-1);
    if (last === undefined || from > last + 1) merged.push(from, to);
    else if (to > last) merged[merged.length - 1] = to;
  }
  return merged;
}

/** The pairs of a set. */
export function pairsOf(set: CharSet): readonly (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  for (let at = 0; at < set.length; at += 2) pairs.push([set[at] ?? 0, set[at + 1] ?? 0]);
  return pairs;
}

/** Every code point that is not in `set`. */
export function complement(set: CharSet): CharSet {
  const pairs: (readonly [number, number])[] = [];
  let next = 0;
  for (const [from, to] of pairsOf(set)) {
    if (from > next) pairs.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST_CODE_POINT) pairs.push([next, LAST_CODE_POINT]);
  return charSet(pairs);
}

/** The set with both cases of each ASCII letter in it; other letters fold in surprising ways. */
export function foldAscii(set: CharSet): CharSet {
  const pairs = pairsOf(set);
  const folded = pairs.flatMap(([from, to]) => [
    ...shifted(from, to, 0x41, 0x5a, 32),
    ...shifted(from, to, 0x61, 0x7a, -32),
  ]);
  return charSet([...pairs, ...folded]);
}

function shifted(from: number, to: number, first: number, last: number, by: number) {
  const [low, high] = [Math.max(from, first), Math.min(to, last)];
  return low > high ? [] : [[low + by, high + by] as const];
}

/** Whether `point` is in the set. */
export function has(set: CharSet, point: number): boolean {
  let low = 0;
  let high = set.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (point > (set[2 * middle + 1] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low < set.length / 2 && point >= (set[2 * low] ?? 0);
}

/** Decimal digits, word characters and white space as RE2 has them: ASCII only. */
export const CLASSES: Readonly<Record<'d' | 'w' | 's', CharSet>> = {
  d: charSet([[0x30, 0x39]]),
  w: charSet([
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ]),
  s: charSet([
    [0x09, 0x0a],
    [0x0c, 0x0d],
    [0x20, 0x20],
  ]),
};

export const ANY: CharSet = [0, LAST_CODE_POINT];

/** What `.` stands for: everything but a line feed, as in RE2. */
export const NOT_NEWLINE: CharSet = complement([0x0a, 0x0a]);

/** What a glob's `*` runs over. */
export const NOT_SLASH: CharSet = complement([0x2f, 0x2f]);
