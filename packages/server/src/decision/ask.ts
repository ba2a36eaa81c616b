import type { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { Decision } from '@bulla/trust/policy/decision';
import type { Surface } from '@bulla/trust/policy/document';
import type { Rollback } from '@bulla/trust/policy/evaluate/rollback';
import type { Asker, CacheState, RequestFacts } from './made.ts';

/** What a tag led to just now, or why that could not be learned and what it last led to. */
export type Resolved =
  | { readonly digest: Digest }
  | { readonly problem: TrustFault; readonly remembered: Digest | null };

/** A door's question about one image. The caller's own right to the repository was checked before. */
export interface Ask {
  /** The reference for people, as it was asked for. */
  readonly reference: string;
  /** Canonical `registry/repository` (semantics 7). */
  readonly repository: string;
  readonly tag: string | null;
  readonly resolved: Resolved;
  /** Indexes of the same repository that list the digest, newest first; for a digest without a tag. */
  readonly parents: readonly Digest[];
  readonly rollback: Rollback | null;
  readonly source: ArtifactSource;
  readonly surface: Surface;
  readonly namespace: string | null;
  readonly actor: Asker;
  readonly request: RequestFacts;
  /**
   * The answer is for nobody who acts on it (a dry run of Kubernetes): nothing is recorded, cached or
   * remembered that another answer could depend on. Absent: false.
   */
  readonly dryRun?: boolean;
  /**
   * By which credentials of the asker's own the source is read, as a text of their kind that tells
   * nothing of them: what they opened answers nobody without them (semantics 14). Absent or null: by
   * what everybody who may ask has.
   */
  readonly access?: string | null;
  /** The same will be asked often, in every member but `request`: then the answer says how to. */
  readonly often?: boolean;
  readonly signal?: AbortSignal;
}

/** The answer to an `Ask`, recorded. */
export interface Answered {
  readonly decision: Decision;
  readonly cache: CacheState;
  /**
   * Gives this very answer once more, counted in the record, without a wait; null where it must be
   * asked for anew, because it is over or the record has to be waited for. Only for what is asked
   * `often`, and only for passes from the cache.
   */
  readonly again?: () => Answered | null;
}

/**
 * Decides by the policies in force, from the cache where semantics 14 allows it, and records the
 * decision (semantics 18) before it answers. Never throws for what an image or a registry does: that
 * is a refusal. Throws `record.unavailable` when the record cannot be written.
 */
export type Decide = (ask: Ask) => Promise<Answered>;

/** A question that is about no image: what it names is no reference. */
export type Unreadable = Pick<
  Ask,
  'reference' | 'surface' | 'namespace' | 'actor' | 'request' | 'dryRun'
>;

/**
 * Refuses a question for a fault of its own, whatever policies say, and records that. Throws
 * `record.unavailable`.
 */
export type Refuse = (question: Unreadable, fault: TrustFault) => Promise<Answered>;
