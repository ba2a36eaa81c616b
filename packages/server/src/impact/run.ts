import { randomBytes } from 'node:crypto';
import { setImmediate as breath } from 'node:timers/promises';
import { decideFromDossier } from '@bulla/trust/decide';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import type { Dossier } from '@bulla/trust/decide/dossier';
import type { Decision } from '@bulla/trust/policy/decision';
import { recordedRollback } from '@bulla/trust/policy/evaluate/rollback';
import type { ExpressionRunner } from '@bulla/trust/policy/expression';
import type { ChangedPolicies } from '@bulla/trust/policy/impact/changed-policies';
import {
  type ChangeReason,
  type Compared,
  compareSets,
  notStored,
  unknown,
} from '@bulla/trust/policy/impact/compare';
import { judgeImpact } from '@bulla/trust/policy/impact/judge';
import type { ImpactedImage } from '@bulla/trust/policy/impact/report';
import type { PolicyScope, PolicySet } from '@bulla/trust/policy/policy-set';
import type { DecisionBody } from '../record/body.ts';
import { evidenceOf, type HistoryRecord, type PastImage } from './history.ts';

/** What past decisions are asked again with. */
export interface Rerun {
  readonly record: HistoryRecord;
  readonly expressions: () => ExpressionRunner;
  /** Why admission refuses what is named by a tag where these policies hold; null where it does not. */
  readonly refusesTag: (policies: PolicySet, scope: PolicyScope) => ChangeReason | null;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** By that clock: what is not answered by then is left. */
  readonly untilMs: number;
}

/** A rerun whose end is watched: what is under way then is given up, whatever it has come to. */
interface TimedRerun extends Rerun {
  readonly over: AbortController;
}

/** What other policies do to one image in one place. */
export interface SimulatedImage extends Omit<Compared, 'covers'> {
  readonly reference: string;
  readonly repository: string;
  readonly digest: string | null;
  readonly surface: string;
  readonly namespace: string | null;
  readonly because: readonly ChangeReason[];
  readonly decisions: number;
  readonly uses: number;
  readonly lastDecision: string;
}

/** Answers for the images that there was time for. */
export interface Answers<T> {
  readonly found: readonly T[];
  /** So many were left. */
  readonly left: number;
}

/** What policies would change for images of the record, compared with those in force. */
export function simulate(
  images: readonly PastImage[],
  inForce: PolicySet,
  candidate: PolicySet,
  rerun: Rerun,
): Promise<Answers<SimulatedImage>> {
  return each(images, rerun, async (image, timed) => {
    const { newest, decisions, uses } = image;
    const { reference, repository, digest, surface, namespace, id: lastDecision } = newest;
    const about = { reference, repository, digest, surface, namespace };
    const { covers: _, ...compared } = await comparedOf(image, inForce, candidate, timed);
    return { ...about, ...compared, decisions, uses, lastDecision };
  });
}

/** As the strictest of its askings has it: a tag may be refused where a digest is not. */
async function comparedOf(
  image: PastImage,
  inForce: PolicySet,
  candidate: PolicySet,
  rerun: TimedRerun,
): Promise<Compared> {
  const { newest } = image;
  const found = await evidenceOf(rerun.record, newest);
  if (typeof found === 'string') return unknown(newest.outcome, [notStored(found)]);
  const { dossier } = found;
  // The answer may be that of a decision about the digest alone, whoever asked for the tag.
  const origin = { ...found.origin, tag: newest.tag ?? image.tags[0] ?? null };
  const before = await ask(origin, dossier, inForce, rerun);
  const after = await ask(origin, dossier, candidate, rerun);
  const excepted = newest.exceptions.length > 0;
  const compared = compareSets([before, inForce], [after, candidate], excepted);
  const isOwn = origin.digest === newest.digest;
  const isCovered = newest.digest !== null && compared.covers.includes(newest.digest);
  if (isOwn || (compared.after === 'admit' && isCovered)) {
    return atAdmission(image, compared, [inForce, candidate], rerun);
  }
  return unknown(newest.outcome, [notStored(ofIndex(origin))]);
}

/** What admission itself refuses of a tag, whatever its image carries (semantics 16). */
function atAdmission(
  { newest: { surface, repository, namespace, environment }, byTag }: PastImage,
  compared: Compared,
  [inForce, candidate]: readonly [PolicySet, PolicySet],
  { refusesTag }: Rerun,
): Compared {
  if (surface !== 'admission' || !byTag || compared.after !== 'admit') return compared;
  const scope = { repository, surface, namespace, environment };
  const reason = refusesTag(candidate, scope);
  if (reason === null || refusesTag(inForce, scope) !== null) return compared;
  const change = compared.before === 'admit' ? 'refused' : null;
  return { ...compared, after: 'deny', change, because: [reason] };
}

function ofIndex({ id }: DecisionBody): string {
  return `it was decided with its index in ${id}, and its own evidence was not stored`;
}

/** What a change of trust does to images of the record. */
export function judge(
  images: readonly PastImage[],
  changed: ChangedPolicies,
  runningSince: Date,
  rerun: Rerun,
): Promise<Answers<ImpactedImage>> {
  const withDigest = images.filter(({ newest }) => newest.digest !== null);
  return each(withDigest, rerun, async (image, timed) => {
    const { newest, tags, admitted } = image;
    const placed = {
      repository: newest.repository,
      digest: newest.digest ?? '',
      tags,
      running: isRunning(image, runningSince) ? [placeOf(newest)] : [],
      deployable: admitted || tags.length > 0,
      lastDecision: newest.id,
    };
    const untold = (why: string): ImpactedImage => {
      return { ...placed, impact: 'unknown', policies: [], why };
    };
    const found = await evidenceOf(rerun.record, newest);
    if (typeof found === 'string') return untold(found);
    const { origin, dossier } = found;
    const { covers, ...judged } = await judgeImpact(changed, (set) =>
      ask(origin, dossier, set, timed),
    );
    const isOwn = origin.digest === newest.digest || covers.includes(placed.digest);
    return isOwn ? { ...placed, ...judged, why: null } : untold(ofIndex(origin));
  });
}

function isRunning({ newest, admitted, lastUsed }: PastImage, since: Date): boolean {
  const starts = newest.surface === 'admission' || newest.surface === 'node';
  return admitted && starts && lastUsed >= since.toISOString();
}

function placeOf({ surface, namespace, request: { object } }: DecisionBody): string {
  const where = namespace === null ? surface : `${surface} in ${namespace}`;
  return object === undefined ? where : `${where}: ${object.kind} ${object.name ?? ''}`.trimEnd();
}

/** One after another: the server has others to answer meanwhile. */
async function each<T>(
  images: readonly PastImage[],
  rerun: Rerun,
  act: (image: PastImage, timed: TimedRerun) => Promise<T>,
): Promise<Answers<T>> {
  const found: T[] = [];
  const timed = { ...rerun, over: new AbortController() };
  for (const image of images) {
    if (rerun.now() >= rerun.untilMs) break;
    try {
      found.push(await act(image, timed));
    } catch (error) {
      if (timed.over.signal.aborted) break;
      throw error;
    }
    await breath();
  }
  return { found, left: images.length - found.length };
}

/**
 * The runner of expressions with no more time than is left. One that had too little answers nothing: its
 * image is left, for it would look refused.
 */
function hurried({ expressions, now, untilMs, over }: TimedRerun): ExpressionRunner {
  const runner = expressions();
  return {
    async evaluate(expression, variables, { deadlineMs }) {
      const leftMs = untilMs - now();
      if (leftMs <= 0) over.abort();
      over.signal.throwIfAborted();
      try {
        const most = Math.max(1, Math.min(deadlineMs, leftMs));
        return await runner.evaluate(expression, variables, { deadlineMs: most });
      } catch (error) {
        if (now() >= untilMs) over.abort();
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
  };
}

/** A past decision, taken again by other policies at its own instant; nothing is fetched. */
async function ask(
  { reference, repository, surface, namespace, environment, tag, finding, decidedAt }: DecisionBody,
  dossier: Dossier,
  policies: PolicySet,
  timed: TimedRerun,
): Promise<Decision> {
  const { now, untilMs, over } = timed;
  if (now() >= untilMs) over.abort();
  over.signal.throwIfAborted();
  const at = new Date(decidedAt);
  const decision = await decideFromDossier({
    id: newDecisionId(at, randomBytes(10)),
    reference,
    scope: { repository, surface, namespace, environment },
    tag,
    policies,
    expressions: () => hurried(timed),
    // Policies that have decided nothing yet have let nothing pass.
    lastPass: async () => null,
    rollback: recordedRollback(finding),
    at,
    now,
    dossier,
  });
  over.signal.throwIfAborted();
  return decision;
}
