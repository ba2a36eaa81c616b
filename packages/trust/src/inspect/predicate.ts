import {
  COSIGN_SIGN_PREDICATE,
  PREDICATE_TYPES,
  predicateTypeMatches,
} from '../claims/predicate-type.ts';
import { type Explanation, explain, type Facts } from './explanation.ts';

/** What a summary says of a predicate of one type. */
type Summary = (predicate: unknown) => Facts;

const SUMMARIES: readonly (readonly [string, Summary])[] = [
  [COSIGN_SIGN_PREDICATE, () => ({ says: 'the subjects are signed as such' })],
  [PREDICATE_TYPES.slsaprovenance1, summariseProvenance],
  [PREDICATE_TYPES.slsaprovenance02, summariseOldProvenance],
  [PREDICATE_TYPES.spdx, summariseSpdx],
  [PREDICATE_TYPES.cyclonedx, summariseCycloneDx],
  [PREDICATE_TYPES.vuln, summariseScan],
  [PREDICATE_TYPES.openvex, summariseVex],
  [PREDICATE_TYPES.vsa, summariseVsa],
  [PREDICATE_TYPES.testresult, summariseTests],
  [PREDICATE_TYPES.custom, (predicate) => ({ timestamp: text(predicate, 'Timestamp') })],
];

/**
 * A short summary of a predicate of a known type: its builder, counts of components, vulnerabilities
 * or statements. What is missing or of another shape is left out; never throws.
 */
export function explainPredicate(type: string, predicate: unknown): Explanation {
  const [, summarise] = SUMMARIES.find(([known]) => predicateTypeMatches(known, type)) ?? [];
  return explain('predicate', { type, ...summarise?.(predicate) });
}

function summariseProvenance(predicate: unknown): Facts {
  return {
    builder: text(predicate, 'runDetails', 'builder', 'id'),
    buildType: text(predicate, 'buildDefinition', 'buildType'),
    invocation: text(predicate, 'runDetails', 'metadata', 'invocationId'),
    workflow: text(predicate, 'buildDefinition', 'externalParameters', 'workflow', 'repository'),
    ref: text(predicate, 'buildDefinition', 'externalParameters', 'workflow', 'ref'),
    dependencies: length(predicate, 'buildDefinition', 'resolvedDependencies'),
  };
}

function summariseOldProvenance(predicate: unknown): Facts {
  return {
    builder: text(predicate, 'builder', 'id'),
    buildType: text(predicate, 'buildType'),
    source: text(predicate, 'invocation', 'configSource', 'uri'),
    materials: length(predicate, 'materials'),
  };
}

function summariseSpdx(predicate: unknown): Facts {
  if (typeof predicate === 'string') {
    return {
      version: /^SPDXVersion:\s*(.+)$/m.exec(predicate)?.[1],
      components: predicate.match(/^PackageName:/gm)?.length ?? 0,
    };
  }
  return {
    version: text(predicate, 'spdxVersion'),
    name: text(predicate, 'name'),
    components: length(predicate, 'packages'),
  };
}

function summariseCycloneDx(predicate: unknown): Facts {
  return {
    version: text(predicate, 'specVersion'),
    name: text(predicate, 'metadata', 'component', 'name'),
    components: length(predicate, 'components'),
    vulnerabilities: length(predicate, 'vulnerabilities'),
  };
}

function summariseScan(predicate: unknown): Facts {
  const result = at(predicate, 'scanner', 'result');
  const flat = list(at(result, 'vulnerabilities'));
  // Trivy groups by target, and writes its members with capitals.
  const grouped = list(at(result, 'Results')).flatMap((group) =>
    list(at(group, 'Vulnerabilities')),
  );
  const found = [...flat, ...grouped];
  return {
    scanner: text(predicate, 'scanner', 'uri'),
    version: text(predicate, 'scanner', 'version'),
    finished: text(predicate, 'metadata', 'scanFinishedOn'),
    vulnerabilities: found.length,
    bySeverity: tally(
      found.map((one) =>
        (text(one, 'severity') ?? text(one, 'Severity') ?? 'unknown').toUpperCase(),
      ),
    ),
  };
}

function summariseVex(predicate: unknown): Facts {
  const statements = list(at(predicate, 'statements'));
  return {
    author: text(predicate, 'author'),
    statements: statements.length,
    byStatus: tally(statements.map((statement) => text(statement, 'status') ?? 'unknown')),
  };
}

function summariseVsa(predicate: unknown): Facts {
  return {
    verifier: text(predicate, 'verifier', 'id'),
    result: text(predicate, 'verificationResult'),
    resource: text(predicate, 'resourceUri'),
    policy: text(predicate, 'policy', 'uri'),
    levels: list(at(predicate, 'verifiedLevels')).filter((level) => typeof level === 'string'),
  };
}

function summariseTests(predicate: unknown): Facts {
  return {
    result: text(predicate, 'result'),
    passed: length(predicate, 'passedTests'),
    failed: length(predicate, 'failedTests'),
    warned: length(predicate, 'warnedTests'),
  };
}

/** The member of nested objects under these names, or undefined. */
function at(value: unknown, ...names: readonly string[]): unknown {
  let found = value;
  for (const name of names) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name))
      return undefined;
    found = Object.entries(found).find(([key]) => key === name)?.[1];
  }
  return found;
}

function text(value: unknown, ...names: readonly string[]): string | undefined {
  const found = at(value, ...names);
  return typeof found === 'string' ? found : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function length(value: unknown, ...names: readonly string[]): number | undefined {
  const found = at(value, ...names);
  return Array.isArray(found) ? found.length : undefined;
}

const MAX_TALLY = 16;

/** `3 HIGH`, most frequent first. */
function tally(values: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, MAX_TALLY)
    .map(([value, count]) => `${count} ${value}`);
}
