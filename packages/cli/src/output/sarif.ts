import { codeEntry } from '@bulla/trust/fault/codes';
import { failingLeaves } from '@bulla/trust/finding/render-json';
import type { Verdict } from '@bulla/trust/finding/verdict';

/** Verdicts as a SARIF 2.1.0 log: one result per finding that did not pass, ruled by its code. */
export function sarifLog(verdicts: readonly Verdict[]): Readonly<Record<string, unknown>> {
  const problems = verdicts.flatMap((verdict) =>
    failingLeaves(verdict.finding).map((finding) => ({ verdict, finding })),
  );
  const codes = [...new Set(problems.flatMap(({ finding }) => finding.code ?? []))].sort();
  const rules = codes.map((code) => ({
    id: code,
    shortDescription: { text: codeEntry(code).means },
    help: { text: codeEntry(code).remedy },
  }));
  const results = problems.map(({ verdict, finding }) => ({
    ruleId: finding.code ?? finding.check,
    level: finding.outcome === 'inconclusive' ? 'warning' : 'error',
    message: { text: `${finding.check}: ${finding.says}` },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: encodeURI(verdict.reference) } },
        logicalLocations: [{ fullyQualifiedName: verdict.artifact, kind: 'resource' }],
      },
    ],
  }));
  const driver = { name: 'bulla', informationUri: 'https://bulla.dev', rules };
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, results }],
  };
}
