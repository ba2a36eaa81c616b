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
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import type { DecisionBody } from '../record/body.ts';
import { evidenceOf, type HistoryRecord, type PastImage } from './history.ts';

/** What past decisions are asked again with. */
export interface Rerun {
  readonly record: HistoryRecord;
  readonly expressions: () => ExpressionRunner;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** By that clock: what is not asked by then is left. */
  readonly untilMs: number;
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
  return each(images, rerun, async (image) => {
    const { newest, decisions, uses } = image;
    const { reference, repository, digest, surface, namespace, id: lastDecision } = newest;
    const about = { reference, repository, digest, surface, namespace };
    const { covers: _, ...compared } = await comparedOf(image, inForce, candidate, rerun);
    return { ...about, ...compared, decisions, uses, lastDecision };
  });
}

async function comparedOf(
  { newest }: PastImage,
  inForce: PolicySet,
  candidate: PolicySet,
  rerun: Rerun,
): Promise<Compared> {
  const found = await evidenceOf(rerun.record, newest);
  if (typeof found === 'string') return unknown(newest.outcome, [notStored(found)]);
  const { origin, dossier } = found;
  const before = await ask(origin, dossier, inForce, rerun);
  const after = await ask(origin, dossier, candidate, rerun);
  const excepted = newest.exceptions.length > 0;
  const compared = compareSets([before, inForce], [after, candidate], excepted);
  const isOwn = origin.digest === newest.digest;
  const isCovered = newest.digest !== null && compared.covers.includes(newest.digest);
  if (isOwn || (compared.after === 'admit' && isCovered)) return compared;
  return unknown(newest.outcome, [notStored(ofIndex(origin))]);
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
  return each(withDigest, rerun, async (image) => {
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
      ask(origin, dossier, set, rerun),
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
  { now, untilMs }: Rerun,
  act: (image: PastImage) => Promise<T>,
): Promise<Answers<T>> {
  const found: T[] = [];
  for (const image of images) {
    if (now() >= untilMs) break;
    found.push(await act(image));
    await breath();
  }
  return { found, left: images.length - found.length };
}

/** A past decision, taken again by other policies at its own instant; nothing is fetched. */
function ask(
  { reference, repository, surface, namespace, environment, tag, finding, decidedAt }: DecisionBody,
  dossier: Dossier,
  policies: PolicySet,
  { expressions, now }: Rerun,
): Promise<Decision> {
  const at = new Date(decidedAt);
  return decideFromDossier({
    id: newDecisionId(at, randomBytes(10)),
    reference,
    scope: { repository, surface, namespace, environment },
    tag,
    policies,
    expressions,
    // Policies that have decided nothing yet have let nothing pass.
    lastPass: async () => null,
    rollback: recordedRollback(finding),
    at,
    now,
    dossier,
  });
}
