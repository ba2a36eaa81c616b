import type { Decision } from '@bulla/trust/policy/decision';
import { openRecent, type Recent } from '../bounds/recent.ts';

/** A decision as the cache keeps it: of its trees the reason alone; the record has them whole. */
export interface CachedDecision {
  readonly decision: Decision;
  /** The instant from which on it may not be used. */
  readonly until: Date;
  /** What the counters stood at when the decision was asked for. */
  readonly epoch: string;
}

/** Decisions by the text of all that they depend on (semantics 14); the longest unused goes first. */
export interface DecisionCache extends Pick<Recent<CachedDecision>, 'get' | 'set' | 'size'> {
  /** Forgets the entries whose key starts so and that `which` chooses. */
  forget(prefix: string, which: (cached: CachedDecision) => boolean): void;
}

/** A cache of at most `entries` decisions. */
export function openCache(entries: number): DecisionCache {
  const recent = openRecent<CachedDecision>(entries);
  return {
    get: recent.get,
    set: recent.set,
    forget(prefix, which) {
      for (const [key, cached] of recent.entries()) {
        if (key.startsWith(prefix) && which(cached)) recent.delete(key);
      }
    },
    get size() {
      return recent.size;
    },
  };
}
