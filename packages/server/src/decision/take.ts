import { randomBytes } from 'node:crypto';
import { decide } from '@bulla/trust/decide';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { type Dossier, writeDossier } from '@bulla/trust/decide/dossier';
import { hasCode, TrustFault } from '@bulla/trust/fault/fault';
import type { Finding } from '@bulla/trust/finding/finding';
import type { Decision } from '@bulla/trust/policy/decision';
import type { GivenException } from '@bulla/trust/policy/exceptions/document';
import type { ExpressionRunner } from '@bulla/trust/policy/expression';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { openTurns, type Turns } from '../bounds/turns.ts';
import type { Ask } from './ask.ts';
import { weigh } from './heavy.ts';
import type { Passes } from './passes.ts';
import type { TakenDecision } from './service.ts';

/** What decisions are taken with. */
export interface TakerParts {
  /** Opened when the first statement meets a `where`, and not before. */
  readonly expressions: () => ExpressionRunner;
  readonly passes: Passes;
  /**
   * The exceptions of a repository that may be for one of these digests (the image's, and of the
   * indexes that are recorded for it) or are for all of it, without those that were revoked. Asked when
   * a policy would not pass. Break-glass is `recorded` only once its record is durable (semantics 17).
   */
  readonly exceptions: FindExceptions;
  readonly environment: string | null;
  /** So many decisions about images of one registry are taken at a time; the others wait. */
  readonly parallel: number;
  /** So long one may take, the wait for its turn included. */
  readonly deadlineMs: number;
  /** The largest dossier that is kept, in bytes. */
  readonly maxDossierBytes: number;
  readonly clock: () => Date;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** Looks up the exceptions that a door holds. */
export type FindExceptions = (
  repository: string,
  digests: readonly string[],
) => Promise<readonly GivenException[]>;

/** So many decisions with much evidence go on at a time, of all registries. */
const HEAVY_AT_ONCE = 2;

/** Takes one decision from evidence. */
export type Take = (ask: Ask, set: PolicySet, revocationEpoch: number) => Promise<TakenDecision>;

/**
 * Decisions by the library's `decide`, bounded in number and time. Each registry has turns of its own:
 * one that hangs holds up nobody else's images. There are as many as the configuration names.
 */
export function createTaker(parts: TakerParts): Take {
  const turns = new Map<string, Turns>();
  const turnsOf = (repository: string): Turns => {
    const [registry = ''] = repository.split('/', 1);
    const known = turns.get(registry) ?? openTurns({ atOnce: parts.parallel });
    turns.set(registry, known);
    return known;
  };
  const heavy = openTurns({ atOnce: HEAVY_AT_ONCE });
  return async (ask, set, revocationEpoch) => {
    // Not the caller's signal: others may wait for the same decision.
    const late = new TrustFault('decision.timeout', `no decision in ${parts.deadlineMs} ms`);
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(late), parts.deadlineMs);
    try {
      // What could not be resolved asks no registry for anything, and must not wait for one that hangs.
      const turn = 'problem' in ask.resolved ? alone : turnsOf(ask.repository);
      return await turn(async () => {
        using weighed = weigh(ask.source, heavy);
        const { source } = weighed;
        return await takeOne(parts, { ...ask, source }, set, revocationEpoch, abort.signal);
      });
    } finally {
      clearTimeout(timer);
    }
  };
}

const alone: Turns = (task) => task();

async function takeOne(
  parts: TakerParts,
  ask: Ask,
  set: PolicySet,
  revocationEpoch: number,
  signal: AbortSignal,
): Promise<TakenDecision> {
  const { repository, surface, namespace, resolved, rollback } = ask;
  const at = parts.clock();
  const passKey = (digest: string, policyHash: string) => ({
    repository,
    digest,
    policyHash,
    trustRootVersion: set.trustRootVersion,
    revocationEpoch,
    access: ask.access ?? null,
  });
  const { decision, dossier } = await decide({
    id: newDecisionId(at, randomBytes(10)),
    reference: ask.reference,
    scope: { repository, surface, namespace, environment: parts.environment },
    tag: ask.tag,
    digest: 'digest' in resolved ? resolved.digest : null,
    problem:
      'digest' in resolved ? null : { fault: resolved.problem, remembered: resolved.remembered },
    source: ask.source,
    platform: null,
    parents: ask.parents,
    policies: set,
    expressions: parts.expressions,
    lastPass: (digest, policyHash) => parts.passes.last(passKey(digest, policyHash)),
    rollback,
    exceptions: () =>
      'digest' in resolved
        ? parts.exceptions(repository, [resolved.digest, ...ask.parents])
        : Promise.resolve([]),
    at,
    now: parts.now,
    signal,
  });
  if (decision.digest !== null && ask.dryRun !== true) {
    const { digest } = decision;
    const noted = remembering(decision, set).map(({ hash, maxAgeMs }) =>
      parts.passes.note(passKey(digest, hash), at, maxAgeMs),
    );
    await Promise.all(noted);
  }
  const stoodIn = decision.policies.some(({ finding }) => standsIn(finding));
  return {
    decision,
    cache: stoodIn ? 'last-known-good' : 'miss',
    dossier: keptDossier(dossier, parts.maxDossierBytes),
  };
}

/**
 * Policies that will want to know of this pass in an outage; one that stood in itself is no pass, nor is
 * what an exception let through: it would outlive the exception.
 */
function remembering(decision: Decision, { policies }: PolicySet): readonly Remembering[] {
  return policies.flatMap(({ hash, document: { onInconclusive } }) => {
    if (typeof onInconclusive === 'string') return [];
    const own = decision.policies.find((policy) => policy.hash === hash);
    const isLifted = decision.exceptions.some(({ policy }) => policy === own?.policy);
    const isPass =
      own !== undefined && own.effect === 'pass' && !standsIn(own.finding) && !isLifted;
    return isPass ? [{ hash, maxAgeMs: onInconclusive.lastKnownGood.maxAgeMs }] : [];
  });
}

interface Remembering {
  readonly hash: string;
  readonly maxAgeMs: number;
}

function standsIn({ check, outcome, because = [] }: Finding): boolean {
  return (check === 'policy.last-known-good' && outcome === 'pass') || because.some(standsIn);
}

/** The dossier's bytes; null for one that is too large to keep. */
function keptDossier(dossier: Dossier, most: number): Uint8Array | null {
  // Not written only to be dropped: that takes several times its size.
  if (sizeOf(dossier) > most) return null;
  try {
    const bytes = writeDossier(dossier);
    return bytes.length > most ? null : bytes;
  } catch (error) {
    // Larger than any reader would take.
    if (hasCode(error, 'dossier.malformed')) return null;
    throw error;
  }
}

/** All that the dossier would hold, before it is written; a piece is written once for each place. */
function sizeOf({ nodes }: Dossier): number {
  const contents = new Map<string, number>();
  for (const { digest, stored, gathered } of nodes) {
    contents.set(digest, stored?.bytes.length ?? 0);
    for (const piece of gathered.flatMap(({ evidence }) => evidence)) {
      contents.set(`${piece.digest} ${piece.where}`, piece.bytes.length);
    }
  }
  return [...contents.values()].reduce((sum, size) => sum + size, 0);
}
