import { anyOf, combineOutcomes } from '../../finding/combine.ts';
import { type Finding, failed, inconclusive } from '../../finding/finding.ts';
import { type AuthorityPass, countAuthorities } from '../assignment.ts';
import type { Judged, Proven, Share } from './proven.ts';

/** How a threshold is worded. */
export interface ThresholdWords {
  readonly check: 'signed' | 'attested';
  /** The verb of the sentence: `is signed by`. */
  readonly claim: string;
  /** The finding when nothing at all was found (semantics 1). */
  readonly nothing: Finding;
}

/**
 * Whether at least `atLeast` distinct authorities stand behind an artifact. One key, certificate or
 * identity counts for one authority, the best assignment decides (semantics 8).
 */
export function judgeThreshold(
  subject: string,
  proven: Proven,
  atLeast: number,
  { check, claim, nothing }: ThresholdWords,
): Judged {
  const { shares, pieces, problems } = proven;
  const isBare = pieces === 0 && problems.length === 0;
  if (isBare && shares.every(({ unsupported }) => unsupported === null)) {
    return { finding: nothing, accepted: [] };
  }
  const beside = isBare ? [nothing] : problems;
  const because = shares.map((share) => findingOf(share, beside));
  const passing = shares.map(({ answers }) =>
    answers.filter((answer) => answer.finding.outcome === 'pass'),
  );
  const signed = countAuthorities(passing.flatMap(passesOf));
  const named = `${because.length} named ${because.length === 1 ? 'authority' : 'authorities'}`;
  const says = `${subject} ${claim} ${signed} of ${named}; ${atLeast} needed`;
  const finding = outcomeOf(check, says, because, signed, atLeast);
  return { finding, accepted: passing.flat() };
}

function findingOf({ name, answers, unsupported }: Share, beside: readonly Finding[]): Finding {
  // What this release cannot prove fails, whatever a registry answers (semantics 2).
  const children =
    unsupported === null ? [...answers.map((answer) => answer.finding), ...beside] : [unsupported];
  return anyOf('authority', children, name);
}

/** By its place: two authorities may have one name. */
function passesOf(passing: Share['answers'], index: number): readonly AuthorityPass[] {
  return passing.map(({ principals }) => ({ authority: String(index), principals }));
}

function outcomeOf(
  check: string,
  says: string,
  because: readonly Finding[],
  signed: number,
  atLeast: number,
): Finding {
  const outcomes = because.map((finding) => finding.outcome);
  const source = 'semantics 8';
  const base = { check, says, source, needs: atLeast, because } as const;
  const naive = combineOutcomes(atLeast, outcomes);
  if (signed >= atLeast && naive === 'pass') return { ...base, outcome: 'pass' };
  const away = outcomes.filter((outcome) => outcome === 'inconclusive').length;
  if (signed + away >= atLeast && away > 0) {
    const code = because.find((finding) => finding.outcome === 'inconclusive')?.code;
    return {
      ...inconclusive(check, code ?? 'policy.nothing-checked', says, source),
      needs: atLeast,
      because,
    };
  }
  const only = because.length === 1 ? because[0]?.code : undefined;
  const code = only ?? 'policy.threshold-not-met';
  return { ...failed(check, code, says, source), needs: atLeast, because };
}
