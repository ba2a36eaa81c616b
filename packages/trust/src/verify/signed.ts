import { anyOf, combineOutcomes } from '../finding/combine.ts';
import { type Finding, failed, inconclusive } from '../finding/finding.ts';
import { countAuthorities } from '../policy/assignment.ts';
import type { AuthorityAnswer, Question } from '../proof/evidence.ts';
import type { Gathered } from './gather.ts';

/** A finding and the passing answers that stand behind it. */
export interface Judged {
  readonly finding: Finding;
  readonly accepted: readonly AuthorityAnswer[];
}

/**
 * Whether at least `atLeast` distinct authorities signed. One key, certificate or identity counts
 * for one authority, the best assignment decides (semantics 8). `claim` is the verb of the finding's
 * sentence.
 */
export function judgeSigned(
  subject: string,
  gathered: Gathered,
  question: Question,
  atLeast: number,
  claim = 'is signed by',
): Judged {
  if (gathered.evidence.length === 0 && gathered.problems.length === 0) {
    const says = `${subject} carries no signature`;
    return { finding: failed('signed', 'signature.none', says, 'semantics 1'), accepted: [] };
  }
  const byAuthority = question.authorities.map((authority, index) => {
    const answers = gathered.answers.flatMap((pieces) => pieces[index] ?? []);
    const children = [...answers.map((answer) => answer.finding), ...gathered.problems];
    return { answers, finding: anyOf('authority', children, authority.name) };
  });
  const passes = byAuthority.flatMap(({ answers }, index) =>
    answers
      .filter((answer) => answer.finding.outcome === 'pass')
      // By its place: two authorities may have one name.
      .map((answer) => ({ answer, authority: String(index), principals: answer.principals })),
  );
  const because = byAuthority.map((entry) => entry.finding);
  const signed = countAuthorities(passes);
  const named = `${because.length} named ${because.length === 1 ? 'authority' : 'authorities'}`;
  const says = `${subject} ${claim} ${signed} of ${named}; ${atLeast} needed`;
  const finding = threshold(says, because, signed, atLeast);
  return { finding, accepted: passes.map(({ answer }) => answer) };
}

function threshold(
  says: string,
  because: readonly Finding[],
  signed: number,
  atLeast: number,
): Finding {
  const outcomes = because.map((finding) => finding.outcome);
  const source = 'semantics 8';
  const base = { check: 'signed', says, source, needs: atLeast, because } as const;
  const naive = combineOutcomes(atLeast, outcomes);
  if (signed >= atLeast && naive === 'pass') return { ...base, outcome: 'pass' };
  const away = outcomes.filter((outcome) => outcome === 'inconclusive').length;
  if (signed + away >= atLeast && away > 0) {
    const code = because.find((finding) => finding.outcome === 'inconclusive')?.code;
    return {
      ...inconclusive('signed', code ?? 'policy.nothing-checked', says, source),
      needs: atLeast,
      because,
    };
  }
  const only = because.length === 1 ? because[0]?.code : undefined;
  const code = only ?? 'policy.threshold-not-met';
  return { ...failed('signed', code, says, source), needs: atLeast, because };
}
