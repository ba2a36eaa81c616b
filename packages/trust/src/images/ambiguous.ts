import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Pair, visit } from 'yaml';

/** What another reader takes for something else, and its offset in the text. */
export interface Ambiguous {
  readonly expected: string;
  readonly found: string;
  readonly offset: number;
}

/**
 * What kubectl's reader takes otherwise than the rest of the world; null where there is nothing of
 * that. It lets what a merge key (`<<`) brings win over what stands before it in the mapping, where the
 * mapping's own wins for all others (YAML 1.1, "Merge Key Language-Independent Type"). And it takes a
 * file that begins with an object of JSON for JSON, also where that is the key of a mapping; so a key
 * must be text that stands there.
 */
export function findAmbiguous(document: Document): Ambiguous | null {
  const keysOf = mergedKeys(document);
  let found: Ambiguous | null = null;
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const pair of map.items) {
        const { key } = pair;
        if (!isScalar(key)) {
          found = {
            expected: 'keys that are text',
            found: 'another',
            offset: offsetOf(key ?? map),
          };
          return visit.BREAK;
        }
        const merged = isMerge(pair) ? keysOf(pair.value) : null;
        const over = merged?.find((name) => seen.has(name));
        if (over !== undefined) {
          const expected = '<< before the keys that it has as well';
          found = { expected, found: over, offset: offsetOf(key) };
          return visit.BREAK;
        }
        for (const name of merged ?? [textOf(key)]) seen.add(name);
      }
      return undefined;
    },
  });
  return found;
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

/** The library keeps the key of a merge as a symbol where it has the tag of one. */
function isMerge({ key }: Pair): boolean {
  return isScalar(key) && textOf(key) === '<<';
}

function textOf(key: unknown): string {
  const value = isScalar(key) ? key.value : key;
  return typeof value === 'symbol' ? (value.description ?? '') : String(value);
}

/** The keys that a merged value brings: of a mapping, or of a list of them; each asked for once. */
function mergedKeys(document: Document): (value: unknown) => readonly string[] {
  const known = new Map<unknown, readonly string[]>();
  return function keysOf(value: unknown): readonly string[] {
    const target = isAlias(value) ? value.resolve(document) : value;
    const before = known.get(target);
    if (before !== undefined) return before;
    // What merges itself brings nothing by that.
    known.set(target, []);
    const keys = isSeq(target)
      ? target.items.flatMap(keysOf)
      : isMap(target)
        ? target.items.flatMap((pair) => (isMerge(pair) ? keysOf(pair.value) : [textOf(pair.key)]))
        : [];
    const distinct = [...new Set(keys)];
    known.set(target, distinct);
    return distinct;
  };
}
