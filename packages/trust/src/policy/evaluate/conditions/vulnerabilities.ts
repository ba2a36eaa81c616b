import { SEVERITIES, type Severity } from '../../../claims/severity.ts';
import type { Vulnerability } from '../../../claims/vulnerability.ts';
import { readVulnerabilities } from '../../../claims/vulnerability-report.ts';
import { allOf, anyOf } from '../../../finding/combine.ts';
import { type Finding, failed, failedBy, passed } from '../../../finding/finding.ts';
import type { SeverityLimits } from '../../document.ts';
import type { Condition, ConditionAnswer } from '../condition.ts';
import type { VexAnswers } from './vex.ts';

const CHECK = 'statement.vulnerabilities';
const MAX_NAMED = 5;

/** What is judged, and who may answer findings of it. */
export interface VulnerabilityQuestion {
  readonly limits: SeverityLimits;
  /** Reads the VEX statements; called when there are findings to be answered. Null: none count. */
  readonly vex: (() => Promise<VexAnswers>) | null;
}

/**
 * The statement is a scan's report within the limits. A limit holds for each worse severity that has
 * none of its own. Findings that VEX answers are not counted; where they are what makes the report
 * pass, a VEX statement that could not be fetched leaves that open. A report in an unknown form fails.
 */
export function vulnerabilityCondition({ limits, vex }: VulnerabilityQuestion): Condition {
  return async ({ statement }) => {
    let found: readonly Vulnerability[];
    try {
      found = distinct(readVulnerabilities(statement));
    } catch (error) {
      return { finding: failedBy(CHECK, error), until: null };
    }
    const bare = judgeCounts(found, limits);
    if (bare.outcome === 'pass' || vex === null) return { finding: bare, until: null };
    return withVex(found, limits, await vex());
  };
}

function withVex(
  found: readonly Vulnerability[],
  limits: SeverityLimits,
  vex: VexAnswers,
): ConditionAnswer {
  const open = found.filter((vulnerability) => !vex.answers(vulnerability));
  const counted = judgeCounts(open, limits);
  const says = `${found.length - open.length} of ${found.length} findings are answered by VEX`;
  const away = vex.unseen.filter(({ outcome }) => outcome === 'inconclusive');
  const { until, notes } = vex;
  if (counted.outcome === 'pass') {
    return { finding: allOf(CHECK, [counted, ...notes, ...vex.unseen], says), until };
  }
  // What could not be fetched might have answered the rest.
  const finding =
    away.length === 0
      ? allOf(CHECK, [counted, ...notes], says)
      : anyOf(CHECK, [counted, ...notes, ...away], says);
  return { finding, until: null };
}

/** One finding of one package counts once, however many targets it was found in. */
function distinct(found: readonly Vulnerability[]): readonly Vulnerability[] {
  const known = new Map<string, Vulnerability>();
  for (const vulnerability of found) {
    const { id, severity, package: where } = vulnerability;
    known.set(JSON.stringify([id, severity, where?.name, where?.purl]), vulnerability);
  }
  return [...known.values()];
}

function judgeCounts(found: readonly Vulnerability[], limits: SeverityLimits): Finding {
  const limited = SEVERITIES.flatMap((severity) => {
    const limit = limitOf(severity, limits);
    return limit === null ? [] : [judgeSeverity(severity, limit, found)];
  });
  return allOf(CHECK, limited, `${found.length} findings are counted`);
}

function judgeSeverity(
  severity: Severity,
  limit: number,
  found: readonly Vulnerability[],
): Finding {
  const ids = found.flatMap((each) => (each.severity === severity ? [each.id] : []));
  const says = `${ids.length} ${severity}, at most ${limit} allowed`;
  if (ids.length <= limit) return passed(CHECK, says);
  const more = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : '';
  const named = ids.slice(0, MAX_NAMED).map((id) => id.slice(0, 80));
  return failed(CHECK, 'statement.vulnerabilities', `${says}: ${named.join(', ')}${more}`);
}

/** Whoever allows no high ones does not mean to allow critical ones. */
function limitOf(severity: Severity, limits: SeverityLimits): number | null {
  const own = limits[severity];
  if (own !== undefined || severity === 'unknown') return own ?? null;
  const milder = SEVERITIES.slice(SEVERITIES.indexOf(severity) + 1).filter(
    (other) => other !== 'unknown',
  );
  const next = milder.find((other) => limits[other] !== undefined);
  return next === undefined ? null : (limits[next] ?? null);
}
