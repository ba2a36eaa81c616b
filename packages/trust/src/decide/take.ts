import { allOf } from '../finding/combine.ts';
import { type Finding, failed } from '../finding/finding.ts';
import type { Digest } from '../oci/digest.ts';
import type { StoredManifest } from '../oci/store.ts';
import type { Decision, PolicyOutcome } from '../policy/decision.ts';
import { earliestOf } from '../policy/evaluate/attested.ts';
import { type EvaluatedPolicy, evaluatePolicy } from '../policy/evaluate/evaluate.ts';
import type { Rollback } from '../policy/evaluate/rollback.ts';
import type { GivenException } from '../policy/exceptions/document.ts';
import type { ExpressionRunner } from '../policy/expression.ts';
import type { PolicyScope, PolicySet, ReadyPolicy } from '../policy/policy-set.ts';
import type { Material } from './material.ts';
import { provenTree } from './prove.ts';

/** What a decision is about and by what it is taken, wherever the evidence comes from. */
export interface DecisionQuestion {
  /** Unique and sortable by time; see `newDecisionId`. */
  readonly id: string;
  /** The reference for people, as it was asked for. */
  readonly reference: string;
  readonly scope: PolicyScope;
  /** The tag by which it was asked for; null when it was asked for by its digest. */
  readonly tag: string | null;
  readonly policies: PolicySet;
  /** Called when a statement meets a `where`, and not before. */
  readonly expressions: () => ExpressionRunner;
  /** The last pass of this digest under a policy of this hash (semantics 3); asked in outages alone. */
  readonly lastPass: (digest: Digest, policyHash: string) => Promise<Date | null>;
  readonly rollback: Rollback | null;
  /**
   * The exceptions that the door holds for this image, without those that were revoked; asked at most
   * once, when a policy would not pass. Absent: none.
   */
  readonly exceptions?: () => Promise<readonly GivenException[]>;
  /** The present. */
  readonly at: Date;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** What the question led to before any policy was asked. */
export interface Subject {
  /** The node that is judged, or why it is not at hand. */
  readonly root: StoredManifest | Finding;
  /** What was asked for, also when its bytes are not at hand; null for a tag that led nowhere. */
  readonly digest: Digest | null;
  /** What the tag last led to; it decides nothing but what a last known good is about. */
  readonly remembered: Digest | null;
  readonly parents: readonly Digest[];
}

/** Garbage can be made to cost a second a piece, and there may be thousands of pieces. */
const MAX_VERIFICATION_MS = 120_000;

/** Decides by all policies that cover the scope; `seen` gets the digest of each piece of evidence. */
export async function takeDecision(
  question: DecisionQuestion,
  subject: Subject,
  material: Material,
  started: number,
): Promise<Decision> {
  const { policies, scope } = question;
  const covering = inOrder(policies.policies.filter((policy) => policy.covers(scope)));
  const refusal = covering.length === 0 ? uncovered(policies, scope) : null;
  const seen = new Set<string>();
  const evaluated =
    refusal === null ? await evaluateAll(covering, question, subject, noting(material, seen)) : [];
  const finding = refusal ?? rootFinding(evaluated);
  const refuses = refusal !== null || evaluated.some(({ effect }) => effect === 'deny');
  const stoodIn = evaluated.some(({ lastKnownGood }) => lastKnownGood !== null);
  return {
    id: question.id,
    outcome: refuses ? 'deny' : 'admit',
    reference: question.reference,
    repository: scope.repository,
    tag: question.tag,
    digest: subject.digest ?? (stoodIn && !refuses ? subject.remembered : null),
    covers: refuses ? [] : coveredByAll(evaluated),
    surface: scope.surface,
    namespace: scope.namespace,
    environment: scope.environment,
    policies: evaluated.map(outcomeOf),
    finding,
    warnings: evaluated.flatMap(warningsOf),
    exceptions: evaluated.flatMap(({ exceptions }) => exceptions),
    policySetHash: policies.hash,
    trustRootVersion: policies.trustRootVersion,
    evidence: [...seen].sort(),
    validUntil: refuses ? null : earliestOf(evaluated.map(({ validUntil }) => validUntil)),
    at: question.at,
    durationMs: question.now() - started,
  };
}

/** In one order whatever the order in which they were loaded. */
function inOrder(policies: readonly ReadyPolicy[]): readonly ReadyPolicy[] {
  const key = ({ document, hash }: ReadyPolicy) => `${document.name}\n${hash}`;
  return policies.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** Whether any policy covers the scope. What none covers is refused unasked (semantics 4 and 19). */
export function isCovered({
  policies,
  scope,
}: Pick<DecisionQuestion, 'policies' | 'scope'>): boolean {
  return policies.policies.some((policy) => policy.covers(scope));
}

/** Deny is the default (semantics 4). */
export function uncovered({ policies }: PolicySet, { repository, surface }: PolicyScope): Finding {
  const source = 'semantics 4';
  if (policies.length === 0) {
    return failed('policy', 'policy.none', 'no policy is loaded, so nothing is admitted', source);
  }
  const says = `none of ${policies.length} policies covers ${repository} at ${surface}`;
  return failed('policy', 'policy.no-match', says, source);
}

async function evaluateAll(
  covering: readonly ReadyPolicy[],
  question: DecisionQuestion,
  { root, digest, remembered, parents }: Subject,
  material: Material,
): Promise<readonly EvaluatedPolicy[]> {
  const { at, now, tag, rollback, expressions, scope } = question;
  const patience = { now, leftMs: MAX_VERIFICATION_MS };
  const tree = provenTree(root, parents, { material, policies: covering, at, patience });
  const known = digest ?? remembered;
  const given = once(question.exceptions ?? (async () => []));
  const { surface, namespace } = scope;
  return Promise.all(
    covering.map((policy) =>
      evaluatePolicy(policy, tree, {
        repository: scope.repository,
        at,
        expressions,
        tag,
        rollback,
        exceptions: { given, digest, surface, namespace },
        lastPass: async () => (known === null ? null : question.lastPass(known, policy.hash)),
      }),
    ),
  );
}

/** The same answer, also a rejected one, however often it is asked for. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | null = null;
  return () => {
    asked ??= ask();
    return asked;
  };
}

/** The material, with the digest of each piece of evidence that is looked at noted. */
function noting(material: Material, seen: Set<string>): Material {
  return {
    node: (digest) => material.node(digest),
    async evidence(digest, gathering) {
      const found = await material.evidence(digest, gathering);
      for (const piece of found.evidence) seen.add(piece.digest);
      return found;
    },
  };
}

/** Every policy that covers the image must pass; what refuses is told by the policies' effects. */
function rootFinding(evaluated: readonly EvaluatedPolicy[]): Finding {
  const findings = evaluated.map(({ finding }) => finding);
  const passing = findings.filter(({ outcome }) => outcome === 'pass').length;
  const says = `${passing} of ${findings.length} policies that cover the image are satisfied`;
  return allOf('policy', findings, says, { source: 'semantics 4' });
}

/** Only what every policy's evidence covers is decided with the image. */
function coveredByAll(evaluated: readonly EvaluatedPolicy[]): readonly Digest[] {
  const [first, ...others] = evaluated.map(({ covers }) => new Set(covers));
  return [...(first ?? [])].filter((digest) => others.every((covers) => covers.has(digest)));
}

function outcomeOf({ policy, hash, mode, finding, effect }: EvaluatedPolicy): PolicyOutcome {
  return { policy, hash, mode, finding, effect };
}

function warningsOf(evaluated: EvaluatedPolicy): readonly string[] {
  const { policy, mode, effect, finding, notes } = evaluated;
  const warnings = notes.map((note) => `policy ${policy}: ${note}`);
  if (effect !== 'warn' && effect !== 'audit') return warnings;
  const code = finding.code === undefined ? '' : ` (${finding.code})`;
  const word = finding.outcome === 'inconclusive' ? 'cannot be decided' : 'is not satisfied';
  return [`policy ${policy} (${mode}) ${word}${code}`, ...warnings];
}
