import type { Decision } from '@bulla/trust/policy/decision';
import type { Principal } from '../http/principal.ts';

/** How a decision came about: taken anew, from the cache, or from the last known good (semantics 3). */
export type CacheState = 'miss' | 'hit' | 'last-known-good';

/** The request that a decision answered, as the record keeps it. */
export interface RequestFacts {
  readonly id: string;
  readonly remoteAddress: string;
  readonly userAgent: string;
}

/** A decision with who asked and how it came about: what the record takes. */
export interface MadeDecision {
  readonly decision: Decision;
  readonly actor: Pick<Principal, 'kind' | 'id' | 'name'>;
  readonly request: RequestFacts;
  readonly cache: CacheState;
  /** The present of this use; `decision.at` is when the cached decision was taken. */
  readonly at: Date;
  /** From the question to the answer of this use. */
  readonly durationMs: number;
  /** What the decision looked at, as the library's `writeDossier` writes it; simulations use it. */
  readonly dossier?: Uint8Array;
}

/**
 * Keeps a decision. Resolves when the rules of semantics 18 let the answer go out: for refusals,
 * warnings and first passes when the record is durable. Throws `record.unavailable` when it cannot
 * be written; an enforcing door then refuses.
 */
export type KeepDecision = (made: MadeDecision) => Promise<void>;
