import type { Finding } from './finding.ts';
import { remedyOf } from './render-text.ts';
import type { Verdict } from './verdict.ts';

/** The JSON form of a finding; its schema is docs/schemas/verdict.schema.json. */
export interface FindingJson {
  readonly check: string;
  readonly outcome: string;
  readonly says: string;
  readonly source?: string;
  readonly code?: string;
  readonly remedy?: string;
  readonly needs?: string | number;
  readonly because?: readonly FindingJson[];
}

/** The JSON form of a verdict. */
export interface VerdictJson {
  readonly reference: string;
  readonly artifact: string;
  readonly digest: string | null;
  readonly covers: readonly string[];
  readonly outcome: string;
  readonly evidence: readonly string[];
  readonly trustRoot: string | null;
  readonly validUntil: string | null;
  readonly at: string;
  readonly durationMs: number;
  readonly finding: FindingJson;
}

/** A finding as stable JSON: every child, and the remedy of each that did not pass. */
export function findingJson(finding: Finding): FindingJson {
  const remedy = remedyOf(finding);
  const { check, outcome, says, source, code, needs, because } = finding;
  return {
    check,
    outcome,
    says,
    ...(source === undefined ? {} : { source }),
    ...(code === undefined ? {} : { code }),
    ...(remedy === null ? {} : { remedy }),
    ...(needs === undefined ? {} : { needs }),
    ...(because === undefined ? {} : { because: because.map(findingJson) }),
  };
}

/** A verdict as stable JSON. */
export function verdictJson(verdict: Verdict): VerdictJson {
  return {
    reference: verdict.reference,
    artifact: verdict.artifact,
    digest: verdict.digest,
    covers: verdict.covers,
    outcome: verdict.finding.outcome,
    evidence: verdict.evidence,
    trustRoot: verdict.trustRoot,
    validUntil: verdict.validUntil?.toISOString() ?? null,
    at: verdict.at.toISOString(),
    durationMs: Math.round(verdict.durationMs * 100) / 100,
    finding: findingJson(verdict.finding),
  };
}

/** The leaves that did not pass, for formats that list problems (SARIF). */
export function failingLeaves(finding: Finding): readonly Finding[] {
  if (finding.outcome === 'pass' || finding.outcome === 'skipped') return [];
  const children = finding.because ?? [];
  if (children.length === 0) return [finding];
  const leaves = children.flatMap(failingLeaves);
  return leaves.length === 0 ? [finding] : leaves;
}
