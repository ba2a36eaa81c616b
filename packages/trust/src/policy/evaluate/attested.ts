import { allOf } from '../../finding/combine.ts';
import { type Finding, failed } from '../../finding/finding.ts';
import type { AuthorityAnswer } from '../../proof/evidence.ts';
import type { Condition, ConditionAnswer } from './condition.ts';
import { type NewestAnswer, newestOf } from './newest.ts';
import type { Judged, Proven, Share } from './proven.ts';
import { judgeThreshold } from './threshold.ts';

/** What is asked of the attestations of one artifact. */
export interface AttestedQuestion {
  readonly predicateType: string;
  readonly atLeast: number;
  /** All of them must hold for each statement that decides. */
  readonly conditions: readonly Condition[];
  /** By which time a statement is the newest. */
  readonly time: 'trusted' | 'claimed';
}

/**
 * Whether at least `atLeast` authorities attested a statement of the wanted type that satisfies
 * every condition. Of several statements by one authority the newest by trusted time decides, and
 * any failing one of the same time fails (semantics 13). What could not be fetched might be that
 * newest one: an outage makes a pass inconclusive, and a limit that was passed refuses it.
 */
export async function judgeAttested(
  subject: string,
  proven: Proven,
  question: AttestedQuestion,
): Promise<Judged> {
  const { predicateType, atLeast } = question;
  const shares = await Promise.all(proven.shares.map((share) => decideShare(share, question)));
  const says = `${subject} carries no attestation of type ${predicateType}`;
  const judged = judgeThreshold(subject, { ...proven, shares }, atLeast, {
    check: 'attested',
    claim: `has ${predicateType} by`,
    nothing: failed('attested', 'statement.missing', says, 'semantics 1'),
  });
  const unseen = unseenOf(proven.problems);
  if (unseen.length === 0 || judged.finding.outcome !== 'pass') return judged;
  const { finding } = judged;
  return { ...judged, finding: allOf('attested', [finding, ...unseen], finding.says) };
}

/**
 * Problems behind which the newest statement may hide. A broken document decides nothing; one that
 * nobody looked at might have been the newest.
 */
export function unseenOf(problems: readonly Finding[]): readonly Finding[] {
  return problems.filter(({ outcome, code }) => outcome === 'inconclusive' || LIMITS.has(code));
}

const LIMITS: ReadonlySet<string | undefined> = new Set(['signature.limit', 'registry.limit']);

/** The share with each answer failed that decides and does not satisfy the conditions. */
async function decideShare(share: Share, question: AttestedQuestion): Promise<Share> {
  const passing = share.answers.filter((answer) => answer.finding.outcome === 'pass');
  if (passing.length === 0) return share;
  const deciding = newestOf(passing, question.time);
  const checked = await Promise.all(
    deciding.map((newest) => checkConditions(newest, question.conditions)),
  );
  const refused = checked.flat().find(({ finding }) => finding.outcome !== 'pass');
  const answers = share.answers.map((answer) => {
    if (answer.finding.outcome !== 'pass') return answer;
    const own = checked[deciding.findIndex((newest) => newest.answer === answer)];
    if (own === undefined) return superseded(answer);
    if (refused === undefined || own.some(({ finding }) => finding.outcome !== 'pass')) {
      return withConditions(answer, own);
    }
    return withConditions(answer, [{ finding: outvoted(refused.finding), until: null }]);
  });
  return { ...share, answers };
}

function checkConditions(
  { answer, trusted }: NewestAnswer,
  conditions: readonly Condition[],
): Promise<readonly ConditionAnswer[]> {
  const { statement } = answer;
  if (statement === null) {
    const says = 'the evidence passed without a statement that could be judged';
    const finding = failed('statement', 'statement.missing', says, 'semantics 13');
    return Promise.resolve(conditions.length === 0 ? [] : [{ finding, until: null }]);
  }
  return Promise.all(conditions.map((condition) => condition({ statement, trusted })));
}

function withConditions(
  answer: AuthorityAnswer,
  conditions: readonly ConditionAnswer[],
): AuthorityAnswer {
  if (conditions.length === 0) return answer;
  const children = [
    ...(answer.finding.because ?? []),
    ...conditions.map((condition) => condition.finding),
  ];
  const finding = allOf(answer.finding.check, children, answer.finding.says);
  if (finding.outcome !== 'pass') return { ...answer, finding, principals: [] };
  const untils = [answer.validUntil, ...conditions.map(({ until }) => until)];
  return { ...answer, finding, validUntil: earliestOf(untils) };
}

/** The earliest of some instants, of which null never comes; null when none does. */
export function earliestOf(instants: readonly (Date | null)[]): Date | null {
  return instants.reduce<Date | null>(
    (first, instant) =>
      instant === null || (first !== null && first <= instant) ? first : instant,
    null,
  );
}

function outvoted(refused: Finding): Finding {
  const code = refused.code ?? 'statement.where-false';
  const says = 'another statement of the same time fails';
  return failed(refused.check, code, says, 'semantics 13');
}

function superseded(answer: AuthorityAnswer): AuthorityAnswer {
  const says = `${answer.finding.says}, superseded by a newer statement`;
  const finding: Finding = { check: answer.finding.check, outcome: 'skipped', says };
  return { ...answer, finding, principals: [] };
}
