import { asFault, type TrustFault } from '@bulla/trust/fault/fault';
import type { ReviewAnswer } from './answer.ts';
import type { AdmissionConfig } from './config.ts';
import { byReference, type Judgement, judge } from './judge.ts';
import type { Review } from './parse.ts';
import { pinImages } from './pin.ts';
import { type Answers, type AskParts, askAll, type Call } from './question.ts';
import { createScope, isNamed, type JudgedScope, type Scope } from './scope.ts';
import { denialText, warningTexts } from './texts.ts';
import { keepUnjudged, type UnjudgedParts } from './unjudged.ts';

/** What admission is made of. */
export interface AdmissionParts
  extends Pick<AskParts, 'ask' | 'again' | 'pullSecretsOf'>,
    Omit<UnjudgedParts, 'cluster'> {
  readonly config: AdmissionConfig;
  /** Told when asking went wrong in a way that nobody foresaw. */
  readonly defect: (fault: TrustFault) => void;
}

/** Answers the API server. Neither call throws for anything in a review or an image. */
export interface AdmissionService {
  /** Writes digests behind tags. It denies nothing: another webhook may still change the object. */
  mutate(review: Review, call: Call): Promise<ReviewAnswer>;
  /** Derives everything anew, and denies what no policy admits (semantics 16). */
  validate(review: Review, call: Call): Promise<ReviewAnswer>;
}

/** Admission over a way to ask about images. Throws `policy.pattern-invalid`. */
export function createAdmission(parts: AdmissionParts): AdmissionService {
  const { config } = parts;
  const readScope = createScope(config, parts.canonicalName);
  const asking: AskParts = { ...parts, cluster: config.cluster, parallel: config.parallel };
  const keeping: UnjudgedParts = { ...parts, cluster: config.cluster };

  return {
    async mutate(review, call) {
      if (config.pin === 'none') return passing(review, 'not-pinned');
      const scope = tryScope(readScope, review);
      if ('fault' in scope || scope.kind !== 'judge') return passing(review, 'not-pinned');
      const images = byReference(scope.images);
      // What names a digest stays as it is, whatever it comes to.
      const tags = [...images.keys()].filter((name) => name !== null && !name.includes('@'));
      const references = tags.filter((name) => name !== null);
      const answers = await askAll(asking, review, call, references, scope.pods);
      tellDefects(parts, answers);
      const patch = pinImages(images, answers, review.object, config.pin);
      const outcome = patch.length === 0 ? 'not-pinned' : 'pinned';
      return { ...passing(review, outcome), patch };
    },
    async validate(review, call) {
      const scope = tryScope(readScope, review);
      if ('fault' in scope) {
        const { code, message, remedy } = scope.fault;
        if (code === 'internal.defect') parts.defect(scope.fault);
        const denial = { status: 400, message: `${code}: ${message} (${remedy})` } as const;
        return { ...passing(review, 'refused'), denial };
      }
      if (scope.kind === 'untouched') return passing(review, 'untouched');
      if (scope.kind !== 'judge') {
        const references = scope.kind === 'exempt' ? scope.exempt : scope.unchanged;
        await keepUnjudged(keeping, review, call, references, scope.kind);
        return passing(review, scope.kind);
      }
      return judged(parts, asking, keeping, review, call, scope);
    },
  };
}

async function judged(
  parts: AdmissionParts,
  asking: AskParts,
  keeping: UnjudgedParts,
  review: Review,
  call: Call,
  scope: JudgedScope,
): Promise<ReviewAnswer> {
  const images = byReference(scope.images);
  const references = [...images.keys()].filter((name) => name !== null);
  const exempting =
    scope.exempt.length === 0 ? null : keepUnjudged(keeping, review, call, scope.exempt, 'exempt');
  const answers = await askAll(asking, review, call, references, scope.pods);
  if (exempting !== null) await exempting;
  tellDefects(parts, answers);
  const judgement = judge(images, answers, scope.isPod, parts.config);
  const warnings = warningsOf(judgement, scope);
  const annotations = annotationsOf(answers, judgement);
  const denied = judgement.offences.length > 0;
  if (!denied) return { ...passing(review, 'admitted'), warnings, annotations };
  const message = denialText(judgement.offences, answers.secretsFault, parts.config);
  return { uid: review.uid, denial: { status: 403, message }, patch: [], warnings, annotations };
}

function tryScope(
  readScope: (review: Review) => Scope,
  review: Review,
): Scope | { readonly fault: TrustFault } {
  try {
    return readScope(review);
  } catch (error) {
    return { fault: asFault(error) };
  }
}

function passing({ uid }: Review, outcome: string): ReviewAnswer {
  return { uid, denial: null, patch: [], warnings: [], annotations: { outcome } };
}

function warningsOf({ remarks }: Judgement, { images, isPod, unread }: JudgedScope) {
  const unnamed = images.some(({ reference }) => !isNamed(reference));
  const own = [
    ...(unnamed && !isPod
      ? ['a container names no image: Pods made from this are refused unless something sets one']
      : []),
    ...(unread
      ? ['this kind may name images in other places, and `admission.kinds` does not say where']
      : []),
  ];
  return warningTexts(own, remarks);
}

const ANNOTATION_LONGEST = 8192;

/** For the audit log of the API server: the way from its event to the record. */
function annotationsOf({ byReference: answers }: Answers, { offences }: Judgement) {
  const ids: string[] = [];
  for (const answer of answers.values()) {
    if ('reached' in answer) {
      ids.push(`${answer.reached.decision.id}=${answer.reached.decision.outcome}`);
    }
  }
  const text = ids.join(' ');
  const decisions = text.length > ANNOTATION_LONGEST ? text.slice(0, ANNOTATION_LONGEST) : text;
  const outcome = offences.length > 0 ? 'refused' : 'admitted';
  const codes = [...new Set(offences.flatMap(({ clauses }) => clauses.map(({ code }) => code)))];
  return {
    outcome,
    ...(decisions === '' ? {} : { decisions }),
    ...(codes.length === 0 ? {} : { codes: codes.join(' ') }),
  };
}

function tellDefects({ defect }: AdmissionParts, { byReference: answers, secretsFault }: Answers) {
  for (const answer of answers.values()) {
    if ('fault' in answer && answer.fault.code === 'internal.defect') defect(answer.fault);
  }
  if (secretsFault?.code === 'internal.defect') defect(secretsFault);
}
