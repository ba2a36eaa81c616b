import { TrustFault } from '@bulla/trust/fault/fault';
import type { ChangedPolicies } from '@bulla/trust/policy/impact/changed-policies';
import { type ImageImpact, judgeImpact } from '@bulla/trust/policy/impact/judge';
import type { ImpactedImage } from '@bulla/trust/policy/impact/report';
import { type Answering, answerFrom, type StoredQuestion } from './simulation.ts';

/** An image whose fate is asked for, as far as it is known where it is. */
export type Placed = Pick<
  ImpactedImage,
  'repository' | 'digest' | 'tags' | 'running' | 'deployable' | 'lastDecision'
>;

/** What changes are judged by. */
export interface Judging extends Answering {
  readonly changed: ChangedPolicies;
}

/** What the changed policies do to an image of which the evidence is at hand. Nothing is fetched. */
export function judgeStored(question: StoredQuestion, judging: Judging): Promise<ImageImpact> {
  return judgeImpact(judging.changed, (policies) => answerFrom(question, policies, judging));
}

/** An image with what a change does to it. */
export function impacted(placed: Placed, { impact, policies }: ImageImpact): ImpactedImage {
  return { ...placed, impact, policies, why: null };
}

/** An image of which nothing at hand tells anything. */
export function untold(placed: Placed, why: string): ImpactedImage {
  return { ...placed, impact: 'unknown', policies: [], why };
}

/** The fault of a command that found nothing to judge: no image is not the same as none lost. */
export function nothingToJudge(where: string): TrustFault {
  return new TrustFault(
    'images.none',
    `${where} names no image whose impact could be told`,
    'Give a longer time with --decisions, or --registry, --images, --cluster or --evidence.',
  );
}
