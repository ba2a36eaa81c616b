import { allOf } from '../finding/combine.ts';
import { type Finding, failed, failedBy, passed } from '../finding/finding.ts';
import type { ExpressionRunner } from '../policy/expression.ts';
import type { AuthorityAnswer, Question } from '../proof/evidence.ts';
import type { Gathered } from './gather.ts';
import { type Judged, judgeSigned } from './signed.ts';

/** An expression on the deciding statement (`--where`). */
export interface StatementCondition {
  readonly expression: string;
  readonly runner: ExpressionRunner;
  readonly deadlineMs: number;
}

/**
 * Whether at least `atLeast` authorities attested a statement of the wanted type that satisfies
 * the condition. Of several statements by one authority the newest by trusted time decides, and
 * any failing one of the same time fails (semantics 13). What could not be fetched might be that
 * newest one: an outage makes a pass inconclusive, and a limit that was passed refuses it.
 */
export async function judgeAttested(
  subject: string,
  gathered: Gathered,
  question: Question,
  atLeast: number,
  condition: StatementCondition | null,
): Promise<Judged> {
  if (question.wanted.kind !== 'attestation')
    return judgeSigned(subject, gathered, question, atLeast);
  const { predicateType } = question.wanted;
  if (gathered.evidence.length === 0 && gathered.problems.length === 0) {
    const says = `${subject} carries no attestation of type ${predicateType}`;
    return { finding: failed('attested', 'statement.missing', says, 'semantics 1'), accepted: [] };
  }
  // A broken document decides nothing; one that nobody looked at might have been the newest.
  const unseen = gathered.problems.filter(
    ({ outcome, code }) => outcome === 'inconclusive' || LIMITS.has(code),
  );
  const decided = await Promise.all(
    question.authorities.map((_, index) => decideFor(gathered, index, condition)),
  );
  const answers = transposed(decided);
  const claim = `has ${predicateType} by`;
  const judged = judgeSigned(subject, { ...gathered, answers }, question, atLeast, claim);
  const finding = { ...judged.finding, check: 'attested' };
  if (unseen.length === 0 || finding.outcome !== 'pass') return { ...judged, finding };
  return { ...judged, finding: allOf('attested', [finding, ...unseen], finding.says) };
}

const LIMITS: ReadonlySet<string | undefined> = new Set(['signature.limit', 'registry.limit']);

/** The answers of one authority, each failed when it decides and the condition does not hold. */
async function decideFor(
  gathered: Gathered,
  index: number,
  condition: StatementCondition | null,
): Promise<readonly AuthorityAnswer[]> {
  const answers = gathered.answers.flatMap((pieces) => pieces[index] ?? []);
  const passing = answers.filter((answer) => answer.finding.outcome === 'pass');
  const deciding = newest(passing);
  const checked =
    condition === null
      ? []
      : await Promise.all(deciding.map((answer) => checkCondition(answer, condition)));
  const refused = checked.find((finding) => finding.outcome !== 'pass');
  return answers.map((answer) => {
    if (answer.finding.outcome !== 'pass') return answer;
    const at = deciding.indexOf(answer);
    const own = checked[at];
    if (at === -1) return superseded(answer);
    if (own === undefined) return answer;
    if (refused === undefined) return withCondition(answer, own);
    return withCondition(answer, own.outcome === 'pass' ? outvoted(refused) : own);
  });
}

/** The newest statements by trusted time, with those that have none: one of them may be newest. */
function newest(passing: readonly AuthorityAnswer[]): readonly AuthorityAnswer[] {
  const times = firstTimes(passing);
  const last = Math.max(...times.map((time) => time ?? Number.NEGATIVE_INFINITY));
  return passing.filter((_, index) => times[index] === null || times[index] === last);
}

/**
 * Since when each statement is there. Anybody can have an old signature of a key stamped and logged
 * anew, and ECDSA's be written in another form; so of a key's statements that say the very same the
 * earliest time counts for all. A short-lived certificate dates its signature by itself.
 */
function firstTimes(passing: readonly AuthorityAnswer[]): readonly (number | null)[] {
  const times = passing.map((answer) => answer.time?.getTime() ?? null);
  if (passing.length < 2 || passing[0]?.authority.kind !== 'key') return times;
  const texts = passing.map((answer) => JSON.stringify(answer.statement?.document));
  const first = new Map<string, number>();
  for (const [at, text] of texts.entries()) {
    const time = times[at] ?? Number.POSITIVE_INFINITY;
    first.set(text, Math.min(time, first.get(text) ?? Number.POSITIVE_INFINITY));
  }
  return texts.map((text, at) => (times[at] === null ? null : (first.get(text) ?? null)));
}

async function checkCondition(
  answer: AuthorityAnswer,
  condition: StatementCondition,
): Promise<Finding> {
  const { expression, runner, deadlineMs } = condition;
  try {
    const document = answer.statement?.document ?? {};
    const variables = { ...document, statement: document };
    const holds = await runner.evaluate(expression, variables, { deadlineMs });
    return holds
      ? passed('statement.where', `the statement satisfies ${expression}`, 'CEL')
      : failed(
          'statement.where',
          'statement.where-false',
          `the statement does not satisfy ${expression}`,
          'CEL',
        );
  } catch (error) {
    return failedBy('statement.where', error, 'CEL');
  }
}

function withCondition(answer: AuthorityAnswer, condition: Finding): AuthorityAnswer {
  const children = [...(answer.finding.because ?? []), condition];
  const finding = allOf(answer.finding.check, children, answer.finding.says);
  return finding.outcome === 'pass'
    ? { ...answer, finding }
    : { ...answer, finding, principals: [] };
}

function outvoted(refused: Finding): Finding {
  const code = refused.code ?? 'statement.where-false';
  return failed(
    'statement.where',
    code,
    'another statement of the same time fails',
    'semantics 13',
  );
}

function superseded(answer: AuthorityAnswer): AuthorityAnswer {
  const says = `${answer.finding.says}, superseded by a newer statement`;
  const finding: Finding = { check: answer.finding.check, outcome: 'skipped', says };
  return { ...answer, finding, principals: [] };
}

/** From one list per authority to one list per piece of evidence. */
function transposed(
  byAuthority: readonly (readonly AuthorityAnswer[])[],
): readonly (readonly AuthorityAnswer[])[] {
  const pieces = byAuthority[0]?.length ?? 0;
  return Array.from({ length: pieces }, (_, piece) =>
    byAuthority.flatMap((answers) => answers[piece] ?? []),
  );
}
