import { asFault, printable, type TrustFault } from '@bulla/trust/fault/fault';
import { skipped } from '@bulla/trust/finding/finding';
import type { Decision } from '@bulla/trust/policy/decision';
import type { KeepDecision } from '../decision/made.ts';
import type { Review } from './parse.ts';
import { actorOf, type Call, factsOf } from './question.ts';

/** Why images passed without a decision. */
export type Unjudged = 'unchanged' | 'exempt';

/** Where such passes are recorded. */
export interface UnjudgedParts {
  readonly keep: KeepDecision;
  readonly cluster: string | null;
  readonly newId: (at: Date) => string;
  readonly clock: () => Date;
  /** Null for a reference that names nothing. */
  readonly canonicalName: (reference: string) => string | null;
  /** Told when one could not be recorded. */
  readonly unrecorded: (fault: TrustFault) => void;
}

/**
 * Records that images passed undecided (semantics 16): one entry for an image, a namespace and a user,
 * and counts of its repetitions. An auditor sees who let what stay, and controllers that scale all day
 * do not fill the record. It never holds up the answer for longer than the API server waits, and where
 * the record is away the object passes all the same: what scales down or ends must be able to.
 */
export async function keepUnjudged(
  parts: UnjudgedParts,
  review: Review,
  call: Call,
  references: readonly string[],
  why: Unjudged,
): Promise<void> {
  if (review.dryRun || references.length === 0) return;
  const at = parts.clock();
  const { promise: late, resolve: giveUp } = Promise.withResolvers<void>();
  const timer = setTimeout(giveUp, call.budgetMs);
  const kept = references.map(async (reference) => {
    try {
      await parts.keep({
        decision: undecided(parts, review, reference, why, at),
        actor: actorOf(review),
        request: factsOf(parts.cluster, review, call),
        // As a use of something known already: repetitions are counted.
        cache: 'hit',
        at,
        durationMs: 0,
      });
    } catch (error) {
      parts.unrecorded(asFault(error));
    }
  });
  try {
    await Promise.race([Promise.all(kept), late]);
  } finally {
    clearTimeout(timer);
  }
}

const SAYS = {
  unchanged: 'the object was changed, and names no image that it did not name before',
  exempt: 'the configuration exempts it from admission',
} as const satisfies Record<Unjudged, string>;

function undecided(
  { newId, canonicalName }: UnjudgedParts,
  { namespace }: Review,
  reference: string,
  why: Unjudged,
  at: Date,
): Decision {
  return {
    id: newId(at),
    outcome: 'admit',
    reference: printable(reference),
    repository: canonicalName(reference) ?? printable(reference),
    tag: null,
    digest: digestOf(reference),
    covers: [],
    surface: 'admission',
    namespace,
    environment: null,
    policies: [],
    finding: skipped(`admission.${why}`, SAYS[why], 'semantics 16'),
    warnings: [],
    policySetHash: 'none',
    trustRootVersion: 'none',
    exceptions: [],
    evidence: [],
    validUntil: null,
    at,
    durationMs: 0,
  };
}

function digestOf(reference: string): string | null {
  return /@(sha256:[a-f0-9]{64})$/.exec(reference)?.[1] ?? null;
}
