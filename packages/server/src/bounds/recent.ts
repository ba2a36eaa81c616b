/** A map that is bounded by the weight of its values; what was not used for longest makes room. */
export interface Recent<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
  /** What it holds, the longest unused first. Looking is no use. */
  entries(): Iterable<readonly [string, T]>;
  readonly size: number;
}

/** An empty map of at most `most` in weight; by default each value weighs one. */
export function openRecent<T>(most: number, weightOf: (value: T) => number = () => 1): Recent<T> {
  const held = new Map<string, { readonly value: T; readonly weight: number }>();
  let total = 0;
  const remove = (key: string): void => {
    total -= held.get(key)?.weight ?? 0;
    held.delete(key);
  };
  return {
    get(key) {
      const found = held.get(key);
      if (found === undefined) return undefined;
      // A map keeps the order of insertion: the first is the one to go.
      held.delete(key);
      held.set(key, found);
      return found.value;
    },
    set(key, value) {
      remove(key);
      const weight = weightOf(value);
      held.set(key, { value, weight });
      total += weight;
      for (const oldest of held.keys()) {
        if (total <= most) break;
        remove(oldest);
      }
    },
    delete: remove,
    *entries() {
      for (const [key, { value }] of held) yield [key, value] as const;
    },
    get size() {
      return held.size;
    },
  };
}
