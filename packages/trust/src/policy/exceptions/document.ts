import type { PublicKey } from '../../crypto/public-key.ts';
import type { DsseEnvelope } from '../../envelopes/dsse.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Surface } from '../document.ts';

/** The payload type of the envelopes that a request, an approval and a break-glass document are. */
export const EXCEPTION_PAYLOAD_TYPE = 'application/vnd.bulla.trust-exception+json';

/** `apiVersion` and `kind` of the payloads: what a signature says stands in what was signed. */
export const EXCEPTION_API_VERSION = 'bulla.dev/v1';
export const EXCEPTION_KIND = 'TrustException';
export const APPROVAL_KIND = 'TrustExceptionApproval';

/** Largest document of an exception, in bytes. */
export const EXCEPTION_LIMIT: number = 256 << 10;

/** Who signed: the identity that they claim, and the key whose signature stands for it. */
export interface Party {
  /** Printable ASCII without spaces, such as `alice@acme.example`; compared without regard to case. */
  readonly identity: string;
  readonly key: PublicKey;
}

/**
 * A clause that an exception lifts: where it stands, and what it says. A policy that is edited moves
 * its clauses; what was approved stays with the words that it was approved for.
 */
export interface BoundClause {
  /** Such as `require.all[1]`, and `tags`, `rollback`. */
  readonly path: string;
  /** As `clauseDigest` has it. */
  readonly digest: Digest;
}

/** What an exception lifts of one policy. */
export interface LiftedPolicy {
  readonly policy: string;
  readonly clauses: readonly BoundClause[];
}

/** What an exception says: its requester signed it as a whole (docs/exceptions.md). */
export interface TrustException {
  /** For people; nothing is decided by it. */
  readonly name: string;
  /** `break-glass` is signed by a key that the policy keeps for it, and needs no approval. */
  readonly kind: 'exception' | 'break-glass';
  /** Canonical `registry/repository` (semantics 7). */
  readonly repository: string;
  /** The one digest that it is for; null for the whole repository. */
  readonly digest: Digest | null;
  /** What it lifts, for each policy that it is for. */
  readonly lifts: readonly LiftedPolicy[];
  /** Surfaces that it is narrowed to; null: every one. */
  readonly surfaces: readonly Surface[] | null;
  /** Namespaces that it is narrowed to, by their whole names; null: every one. */
  readonly namespaces: readonly string[] | null;
  readonly requester: Party;
  readonly reason: string;
  /** What keeps the risk small meanwhile; null only for break-glass. */
  readonly compensatingControl: string | null;
  readonly issuedAt: Date;
  /** The first instant at which it does not hold any more. */
  readonly expires: Date;
}

/** An approver's signature over the requester's whole envelope. */
export interface ExceptionApproval {
  readonly approver: Party;
  readonly approvedAt: Date;
  /** As it was signed; its payload holds the request's envelope. */
  readonly envelope: DsseEnvelope;
}

/** An exception with what its parties signed, kept as it was signed. No signature is checked yet. */
export interface ExceptionDocument {
  /**
   * `sha256:…` of the request's payload: a request, its approval and what was revoked have one id,
   * which nobody can change without the requester's key.
   */
  readonly id: Digest;
  readonly exception: TrustException;
  /** What the requester signed. */
  readonly request: DsseEnvelope;
  /** Null for a request that nobody approved, and for break-glass. */
  readonly approval: ExceptionApproval | null;
}

/** An exception that a door hands in with its question. */
export interface GivenException {
  readonly document: ExceptionDocument;
  /**
   * Whether the door's record holds its beginning durably. Break-glass is valid only then (semantics
   * 17); a file proves no such thing.
   */
  readonly recorded: boolean;
}

/** An exception by which a policy let an image pass that it would have refused. */
export interface UsedException {
  readonly id: Digest;
  readonly name: string;
  readonly kind: TrustException['kind'];
  readonly requester: string;
  /** Null for break-glass. */
  readonly approver: string | null;
  readonly reason: string;
  readonly expires: Date;
  readonly policy: string;
  /** The clauses that it lifted, in the order of the policy. */
  readonly clauses: readonly string[];
}
