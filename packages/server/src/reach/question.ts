import type { Decision } from '@bulla/trust/policy/decision';
import type { Surface, TagRule } from '@bulla/trust/policy/document';
import type { Asker, CacheState, RequestFacts } from '../decision/made.ts';

/** A name and a password that somebody brought along; sent to `registry` and nowhere else (semantics 16). */
export interface RegistryCredential {
  /** `HOST[:PORT]`, canonical; with a path it is for the repositories below alone. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

/** A question about an image, by whatever reference a cluster, a node or a hook names it. */
export interface ReachQuestion {
  /** As it was written; without tag and digest it means `:latest`. */
  readonly reference: string;
  readonly surface: Exclude<Surface, 'pull'>;
  readonly namespace: string | null;
  readonly actor: Asker;
  readonly request: RequestFacts;
  /** Tried in this order for their own registries, before those of the configuration. */
  readonly credentials: readonly RegistryCredential[];
  readonly dryRun: boolean;
  readonly signal?: AbortSignal;
}

/** A reference with the digest that was decided about, as it may take the place of the one asked for. */
export interface PinnedReference {
  /** `NAME:TAG@DIGEST`, without a tag `NAME@DIGEST`. NAME is as it was written. */
  readonly tagAndDigest: string;
  /** The digest alone. */
  readonly digest: string;
}

/** The answer to a `ReachQuestion`. */
export interface Reached {
  readonly decision: Decision;
  readonly cache: CacheState;
  /** Null where the decision names no digest. */
  readonly pinned: PinnedReference | null;
  /** Whether the reference as it was written names a digest. */
  readonly byDigest: boolean;
  /** The strictest that a covering policy says of tags, `refuse` before `pin` before `leave`. */
  readonly tags: TagRule;
  /** The strictest that a covering policy in mode `enforce` says of tags; null where none does. */
  readonly enforcedTags: TagRule | null;
}

/**
 * Decides about an image wherever it lies: finds its registry among those that the configuration and
 * the policies name, and refuses another unasked (semantics 19). What an image or a registry does,
 * and a reference that cannot be read, never make it throw: that is a refusal. Throws
 * `record.unavailable`.
 */
export type AskAboutImage = (question: ReachQuestion) => Promise<Reached>;

/** A question as it is known again: who asks what from where, whatever the request was. */
export type KnownQuestion = Omit<ReachQuestion, 'request' | 'signal'>;

/** The same from a moment ago, at once; null where it has to be asked. Never throws. */
export type AskAgain = (question: KnownQuestion) => Reached | null;
