import {
  asArray,
  asCount,
  asOneOf,
  asString,
  type Cursor,
  member,
  optional,
} from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { type Severity, severityOf } from './severity.ts';
import type { Vulnerability } from './vulnerability.ts';

const MAX_FINDINGS = 200_000;

interface Rules {
  readonly byId: ReadonlyMap<string, Severity | null>;
  readonly byIndex: readonly (Severity | null)[];
}

/**
 * The findings in a SARIF 2.1.0 log. Its levels say how to act, not how bad a vulnerability is, so
 * each rule needs a `security-severity`, a CVSS score. Throws the cursor's code where one is missing,
 * for a log without a run, and for a run without results: nothing was scanned (SARIF §3.14.23).
 */
export function readSarif(at: Cursor): readonly Vulnerability[] {
  asOneOf(member(at, 'version'), ['2.1.0']);
  const runs = asArray(member(at, 'runs'), readRun);
  if (runs.length > 0) return runs.flat();
  throw new TrustFault(at.code, `expected a run at ${at.path}, found none`);
}

function readRun(at: Cursor): readonly Vulnerability[] {
  const driver = member(member(at, 'tool'), 'driver');
  const ruled = optional(member(driver, 'rules'), (rules) => asArray(rules, readRule)) ?? [];
  const rules = {
    byId: new Map(ruled.map(({ id, severity }) => [id, severity])),
    byIndex: ruled.map(({ severity }) => severity),
  };
  return asArray(member(at, 'results'), (result) => readResult(result, rules), MAX_FINDINGS);
}

function readRule(at: Cursor): { readonly id: string; readonly severity: Severity | null } {
  const score = optional(member(at, 'properties'), (properties) =>
    optional(member(properties, 'security-severity'), asString),
  );
  return {
    id: asString(member(at, 'id')),
    severity: score === undefined ? null : severityOf(score),
  };
}

function readResult(at: Cursor, { byId, byIndex }: Rules): Vulnerability {
  const id = asString(member(at, 'ruleId'));
  const index = optional(member(at, 'ruleIndex'), asCount);
  const severity = byId.get(id) ?? (index === undefined ? null : byIndex[index]) ?? null;
  if (severity !== null) return { id, aliases: [], severity, package: null };
  throw new TrustFault(
    at.code,
    `expected a rule with a security-severity for ${quote(id)} at ${at.path}, found none`,
  );
}
