import type { Finding } from '../../finding/finding.ts';
import type { AuthorityAnswer, Evidence, Question } from '../../proof/evidence.ts';

/** Everything that was found about one artifact, and what each authority's share of it is worth. */
export interface Gathered {
  /** `answers[n]` are the answers about piece n of the evidence, one per authority. */
  readonly answers: readonly (readonly AuthorityAnswer[])[];
  readonly evidence: readonly Evidence[];
  readonly problems: readonly Finding[];
}

/** What all evidence of one artifact is worth for one authority. */
export interface Share {
  /** How the caller or the policy calls the authority; two may have one name. */
  readonly name: string;
  /** One answer per piece of evidence that was verified. */
  readonly answers: readonly AuthorityAnswer[];
  /** The failed finding of an authority that no format of this release proves; null for all others. */
  readonly unsupported: Finding | null;
}

/** The proven evidence of one artifact, laid out by the authorities that are counted. */
export interface Proven {
  readonly shares: readonly Share[];
  /** How many pieces of evidence were found. */
  readonly pieces: number;
  /** What could not be read: broken documents and limits (`fail`), outages (`inconclusive`). */
  readonly problems: readonly Finding[];
}

/** A finding and the passing answers that stand behind it. */
export interface Judged {
  readonly finding: Finding;
  readonly accepted: readonly AuthorityAnswer[];
}

/** From one list per piece of evidence to one list per authority, in the order of the question. */
export function provenOf(gathered: Gathered, question: Pick<Question, 'authorities'>): Proven {
  return {
    shares: question.authorities.map(({ name }, index) => ({
      name,
      answers: gathered.answers.flatMap((pieces) => pieces[index] ?? []),
      unsupported: null,
    })),
    pieces: gathered.evidence.length,
    problems: gathered.problems,
  };
}
