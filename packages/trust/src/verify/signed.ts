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
 * for one authority, the best assignment decides (semantics 8).
 */
export function judgeSigned(
  subject: string,
  gathered: Gathered,
  question: Question,
  atLeast: number,
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
  const accepted = byAuthority.flatMap(({ answers }) =>
    answers.filter((answer) => answer.finding.outcome === 'pass'),
  );
  return { finding: threshold(subject, byAuthority, accepted, atLeast), accepted };
}

function threshold(
  subject: string,
  byAuthority: readonly { readonly finding: Finding }[],
  accepted: readonly AuthorityAnswer[],
  atLeast: number,
): Finding {
  const because = byAuthority.map((entry) => entry.finding);
  const outcomes = because.map((finding) => finding.outcome);
  const signed = countAuthorities(
    accepted.map((answer) => ({
      authority: answer.authority.name,
      principals: answer.principals,
    })),
  );
  const source = 'semantics 8';
  const says = `${subject} is signed by ${signed} of ${because.length} named ${because.length === 1 ? 'authority' : 'authorities'}; ${atLeast} needed`;
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
