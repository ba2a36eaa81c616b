import { setImmediate } from 'node:timers/promises';
import { failed } from '../finding/finding.ts';
import { FORMATS } from '../formats/list.ts';
import type { ArtifactSource, CallOptions } from '../oci/store.ts';
import type { Gathered } from '../policy/evaluate/proven.ts';
import type { AuthorityAnswer, Evidence, Question } from '../proof/evidence.ts';

/** How many pieces of evidence are verified before the loop yields to other work. */
const CHUNK = 32;
/** So many bytes of them at once: garbage can be made to cost a tenth of a second each mebibyte. */
const CHUNK_BYTES = 1 << 20;

/** The pieces in their order, in chunks; a larger piece is a chunk of its own. */
function* chunksOf(evidence: readonly Evidence[]): Generator<readonly Evidence[]> {
  let chunk: Evidence[] = [];
  let size = 0;
  for (const piece of evidence) {
    const full = chunk.length === CHUNK || size + piece.bytes.length > CHUNK_BYTES;
    if (full && chunk.length > 0) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(piece);
    size += piece.bytes.length;
  }
  if (chunk.length > 0) yield chunk;
}

/** How long verification may still take, shared by all artifacts of one verdict. */
export interface Patience {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  leftMs: number;
}

/**
 * Answers about evidence that is at hand, in its order; formats are told by the evidence itself.
 * When patience runs out the rest is left without an answer.
 */
export async function answerAll(
  evidence: readonly Evidence[],
  question: Question,
  patience?: Patience,
): Promise<readonly (readonly AuthorityAnswer[])[]> {
  const answers: (readonly AuthorityAnswer[])[] = [];
  let isFirst = true;
  for (const chunk of chunksOf(evidence)) {
    // A server has others to answer; what is refused at once never waits for anything by itself.
    if (!isFirst) await setImmediate();
    isFirst = false;
    if (patience !== undefined && patience.leftMs <= 0) break;
    const started = patience?.now() ?? 0;
    const verified = await Promise.all(
      chunk.map(async (piece) => {
        const format = FORMATS.find((candidate) => candidate.name === piece.format);
        return format === undefined ? [] : format.verify(piece, question);
      }),
    );
    answers.push(...verified);
    if (patience !== undefined) patience.leftMs -= patience.now() - started;
  }
  return answers;
}

/** How evidence is gathered: without patience, for as long as it takes. */
export interface GatherOptions extends CallOptions {
  readonly evidenceSource?: ArtifactSource;
  readonly patience?: Patience;
}

/**
 * Finds the evidence of one artifact in every format at once, and verifies all of it. What patience
 * does not reach is a problem (`signature.limit`): thousands of documents of a second each are not
 * honest.
 */
export async function gather(
  source: ArtifactSource,
  question: Question,
  options: GatherOptions,
): Promise<Gathered> {
  const { digest } = question.artifact;
  const found = await Promise.all(
    FORMATS.map((format) => format.find(source, digest, { ...options, wanted: question.wanted })),
  );
  const evidence = found.flatMap((part) => part.evidence);
  const answers = await answerAll(evidence, question, options.patience);
  const problems = found.flatMap((part) => part.problems);
  if (answers.length < evidence.length) {
    const says = `${evidence.length} pieces of evidence, of which ${answers.length} were verified in the time that all may take`;
    problems.push(failed('evidence', 'signature.limit', says));
  }
  return { evidence, answers, problems };
}
