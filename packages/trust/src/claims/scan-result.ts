import {
  asArray,
  asCount,
  asObject,
  asString,
  type Cursor,
  member,
  optional,
} from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { readSarif } from './sarif.ts';
import { type Severity, severityOf } from './severity.ts';
import type { Vulnerability } from './vulnerability.ts';

const MAX_FINDINGS = 200_000;

/** The member by which each scanner's result is known, and how it is read. */
const READERS: readonly {
  readonly mark: string;
  readonly read: (at: Cursor) => readonly Vulnerability[];
}[] = [
  { mark: 'SchemaVersion', read: readTrivy },
  { mark: 'matches', read: readGrype },
  { mark: 'runs', read: readSarif },
  { mark: 'vulnerabilities', read: readPlain },
];

/**
 * The findings in a scanner's own result: Trivy's JSON of schema 2, Grype's JSON, SARIF 2.1.0 whose
 * rules have a `security-severity`, or a plain list `vulnerabilities` of `id` and `severity`. Throws
 * `predicate.malformed` for every other form, and for one that could be two of these.
 */
export function readScanResult(at: Cursor): readonly Vulnerability[] {
  const result = asObject(at);
  const meant = READERS.filter(({ mark }) => Object.hasOwn(result, mark));
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return only.read(at);
  throw new TrustFault(
    at.code,
    `expected the result of Trivy, Grype or SARIF at ${at.path}, found members ${quote(Object.keys(result).join(', '))}`,
  );
}

/** trivy, pkg/types/report.go. A report without `Results` looked at nothing. */
function readTrivy(at: Cursor): readonly Vulnerability[] {
  if (asCount(member(at, 'SchemaVersion')) !== 2) {
    throw new TrustFault(at.code, `expected SchemaVersion 2 at ${at.path}`);
  }
  return asArray(member(at, 'Results'), (target) =>
    optional(member(target, 'Vulnerabilities'), (found) =>
      asArray(found, asTrivyFinding, MAX_FINDINGS),
    ),
  ).flatMap((found) => found ?? []);
}

function asTrivyFinding(at: Cursor): Vulnerability {
  const purl = optional(member(at, 'PkgIdentifier'), (identifier) =>
    optional(member(identifier, 'PURL'), asString),
  );
  return {
    id: asString(member(at, 'VulnerabilityID')),
    aliases: [],
    severity: asSeverity(member(at, 'Severity')),
    package: { name: asString(member(at, 'PkgName')), purl: purl ?? null },
  };
}

/** grype, grype/presenter/models/document.go. */
function readGrype(at: Cursor): readonly Vulnerability[] {
  return asArray(
    member(at, 'matches'),
    (match) => {
      const found = member(match, 'vulnerability');
      const artifact = member(match, 'artifact');
      const related = optional(member(match, 'relatedVulnerabilities'), (list) =>
        asArray(list, (entry) => asString(member(entry, 'id'))),
      );
      return {
        id: asString(member(found, 'id')),
        aliases: related ?? [],
        severity: asSeverity(member(found, 'severity')),
        package: {
          name: asString(member(artifact, 'name')),
          purl: optional(member(artifact, 'purl'), asString) || null,
        },
      };
    },
    MAX_FINDINGS,
  );
}

function readPlain(at: Cursor): readonly Vulnerability[] {
  return asArray(
    member(at, 'vulnerabilities'),
    (found) => {
      const name = optional(member(found, 'package'), asString);
      const purl = optional(member(found, 'purl'), asString);
      return {
        id: asString(member(found, 'id')),
        aliases: [],
        severity: asSeverity(member(found, 'severity')),
        package:
          name === undefined && purl === undefined
            ? null
            : { name: name ?? '', purl: purl ?? null },
      };
    },
    MAX_FINDINGS,
  );
}

function asSeverity(at: Cursor): Severity {
  const text = asString(at);
  const severity = severityOf(text);
  if (severity !== null) return severity;
  throw new TrustFault(at.code, `expected a severity at ${at.path}, found ${quote(text)}`);
}
