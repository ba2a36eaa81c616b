import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, visit } from 'yaml';

/**
 * A key that stands in a mapping and in what a merge key (`<<`) behind it brings, with its offset in
 * the text; null where there is none. The reader of Kubernetes' tools lets the merged value win there,
 * all others the mapping's own (YAML 1.1, "Merge Key Language-Independent Type").
 */
export function findMergedOver(
  document: Document,
): { readonly key: string; readonly offset: number } | null {
  const keysOf = mergedKeys(document);
  let found: { readonly key: string; readonly offset: number } | null = null;
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const pair of map.items) {
        const merged = isMerge(pair) ? keysOf(pair.value) : null;
        const over = merged?.find((key) => seen.has(key));
        if (over !== undefined) {
          const [offset = 0] = (isScalar(pair.key) && pair.key.range) || [];
          found = { key: over, offset };
          return visit.BREAK;
        }
        for (const key of merged ?? [textOf(pair.key)]) seen.add(key);
      }
      return undefined;
    },
  });
  return found;
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
