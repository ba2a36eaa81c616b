import type { FindingJson } from '@bulla/trust/finding/render-json';
import type { Decision, PolicyOutcome } from '@bulla/trust/policy/decision';
import type { Surface } from '@bulla/trust/policy/document';
import type { UsedExceptionJson } from '@bulla/trust/policy/render';
import type { Asker, CacheState, RequestFacts } from '../decision/made.ts';

/** The strictest of what the policies did; `deny` whenever the door refused. */
export type Effect = PolicyOutcome['effect'];

/** A policy of a decision, without its tree: that is a child of the decision's. */
export interface RecordedPolicy {
  readonly name: string;
  readonly hash: string;
  readonly mode: string;
  readonly effect: Effect;
}

/** A decision as the chain keeps it. Times are ISO 8601 in UTC. */
export interface DecisionBody {
  readonly kind: 'decision';
  readonly id: string;
  /** When the answer was given. */
  readonly at: string;
  /** When the decision was taken; earlier than `at` for one from the cache. */
  readonly decidedAt: string;
  readonly request: RequestFacts;
  readonly actor: Asker;
  readonly surface: Surface;
  readonly namespace: string | null;
  readonly environment: string | null;
  readonly reference: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly covers: readonly string[];
  readonly outcome: Decision['outcome'];
  readonly effect: Effect;
  /** Code of the first check that did not pass; null when all did. */
  readonly code: string | null;
  readonly policies: readonly RecordedPolicy[];
  readonly policySetHash: string;
  readonly trustRootVersion: string;
  readonly evidence: readonly string[];
  readonly finding: FindingJson;
  readonly warnings: readonly string[];
  /** What let policies pass that would not have. */
  readonly exceptions: readonly UsedExceptionJson[];
  readonly cache: CacheState;
  readonly durationMs: number;
  readonly validUntil: string | null;
  /** Digest of the evidence that was kept for simulations. */
  readonly dossier: string | null;
  /** Names of what was too long and is cut. */
  readonly cut: readonly string[];
}

/** How often one recorded pass was given again. */
export interface Repeat {
  /** The decision's id as it was recorded. */
  readonly id: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

/** The repeated passes of about a second, counted. */
export interface RepeatsBody {
  readonly kind: 'repeats';
  readonly at: string;
  readonly items: readonly Repeat[];
}

/** What retention removed: every entry up to `through`, whose hash was `hash`. */
export interface PrunedBody {
  readonly kind: 'pruned';
  readonly at: string;
  readonly through: number;
  readonly hash: string;
  /** How many entries this pruning removed. */
  readonly count: number;
  /** Times of the first and the last entry that it removed. */
  readonly from: string;
  readonly to: string;
}

/**
 * What somebody did that changes what decisions come to: an exception that was approved, a policy
 * that was made to enforce. It says more than a line of the activity log, because it is chained.
 */
export interface ActBody {
  readonly kind: 'act';
  /** A ULID, as decisions have. */
  readonly id: string;
  readonly at: string;
  readonly actor: Asker;
  /** `exception.approved`, `break-glass.used`, `rollout.cut-over`: the room, and what it did. */
  readonly act: string;
  /** The id of what it was done to. */
  readonly subject: string;
  /** One sentence for people, with the actual values. */
  readonly says: string;
  /** What the room keeps of it, by name; never a secret. */
  readonly detail: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
}

/** What an entry of the chain says. */
export type Body = DecisionBody | RepeatsBody | PrunedBody | ActBody;
