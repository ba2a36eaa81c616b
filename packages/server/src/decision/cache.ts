import type { Decision } from '@bulla/trust/policy/decision';

/** A decision as the cache keeps it: of its trees the reason alone; the record has them whole. */
export interface CachedDecision {
  readonly decision: Decision;
  /** The instant from which on it may not be used. */
  readonly until: Date;
  /** What the counters stood at when the decision was asked for. */
  readonly epoch: string;
  /** Who has used it, each with the decision id under which that was recorded. */
  readonly users: Map<string, string>;
}

/** Decisions by the text of all that they depend on (semantics 14); the longest unused goes first. */
export interface DecisionCache {
  get(key: string): CachedDecision | null;
  set(key: string, cached: CachedDecision): void;
  /** Forgets the entries whose key starts so and that `which` chooses. */
  forget(prefix: string, which: (cached: CachedDecision) => boolean): void;
  clear(): void;
  size(): number;
}

/** A cache of at most `entries` decisions. */
export function openCache(entries: number): DecisionCache {
  const map = new Map<string, CachedDecision>();
  return {
    get(key) {
      const found = map.get(key);
      if (found === undefined) return null;
      // A map keeps the order of insertion: the entry used last comes last.
      map.delete(key);
      map.set(key, found);
      return found;
    },
    set(key, cached) {
      map.delete(key);
      map.set(key, cached);
      for (const oldest of map.keys()) {
        if (map.size <= entries) break;
        map.delete(oldest);
      }
    },
    forget(prefix, which) {
      for (const [key, cached] of map) {
        if (key.startsWith(prefix) && which(cached)) map.delete(key);
      }
    },
    clear: () => map.clear(),
    size: () => map.size,
  };
}
