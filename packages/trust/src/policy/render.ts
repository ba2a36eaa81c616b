import { printable } from '../fault/fault.ts';
import { type FindingJson, findingJson } from '../finding/render-json.ts';
import { type RenderOptions, renderFinding } from '../finding/render-text.ts';
import type { Decision } from './decision.ts';
import type { UsedException } from './exceptions/document.ts';

const TITLES = { admit: 'ADMIT', deny: 'DENY' } as const satisfies Record<
  Decision['outcome'],
  string
>;

/**
 * A decision as lines for people: one that says what was decided about what, the tree of each policy
 * below it, and the warnings. Control characters of foreign text are escaped.
 */
export function renderDecision(decision: Decision, options: RenderOptions = {}): readonly string[] {
  const { outcome, repository, digest, reference, policies, finding, warnings, id } = decision;
  const paint = options.paint ?? ((_, text) => text);
  const about = digest === null ? printable(reference) : `${repository}@${digest}`;
  const names = policies.map(({ policy }) => policy).join(', ');
  const by =
    policies.length === 0 ? '' : `   ${policies.length === 1 ? 'policy' : 'policies'} ${names}`;
  const title = paint(outcome === 'admit' ? 'pass' : 'fail', TITLES[outcome]);
  const branches = finding.because ?? [finding];
  return [
    `${title}  ${about}${printable(by)}   decision ${id}`,
    ...branches.flatMap((branch, at) =>
      hung(renderFinding(branch, options), at === branches.length - 1),
    ),
    ...warnings.map((warning) => `warning: ${printable(warning)}`),
  ];
}

/** The lines of a tree below a line. */
function hung(lines: readonly string[], isLast: boolean): readonly string[] {
  const [first, rest] = isLast ? ['└─ ', '   '] : ['├─ ', '│  '];
  return lines.map((line, at) => `${at === 0 ? first : rest}${line}`);
}

/** The JSON form of an exception that was used; the record keeps the same. */
export interface UsedExceptionJson extends Omit<UsedException, 'expires' | 'id'> {
  readonly id: string;
  readonly expires: string;
}

/** An exception that was used as stable JSON. */
export function usedExceptionJson(used: UsedException): UsedExceptionJson {
  return { ...used, expires: used.expires.toISOString() };
}

/** The JSON form of a decision. */
export interface DecisionJson {
  readonly id: string;
  readonly outcome: string;
  readonly reference: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly covers: readonly string[];
  readonly surface: string;
  readonly namespace: string | null;
  readonly environment: string | null;
  /** In the order of the children of `finding`, which holds their trees. */
  readonly policies: readonly {
    readonly policy: string;
    readonly hash: string;
    readonly mode: string;
    readonly effect: string;
    readonly outcome: string;
  }[];
  readonly warnings: readonly string[];
  readonly exceptions: readonly UsedExceptionJson[];
  readonly policySetHash: string;
  readonly trustRootVersion: string;
  readonly evidence: readonly string[];
  readonly validUntil: string | null;
  readonly at: string;
  readonly durationMs: number;
  readonly finding: FindingJson;
}

/** A decision as stable JSON; its schema is in docs/schemas/decision.schema.json. */
export function decisionJson(decision: Decision): DecisionJson {
  return {
    id: decision.id,
    outcome: decision.outcome,
    reference: decision.reference,
    repository: decision.repository,
    tag: decision.tag,
    digest: decision.digest,
    covers: decision.covers,
    surface: decision.surface,
    namespace: decision.namespace,
    environment: decision.environment,
    policies: decision.policies.map(({ policy, hash, mode, effect, finding }) => ({
      policy,
      hash,
      mode,
      effect,
      outcome: finding.outcome,
    })),
    warnings: decision.warnings,
    exceptions: decision.exceptions.map(usedExceptionJson),
    policySetHash: decision.policySetHash,
    trustRootVersion: decision.trustRootVersion,
    evidence: decision.evidence,
    validUntil: decision.validUntil?.toISOString() ?? null,
    at: decision.at.toISOString(),
    durationMs: Math.round(decision.durationMs * 100) / 100,
    finding: findingJson(decision.finding),
  };
}

/** The schema that a document of decisions names. */
export const DECISION_SCHEMA = 'https://bulla.dev/schemas/decision/v1';

/** Some decisions as the document that `-o json` prints. */
export function decisionsJson(decisions: readonly Decision[]): {
  readonly schema: string;
  readonly decisions: readonly DecisionJson[];
} {
  return { schema: DECISION_SCHEMA, decisions: decisions.map(decisionJson) };
}
