import type { Finding } from '../finding/finding.ts';
import { FORMATS } from '../formats/list.ts';
import type { ArtifactSource, CallOptions } from '../oci/store.ts';
import type { AuthorityAnswer, Evidence, Question } from '../proof/evidence.ts';

/** Everything that was found about one artifact, and what each authority's share of it is worth. */
export interface Gathered {
  /** `answers[n]` are the answers about piece n of the evidence, one per authority. */
  readonly answers: readonly (readonly AuthorityAnswer[])[];
  readonly evidence: readonly Evidence[];
  readonly problems: readonly Finding[];
}

/** How many pieces of evidence are verified before the loop yields to other work. */
const CHUNK = 32;

/** Answers about evidence that is at hand, in its order; formats are told by the evidence itself. */
export async function answerAll(
  evidence: readonly Evidence[],
  question: Question,
): Promise<readonly (readonly AuthorityAnswer[])[]> {
  const answers: (readonly AuthorityAnswer[])[] = [];
  for (let from = 0; from < evidence.length; from += CHUNK) {
    const chunk = evidence.slice(from, from + CHUNK);
    const verified = await Promise.all(
      chunk.map(async (piece) => {
        const format = FORMATS.find((candidate) => candidate.name === piece.format);
        return format === undefined ? [] : format.verify(piece, question);
      }),
    );
    answers.push(...verified);
  }
  return answers;
}

/** Finds the evidence of one artifact in every format at once, and verifies all of it. */
export async function gather(
  source: ArtifactSource,
  question: Question,
  options: CallOptions & { readonly evidenceSource?: ArtifactSource },
): Promise<Gathered> {
  const { digest } = question.artifact;
  const found = await Promise.all(
    FORMATS.map((format) => format.find(source, digest, { ...options, wanted: question.wanted })),
  );
  const evidence = found.flatMap((part) => part.evidence);
  return {
    evidence,
    answers: await answerAll(evidence, question),
    problems: found.flatMap((part) => part.problems),
  };
}
