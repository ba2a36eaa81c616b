import type { Decision } from '@bulla/trust/policy/decision';
import type { Principal } from '../http/principal.ts';

/** How a decision came about: taken anew, from the cache, or from the last known good (semantics 3). */
export type CacheState = 'miss' | 'hit' | 'last-known-good';

/**
 * Who asked for a decision: somebody of this server, somebody of a Kubernetes cluster as its API
 * server names them, a node, or the server itself on its own account.
 */
export interface Asker {
  readonly kind: Principal['kind'] | 'kubernetes' | 'node' | 'system';
  /** Stable and opaque; `kubernetes:NAME` for a user of a cluster. */
  readonly id: string;
  /** For people. */
  readonly name: string;
}

/** The object of a cluster that names the image (enforcement reference UN-5). */
export interface ObjectFacts {
  /** What the configuration calls the cluster; null where it has no name. */
  readonly cluster: string | null;
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | null;
  /** The name, or the beginning of one that the API server completes; null where there is neither. */
  readonly name: string | null;
  /** `CREATE`, `UPDATE`, … */
  readonly operation: string;
}

/** The request that a decision answered, as the record keeps it. */
export interface RequestFacts {
  readonly id: string;
  readonly remoteAddress: string;
  readonly userAgent: string;
  /** Absent where no object of a cluster asked. */
  readonly object?: ObjectFacts;
}

/** A decision with who asked and how it came about: what the record takes. */
export interface MadeDecision {
  readonly decision: Decision;
  readonly actor: Asker;
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

/**
 * Counts the same pass once more at an instant, and answers whether that is done: where it is not, the
 * decision has to be kept as any other.
 */
export type CountAgain = (at: Date) => boolean;

/** How a pass that was kept just now is counted when it is given again; null: it is no such pass. */
export type RepeatDecision = (made: MadeDecision) => CountAgain | null;
