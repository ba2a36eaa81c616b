import { type Provenance, readProvenance } from '../../../claims/provenance.ts';
import { printable, quote } from '../../../fault/fault.ts';
import { allOf } from '../../../finding/combine.ts';
import { type Finding, failed, failedBy, passed } from '../../../finding/finding.ts';
import type { ProvenanceCondition } from '../../document.ts';
import { compilePattern, type Pattern } from '../../pattern.ts';
import type { Condition } from '../condition.ts';

const CHECK = 'statement.provenance';
const SOURCE = 'SLSA provenance';
const BRANCH = 'refs/heads/';

/**
 * The statement is a SLSA provenance by this builder, from this repository and branch. A tag is no
 * branch. What the provenance does not say fails (`statement.provenance-mismatch`).
 */
export function provenanceCondition(condition: ProvenanceCondition): Condition {
  const { builder, sourceRepository, branch } = condition;
  const checks = [
    builder && check('builder', builder, ({ builder: found }) => [found]),
    sourceRepository && check('source repository', sourceRepository, repositoriesOf),
    branch && check('branch', branch, branchesOf),
  ].filter((each) => each !== null);
  return async ({ statement }) => {
    try {
      const provenance = readProvenance(statement);
      const findings = checks.map((judge) => judge(provenance));
      return {
        finding: allOf(CHECK, findings, 'what the provenance says of the build'),
        until: null,
      };
    } catch (error) {
      return { finding: failedBy(CHECK, error, SOURCE), until: null };
    }
  };
}

/** A check of one value, which may be written in several ways; an empty list is no value at all. */
function check(
  what: string,
  pattern: Pattern,
  read: (provenance: Provenance) => readonly string[],
): (provenance: Provenance) => Finding {
  const matches = matcherOf(pattern);
  return (provenance) => {
    const found = read(provenance);
    const [first] = found;
    if (first !== undefined && found.some(matches)) {
      return passed(CHECK, `the ${what} is ${printable(first)}`, SOURCE);
    }
    const says = `expected the ${what} ${describePattern(pattern)}, found ${first === undefined ? 'none' : quote(first)}`;
    return failed(CHECK, 'statement.provenance-mismatch', says, SOURCE);
  };
}

/** Segments by which an address leads elsewhere than a pattern of its beginning says. */
const DOTS = /(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\]|$)/i;

/** As it is, and as provenance of the older form has it. */
function repositoriesOf({ source }: Provenance): readonly string[] {
  if (source === null || DOTS.test(source.repository)) return [];
  return [source.repository, `git+${source.repository}`];
}

function branchesOf({ source }: Provenance): readonly string[] {
  const ref = source?.ref;
  if (ref === undefined || ref === null || !ref.startsWith(BRANCH)) return [];
  const name = ref.slice(BRANCH.length);
  // Who may push any branch could call one refs/heads/main.
  return name.startsWith('refs/') ? [ref] : [name, ref];
}

/** A policy's patterns are compiled once, and forgotten with the policy. */
const MATCHERS = new WeakMap<Pattern, (value: string) => boolean>();

function matcherOf(pattern: Pattern): (value: string) => boolean {
  const known = MATCHERS.get(pattern) ?? compilePattern(pattern);
  MATCHERS.set(pattern, known);
  return known;
}

function describePattern(pattern: Pattern): string {
  if ('exact' in pattern) return quote(pattern.exact);
  return 'glob' in pattern ? `like ${quote(pattern.glob)}` : `like /${pattern.regex}/`;
}
