import { asCount, asInstant, asString, type Cursor, member } from '@bulla/trust/bytes/shape';
import { quote, TrustFault } from '@bulla/trust/fault/fault';

/** An image that a node is about to use. */
export interface NodeQuestion {
  /** As the node's runtime names it. It only places the image: what is asked about is the digest. */
  readonly name: string;
  /** `sha256:…` of what the runtime resolved, and will unpack. */
  readonly digest: string;
}

/** The answer for one node. */
export interface NodeAnswer {
  readonly outcome: 'admit' | 'deny';
  /** The digest that was decided about: the one asked for. */
  readonly digest: string;
  readonly decision: string;
  /** Empty for an image that is let through. */
  readonly code: string;
  readonly message: string;
  readonly warnings: readonly string[];
  /** What all kept answers hold under; with another one they are over. */
  readonly generation: string;
  /** So long the node may give this answer again without asking; 0: not at all. */
  readonly freshForMs: number;
  /** Whether it may stand in for an answer while the server is absent. */
  readonly mayStandIn: boolean;
  /** When the first piece of evidence expires (RFC 3339); null where none does. */
  readonly validUntil: string | null;
}

/** An earlier pass that a node used while it had no answer. */
export interface StandIn extends NodeQuestion {
  /** The decision that passed. */
  readonly decision: string;
  readonly count: number;
  readonly first: Date;
  readonly last: Date;
}

/** What a node tells of such uses. */
export interface StandInReport {
  readonly standIns: readonly StandIn[];
  /** How many a node could not keep until it had the server back. */
  readonly dropped: number;
}

/** The most uses that one report tells of. */
export const STAND_INS_MOST = 100;

/**
 * The reference that is asked about. The digest decides, whatever the name says (semantics 5), and a
 * name with another digest is `node.digest-mismatch`.
 */
export function referenceOf({ name, digest }: NodeQuestion): string {
  const [, base = name, own] = /^(.*)@([^@]*)$/s.exec(name) ?? [];
  if (own === undefined || own === digest) return `${base}@${digest}`;
  throw new TrustFault(
    'node.digest-mismatch',
    `expected ${quote(own)}, which the name says, found ${quote(digest)}`,
  );
}

/** A question as JSON has it. Throws the cursor's code. */
export function asNodeQuestion(at: Cursor): NodeQuestion {
  return { name: asString(member(at, 'name')), digest: asString(member(at, 'digest')) };
}

/** A use of an earlier pass as JSON has it. Throws the cursor's code. */
export function asStandIn(at: Cursor): StandIn {
  return {
    ...asNodeQuestion(at),
    decision: asString(member(at, 'decision')),
    count: asCount(member(at, 'count')),
    first: asInstant(member(at, 'first')),
    last: asInstant(member(at, 'last')),
  };
}
