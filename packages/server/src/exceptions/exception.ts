import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';

/** Where an exception stands. That one has expired is told by its document. */
export type ExceptionState = 'requested' | 'approved' | 'revoked';

/** Whether somebody has to look at a use of break-glass afterwards, and has. */
export type ReviewState = 'none' | 'open' | 'closed';

/** Somebody of this server who handed something in, as they were known then. */
export interface Clerk {
  readonly kind: 'user' | 'token' | 'operator';
  readonly id: string;
  readonly name: string;
  /** The id of the user behind; null for the operator. */
  readonly user: string | null;
}

/** The same person, be it by a session or by any token of theirs. */
export function isSame(one: Clerk, other: Clerk): boolean {
  return one.user === null || other.user === null ? one.id === other.id : one.user === other.user;
}

/** Something that was done to an exception: by whom, when, and in which words. */
export interface Done {
  readonly by: Clerk;
  readonly at: Date;
  /** Empty where none are asked for. */
  readonly says: string;
}

/** An exception as the server keeps it. */
export interface StoredException {
  /** Digest of the signed request. */
  readonly id: string;
  readonly document: ExceptionDocument;
  readonly state: ExceptionState;
  readonly requested: Done;
  readonly approved: Done | null;
  readonly revoked: Done | null;
  readonly review: ReviewState;
  readonly reviewed: Done | null;
}

/** Whether doors are handed it at `at`; a policy may refuse it all the same. */
export function isInForce({ state, document }: StoredException, at: Date): boolean {
  return state === 'approved' && document.exception.expires > at;
}
