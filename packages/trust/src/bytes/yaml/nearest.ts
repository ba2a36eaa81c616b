/** Words longer than this are no slips of the finger. */
const MAX_WORD = 64;

/**
 * The one of `words` that `found` was most likely meant to be: the same but for case, or few edits
 * away (insert, drop, change, swap neighbours; one for each three characters). Null when none is near.
 */
export function nearestWord(found: string, words: readonly string[]): string | null {
  if (found.length > MAX_WORD) return null;
  const lower = found.toLowerCase();
  let best: string | null = null;
  let least = Math.max(1, Math.floor(found.length / 3)) + 1;
  for (const word of words) {
    if (Math.abs(word.length - found.length) >= least) continue;
    const edits = editDistance(lower, word.toLowerCase());
    if (edits < least) {
      best = word;
      least = edits;
    }
  }
  return best;
}

/** Optimal string alignment distance (Damerau 1964), O(a·b). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(change, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? a.length;
}
