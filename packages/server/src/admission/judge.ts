import { type Code, codeEntry } from '@bulla/trust/fault/codes';
import type { TrustFault } from '@bulla/trust/fault/fault';
import type { Finding } from '@bulla/trust/finding/finding';
import { reasonOf } from '@bulla/trust/finding/reason';
import type { ObjectImage } from '@bulla/trust/images/object-images';
import type { Decision } from '@bulla/trust/policy/decision';
import { publicFault } from '../http/public-fault.ts';
import type { Reached } from '../reach/question.ts';
import type { Answer, Answers } from './question.ts';
import { isNamed } from './scope.ts';

/** One reason why an image is refused. */
export interface Clause {
  /** The policy whose clause it is; null for a rule of the door itself. */
  readonly policy: string | null;
  readonly code: Code;
  readonly says: string;
  readonly remedy: string;
}

/** An image that keeps an object out, wherever in it it is named. */
export interface Offence {
  /** As it is written; null for places that name no image. */
  readonly reference: string | null;
  readonly places: readonly ObjectImage[];
  /** At least one. */
  readonly clauses: readonly Clause[];
  /** Null where no decision was taken. */
  readonly decisionId: string | null;
}

/** A remark about an image that does not keep the object out. */
export interface Remark {
  readonly reference: string;
  readonly says: string;
}

/** What an object comes to. */
export interface Judgement {
  readonly offences: readonly Offence[];
  readonly remarks: readonly Remark[];
}

/** The rules of the door that are not the policies' own. */
export interface JudgeRules {
  readonly nodesPullThrough: boolean;
}

/** Images by their reference; places that name none are null, and come first. */
export type ImagesByReference = ReadonlyMap<string | null, readonly ObjectImage[]>;

/** Places with the same reference are one image. */
export function byReference(images: readonly ObjectImage[]): ImagesByReference {
  const grouped = new Map<string | null, ObjectImage[]>();
  for (const image of images) {
    const reference = isNamed(image.reference) ? image.reference : null;
    const places = grouped.get(reference);
    if (places === undefined) grouped.set(reference, [image]);
    else places.push(image);
  }
  return grouped;
}

/** Judges every image of an object; nothing that was not decided passes. */
export function judge(
  images: ImagesByReference,
  answers: Answers,
  isPod: boolean,
  rules: JudgeRules,
): Judgement {
  const offences: Offence[] = [];
  const remarks: Remark[] = [];
  for (const [reference, places] of images) {
    if (reference === null) {
      // Kubernetes refuses a Pod like this itself; a template may be completed when Pods are made.
      if (isPod) offences.push({ reference, places, clauses: [MISSING], decisionId: null });
      continue;
    }
    const answer = answers.byReference.get(reference);
    const { clauses, remarks: said, decisionId } = weigh(answer, rules);
    if (clauses.length > 0) offences.push({ reference, places, clauses, decisionId });
    remarks.push(...said.map((says) => ({ reference, says })));
  }
  return { offences, remarks };
}

interface Weighed {
  readonly clauses: readonly Clause[];
  readonly remarks: readonly string[];
  readonly decisionId: string | null;
}

function weigh(answer: Answer | undefined, rules: JudgeRules): Weighed {
  if (answer === undefined || 'fault' in answer) {
    const clauses = [answer === undefined ? UNASKED : clauseOfFault(answer.fault)];
    return { clauses, remarks: [], decisionId: null };
  }
  const { reached } = answer;
  const { decision } = reached;
  const refusing = decision.outcome === 'deny' ? clausesOf(decision) : [];
  // The mutating call pins nothing that is refused: its tag would not be what is to be mended.
  const tag = refusing.length > 0 ? null : tagClause(reached, rules);
  const enforced = tag !== null && reached.enforcedTags !== null;
  return {
    clauses: enforced ? [tag] : refusing,
    remarks: [
      ...remarksOf(decision),
      ...(tag === null || enforced ? [] : [`${tag.code}: ${tag.says}`]),
    ],
    decisionId: decision.id,
  };
}

/** What is wrong with a tag at this door (semantics 16); null for digests, and where nothing is. */
function tagClause(
  { byDigest, enforcedTags, tags }: Reached,
  { nodesPullThrough }: JudgeRules,
): Clause | null {
  if (byDigest) return null;
  const rule = enforcedTags ?? tags;
  if (rule !== 'leave') {
    return ruleClause(
      'admission.tag-unpinned',
      'it is named by a tag, and must be an image digest',
    );
  }
  if (nodesPullThrough) return null;
  const says = 'its tag is left as it is, and nodes pull it past the gateway';
  return ruleClause('admission.tag-left', says);
}

/** One for each policy that refuses: the check by which it does. */
function clausesOf({ policies, finding }: Decision): readonly Clause[] {
  const refusing = policies.filter(({ effect }) => effect === 'deny');
  if (refusing.length === 0) return [clauseOf(null, finding)];
  return refusing.map((outcome) => clauseOf(outcome.policy, outcome.finding));
}

function clauseOf(policy: string | null, finding: Finding): Clause {
  const { code = 'policy.nothing-checked', says, remedy } = reasonOf(finding);
  return { policy, code, says, remedy: remedy ?? codeEntry(code).remedy };
}

/** By the rule of all doors: a fault of the server itself says what its code means. */
function clauseOfFault(fault: TrustFault): Clause {
  const { code, message, remedy } = publicFault(fault);
  return { policy: null, code, says: message, remedy };
}

function ruleClause(code: Code, says: string): Clause {
  return { policy: null, code, says, remedy: codeEntry(code).remedy };
}

const MISSING = ruleClause('admission.image-missing', 'it names no image');
const UNASKED = ruleClause('internal.defect', 'nobody was asked about it');

/** What policies that warn say; those in audit are for the record alone. */
function remarksOf({ policies, warnings }: Decision): readonly string[] {
  if (warnings.length === 0) return warnings;
  const silent = policies.flatMap(({ policy, effect }) =>
    effect === 'audit' ? [`policy ${policy} (audit)`] : [],
  );
  return warnings.filter((warning) => !silent.some((start) => warning.startsWith(start)));
}
