import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import type { Decision } from '@bulla/trust/policy/decision';
import { usedExceptionJson } from '@bulla/trust/policy/render';
import type { MadeDecision, ObjectFacts } from '../decision/made.ts';
import type { Body, DecisionBody, Effect, RecordedPolicy } from './body.ts';
import { failingCodes, fitTree, wellFormed } from './tree.ts';

/** What is long enough for every honest name, and short enough for an index of every database. */
const NAME_LONGEST = 512;
const TEXT_LONGEST = 1024;
const LIST_MOST = 256;

/** Cuts what is too long for an entry, and remembers the names of it. */
interface Cutter {
  readonly names: Set<string>;
  text(name: string, value: string, most?: number): string;
  list(name: string, values: readonly string[]): readonly string[];
}

function cutter(): Cutter {
  const names = new Set<string>();
  const text = (name: string, value: string, most = NAME_LONGEST) => {
    if (value.length > most) names.add(name);
    return wellFormed(value, most);
  };
  return {
    names,
    text,
    list(name, values) {
      if (values.length > LIST_MOST) names.add(name);
      return values.slice(0, LIST_MOST).map((value) => text(name, value));
    },
  };
}

/**
 * The strictest effect; a refusal that no policy stands behind (none covers the image) is `deny`, and
 * what went out undecided, to be signed (semantics 15), is `warn`: nobody has let it pass.
 */
export function effectOf({ outcome, policies }: Decision): Effect {
  if (outcome === 'deny') return 'deny';
  if (policies.length === 0) return 'warn';
  const effects = new Set(policies.map(({ effect }) => effect));
  return effects.has('warn') ? 'warn' : effects.has('audit') ? 'audit' : 'pass';
}

/**
 * The body of a decision's entry. Whatever the caller or the image sent is bounded and made Unicode
 * first: nothing that they can send keeps a decision out of the record.
 */
export function decisionBody(made: MadeDecision, dossier: string | null): DecisionBody {
  const { decision, request, actor } = made;
  const cut = cutter();
  const { tree, isCut } = fitTree(decision.finding);
  if (isCut) cut.names.add('finding');
  const nullable = (name: string, value: string | null) =>
    value === null ? null : cut.text(name, value);
  return {
    kind: 'decision',
    id: cut.text('id', decision.id),
    at: made.at.toISOString(),
    decidedAt: decision.at.toISOString(),
    request: {
      id: cut.text('request.id', request.id),
      remoteAddress: cut.text('request.remoteAddress', request.remoteAddress),
      userAgent: cut.text('request.userAgent', request.userAgent),
      ...(request.object === undefined ? {} : { object: objectOf(request.object, cut) }),
    },
    actor: {
      kind: actor.kind,
      id: cut.text('actor.id', actor.id),
      name: cut.text('actor.name', actor.name),
    },
    surface: decision.surface,
    namespace: nullable('namespace', decision.namespace),
    environment: nullable('environment', decision.environment),
    reference: cut.text('reference', decision.reference, TEXT_LONGEST),
    repository: cut.text('repository', decision.repository),
    tag: nullable('tag', decision.tag),
    digest: nullable('digest', decision.digest),
    covers: cut.list('covers', decision.covers),
    outcome: decision.outcome,
    effect: effectOf(decision),
    code: failingCodes(tree)[0] ?? tree.code ?? null,
    policies: policiesOf(decision, cut),
    policySetHash: decision.policySetHash,
    trustRootVersion: cut.text('trustRootVersion', decision.trustRootVersion),
    evidence: cut.list('evidence', decision.evidence),
    finding: tree,
    warnings: cut.list('warnings', decision.warnings),
    exceptions: exceptionsOf(decision, cut),
    cache: made.cache,
    durationMs: Math.round(made.durationMs * 1000) / 1000,
    validUntil: decision.validUntil?.toISOString() ?? null,
    dossier,
    cut: [...cut.names].sort(),
  };
}

function objectOf(object: ObjectFacts, cut: Cutter): ObjectFacts {
  const nullable = (name: string, value: string | null) =>
    value === null ? null : cut.text(`request.object.${name}`, value);
  return {
    cluster: nullable('cluster', object.cluster),
    apiVersion: cut.text('request.object.apiVersion', object.apiVersion),
    kind: cut.text('request.object.kind', object.kind),
    namespace: nullable('namespace', object.namespace),
    name: nullable('name', object.name),
    operation: cut.text('request.object.operation', object.operation),
  };
}

function policiesOf({ policies }: Decision, cut: Cutter): readonly RecordedPolicy[] {
  if (policies.length > LIST_MOST) cut.names.add('policies');
  return policies.slice(0, LIST_MOST).map(({ policy, hash, mode, effect }) => ({
    name: cut.text('policies.name', policy),
    hash,
    mode,
    effect,
  }));
}

function exceptionsOf({ exceptions }: Decision, cut: Cutter): DecisionBody['exceptions'] {
  if (exceptions.length > LIST_MOST) cut.names.add('exceptions');
  return exceptions.slice(0, LIST_MOST).map((used) => {
    const { id, name, kind, requester, approver, reason, expires, policy, clauses } =
      usedExceptionJson(used);
    return {
      id,
      name: cut.text('exceptions.name', name),
      kind,
      requester: cut.text('exceptions.requester', requester),
      approver: approver === null ? null : cut.text('exceptions.approver', approver),
      reason: cut.text('exceptions.reason', reason, TEXT_LONGEST),
      expires,
      policy: cut.text('exceptions.policy', policy),
      clauses: cut.list('exceptions.clauses', clauses),
    };
  });
}

/** The text that is hashed and kept. */
export function canonicalBody(body: Body): string {
  return canonicalizeJcs(body);
}
