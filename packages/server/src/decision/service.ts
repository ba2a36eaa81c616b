import type { TrustFault } from '@bulla/trust/fault/fault';
import type { Decision } from '@bulla/trust/policy/decision';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { keyOfParts } from '../bounds/key.ts';
import { openRecent, type Recent } from '../bounds/recent.ts';
import type { Answered, Ask, Decide, Refuse, Unreadable } from './ask.ts';
import { type CachedDecision, cacheable, isSatisfied, type Lifetimes } from './cache.ts';
import type { Epochs } from './epochs.ts';
import type { CacheState, KeepDecision, MadeDecision, RepeatDecision } from './made.ts';
import type { InForce, PoliciesInForce } from './policies.ts';
import { noPolicyDecision, unreadableDecision, withStaleNote } from './unreadable.ts';

/** A decision that was taken just now. */
export interface TakenDecision {
  readonly decision: Decision;
  readonly cache: Extract<CacheState, 'miss' | 'last-known-good'>;
  /** What was looked at, for simulations; null when it is too large to keep. */
  readonly dossier: Uint8Array | null;
}

/** Bounds of the cache (semantics 14). */
export interface DecisionLimits extends Lifetimes {
  readonly entries: number;
}

/** What holds where nothing else is configured: an hour for a pass, ten seconds for a refusal. */
export const DECISION_LIMITS: DecisionLimits = {
  entries: 50_000,
  passMs: 3600_000,
  refusalMs: 10_000,
};

/** What a decision service is made of. */
export interface DecisionParts {
  readonly policies: PoliciesInForce;
  readonly epochs: Epochs;
  readonly keep: KeepDecision;
  readonly repeat: RepeatDecision;
  /** Takes a decision from evidence; bounded in number and time by whoever hands it in. */
  take(ask: Ask, set: PolicySet, revocationEpoch: number): Promise<TakenDecision>;
  readonly limits: DecisionLimits;
  /** The id of a decision for one more user, or for a door without policies. */
  newId(at: Date): string;
  readonly clock: () => Date;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Told when a decision that no enforcing policy covers went out unrecorded. */
  unrecorded(fault: unknown): void;
}

/** The service that all doors of a server share. */
export interface DecisionService {
  readonly decide: Decide;
  readonly refuse: Refuse;
  /** Ends what is cached of a repository but its passes, on every replica: something was pushed to it. */
  pushed(repository: string): Promise<void>;
  cached(): number;
}

/** Puts together what the README of this folder lists. */
export function createDecisions(parts: DecisionParts): DecisionService {
  const cache = openRecent<CachedDecision>(parts.limits.entries);
  const flights = new Map<string, Promise<CachedOrTaken>>();
  const uses: Uses = openRecent<string>(USES_MOST);

  async function decide(ask: Ask): Promise<Answered> {
    const started = parts.now();
    const inForce = parts.policies.current();
    const { set } = inForce;
    if (set === null) {
      const decision = noPolicyDecision(ask, inForce, parts.newId(parts.clock()), parts.clock());
      return answer(parts, ask, decision, 'miss', null, started);
    }
    const epoch = await epochText(parts.epochs);
    const digest = 'digest' in ask.resolved ? ask.resolved.digest : null;
    // Without a digest there is nothing to remember an answer by.
    if (digest === null) {
      const taken = await take(parts, ask, inForce, set);
      return answer(parts, ask, taken.decision, taken.cache, taken.dossier, started);
    }
    const key = keyOf(ask, digest, set);
    // What a push has ended stays in the cache, and must not stand before the index that was signed.
    for (const found of known(ask, digest, set, key)) {
      if (await holds(parts, ask, found, epoch)) {
        return useCached(parts, uses, ask, digest, found, started, set);
      }
    }
    // Who asks after a push must not get the answer of a decision that was begun before it.
    const pushes = await parts.epochs.read(`push/${ask.repository}`);
    if (ask.dryRun === true) {
      const taken = await take(parts, ask, inForce, set);
      return answer(parts, ask, taken.decision, taken.cache, taken.dossier, started);
    }
    const flightKey = `${key}\n${epoch}/${pushes}`;
    const underway = flights.get(flightKey);
    if (underway !== undefined) {
      const shared = await underway;
      // What it stands on may have expired while it was waited for: then it is decided anew.
      if (isOver(shared.taken.decision, parts.clock())) return decide(ask);
      return useCached(parts, uses, ask, digest, shared.cached, started, set);
    }
    const flight = takeAndCache(ask, digest, inForce, set, key, { epoch, pushes });
    flights.set(flightKey, flight);
    try {
      const { taken } = await flight;
      return await answer(parts, ask, taken.decision, taken.cache, taken.dossier, started);
    } finally {
      flights.delete(flightKey);
    }
  }

  /** What the cache holds that may answer, the nearest first; `key` is that of the question itself. */
  function* known(ask: Ask, digest: string, set: PolicySet, key: string): Iterable<CachedDecision> {
    const own = cache.get(key);
    if (own !== undefined) yield own;
    // A tag adds demands and none falls away with it: its pass is one of the digest. Where no index
    // is known either, that is found under the question's own key.
    const isApart = ask.tag === null && (ask.parents.length > 0 || ask.rollback !== null);
    const same = isApart ? cache.get(passKey(ask, digest, set)) : undefined;
    // A refusal without an index says nothing of an image that one lists.
    if (same !== undefined && isSatisfied(same.decision)) yield same;
    const covered = coveredBy(ask, digest, set);
    if (covered !== undefined) yield covered;
    // What everybody may be told, so may those who brought credentials; but a refusal is nothing to
    // whom more may be open.
    if (!hasAccess(ask)) return;
    const open = { ...ask, access: null };
    yield* passesOf(known(open, digest, set, keyOf(open, digest, set)));
  }

  /** A leaf that an index in the cache covers is decided with it (semantics 6). */
  function coveredBy(ask: Ask, digest: string, set: PolicySet): CachedDecision | undefined {
    for (const parent of ask.parents) {
      const found = cache.get(passKey(ask, parent, set));
      if (
        found !== undefined &&
        isSatisfied(found.decision) &&
        found.decision.covers.includes(digest)
      ) {
        return found;
      }
    }
    return undefined;
  }

  async function takeAndCache(
    ask: Ask,
    digest: string,
    inForce: InForce,
    set: PolicySet,
    key: string,
    counters: { readonly epoch: string; readonly pushes: number },
  ): Promise<CachedOrTaken> {
    const taken = await take(parts, ask, inForce, set);
    const cached = cacheable(taken.decision, counters, parts.limits, {
      at: parts.clock(),
      ms: parts.now(),
    });
    uses.set(useOf(taken.decision, ask, taken.decision.digest), taken.decision.id);
    const lasts = cached.until.getTime() > parts.clock().getTime();
    // Inconclusive is not cached, nor what stands in for it.
    if (lasts && taken.cache === 'miss' && !isInconclusive(taken.decision)) {
      cache.set(key, cached);
      // For the digest, and the children of an index, however it was asked for.
      if (isSatisfied(taken.decision)) cache.set(passKey(ask, digest, set), cached);
    }
    return { taken, cached };
  }

  async function refuse(question: Unreadable, fault: TrustFault): Promise<Answered> {
    const at = parts.clock();
    const inForce = parts.policies.current();
    const decision = unreadableDecision(question, fault, inForce, parts.newId(at), at);
    return answer(parts, question, decision, 'miss', null, parts.now());
  }

  return {
    decide,
    refuse,
    pushed: (repository) => parts.epochs.raise(`push/${repository}`),
    cached: () => cache.size,
  };
}

interface CachedOrTaken {
  readonly taken: TakenDecision;
  readonly cached: CachedDecision;
}

async function take(
  parts: DecisionParts,
  ask: Ask,
  inForce: InForce,
  set: PolicySet,
): Promise<TakenDecision> {
  const revocation = await parts.epochs.recent('revocation');
  const taken = await parts.take(ask, set, revocation);
  return { ...taken, decision: withStaleNote(taken.decision, inForce) };
}

/** All that a decision depends on beside the counters (semantics 14). */
function keyOf(ask: Ask, digest: string, set: PolicySet): string {
  return keyOfParts([
    ask.repository,
    digest,
    // A policy may refuse tags, or a tag that went back.
    ask.tag === null ? 'digest' : 'tag',
    ask.rollback?.newer ?? null,
    ask.surface,
    ask.namespace,
    ask.parents,
    set.hash,
    set.trustRootVersion,
    // Last, so that everybody's keys are what they were.
    ...(hasAccess(ask) ? [ask.access] : []),
  ]);
}

function hasAccess(ask: Ask): ask is Ask & { readonly access: string } {
  return typeof ask.access === 'string';
}

function* passesOf(found: Iterable<CachedDecision>): Iterable<CachedDecision> {
  for (const one of found) if (isSatisfied(one.decision)) yield one;
}

/** Under this what passed is found by its digest, by whatever reference it was asked for. */
function passKey(ask: Ask, digest: string, set: PolicySet): string {
  return keyOf({ ...ask, tag: null, parents: [], rollback: null }, digest, set);
}

async function epochText(epochs: Epochs): Promise<string> {
  const counters = await Promise.all(GLOBAL_EPOCHS.map((name) => epochs.recent(name)));
  return counters.join('/');
}

/** The counters that end passes everywhere. */
const GLOBAL_EPOCHS = ['revocation', 'exception'] as const;

/** Whether a cached decision is past its time, by either clock. */
function isPast({ now }: Pick<DecisionParts, 'now'>, cached: CachedDecision, at: Date): boolean {
  return cached.until.getTime() <= at.getTime() || cached.untilMs <= now();
}

async function holds(
  parts: DecisionParts,
  ask: Ask,
  cached: CachedDecision,
  epoch: string,
): Promise<boolean> {
  if (isPast(parts, cached, parts.clock())) return false;
  if (isSatisfied(cached.decision)) return cached.epoch === epoch;
  // A refusal ends with any push to the repository, on whichever replica.
  const pushes = await parts.epochs.read(`push/${ask.repository}`);
  return cached.epoch === `${epoch}/${pushes}`;
}

function isOver({ exceptions }: Decision, at: Date): boolean {
  return exceptions.some(({ expires }) => expires <= at);
}

function isInconclusive({ finding, policies }: Decision): boolean {
  return (
    finding.outcome === 'inconclusive' ||
    policies.some((policy) => policy.finding.outcome === 'inconclusive')
  );
}

function useOf(decision: Decision, ask: Ask, digest: string | null): string {
  return keyOfParts([decision.id, ask.actor.id, digest, ask.tag]);
}

/** So many uses of cached decisions are remembered by the id that each user's got, of all together. */
const USES_MOST = 100_000;

/** The ids of uses, by the decision that was used and who used it by which reference. */
type Uses = Recent<string>;

/** One more use of a decision: each user's first has an id, and a row of the record, of its own. */
async function useCached(
  parts: DecisionParts,
  uses: Uses,
  ask: Ask,
  digest: string,
  cached: CachedDecision,
  started: number,
  set: PolicySet,
): Promise<Answered> {
  const use = useOf(cached.decision, ask, digest);
  const known = uses.get(use);
  const id = known ?? parts.newId(parts.clock());
  const { reference, tag } = ask;
  const covers = digest === cached.decision.digest ? cached.decision.covers : [];
  const decision: Decision = { ...cached.decision, id, reference, tag, digest, covers };
  const answered = await answer(parts, ask, decision, 'hit', null, started);
  if (known === undefined && ask.dryRun !== true) uses.set(use, id);
  if (ask.often !== true || ask.dryRun === true) return answered;
  return withAgain(
    parts,
    answered,
    madeOf(parts, ask, decision, 'hit', null, started),
    cached,
    set,
  );
}

/** The answer with a way to give it again, as long as `holds` would let the cached one stand. */
function withAgain(
  parts: DecisionParts,
  answered: Answered,
  made: MadeDecision,
  cached: CachedDecision,
  set: PolicySet,
): Answered {
  const count = isSatisfied(cached.decision) ? parts.repeat(made) : null;
  if (count === null) return answered;
  const { policies, epochs, clock } = parts;
  const repeated: Answered = {
    ...answered,
    again() {
      const at = clock();
      if (policies.current().set !== set || isPast(parts, cached, at)) return null;
      const counters = GLOBAL_EPOCHS.map((name) => epochs.peek(name));
      if (counters.includes(null)) return null;
      return cached.epoch === counters.join('/') && count(at) ? repeated : null;
    },
  };
  return repeated;
}

function madeOf(
  parts: DecisionParts,
  { actor, request }: Pick<Ask, 'actor' | 'request'>,
  decision: Decision,
  cache: CacheState,
  dossier: Uint8Array | null,
  started: number,
): MadeDecision {
  return {
    decision,
    actor,
    request,
    cache,
    at: parts.clock(),
    durationMs: parts.now() - started,
    ...(dossier === null ? {} : { dossier }),
  };
}

/**
 * Records the decision, then gives it; only what no policy enforces may go out unrecorded, and what a
 * dry run asked for is no decision about anything.
 */
async function answer(
  parts: DecisionParts,
  ask: Pick<Ask, 'actor' | 'request' | 'dryRun'>,
  decision: Decision,
  cache: CacheState,
  dossier: Uint8Array | null,
  started: number,
): Promise<Answered> {
  if (ask.dryRun === true) return { decision, cache };
  try {
    await parts.keep(madeOf(parts, ask, decision, cache, dossier, started));
  } catch (fault) {
    if (isEnforced(decision)) throw fault;
    parts.unrecorded(fault);
  }
  return { decision, cache };
}

function isEnforced({ policies, outcome }: Decision): boolean {
  return outcome === 'deny' || policies.some((policy) => policy.mode === 'enforce');
}
