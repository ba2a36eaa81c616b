import type { Code } from '../fault/codes.ts';
import type { Finding, Needs, Outcome } from './finding.ts';

/**
 * Three-valued combination (design, "Findings and verdicts"). `all`: one fail fails, else one
 * inconclusive is inconclusive. `any`: one pass passes, else one inconclusive is inconclusive.
 * N: passes when N pass, fails when passes plus inconclusives are fewer than N, else inconclusive.
 * Skipped children do not count; nothing counted is `fail` (semantics 1).
 */
export function combineOutcomes(needs: Needs, outcomes: readonly Outcome[]): Outcome {
  let passes = 0;
  let inconclusives = 0;
  let fails = 0;
  for (const outcome of outcomes) {
    if (outcome === 'pass') passes++;
    else if (outcome === 'inconclusive') inconclusives++;
    else if (outcome === 'fail') fails++;
  }
  if (passes + inconclusives + fails === 0) return 'fail';
  if (needs === 'all') return fails > 0 ? 'fail' : inconclusives > 0 ? 'inconclusive' : 'pass';
  const wanted = needs === 'any' ? 1 : needs;
  // A threshold below 1 would make nothing enough: it can never pass.
  if (!(wanted >= 1)) return 'fail';
  if (passes >= wanted) return 'pass';
  return passes + inconclusives < wanted ? 'fail' : 'inconclusive';
}

/** What a combined finding may say beside its children. */
export interface CombineOptions {
  readonly source?: string;
  /** The code of a combination that did not pass; default: its deciding child's. */
  readonly code?: Code;
}

/** A finding whose outcome is the combination of its children's. */
export function combine(
  check: string,
  needs: Needs,
  because: readonly Finding[],
  says: string,
  options: CombineOptions = {},
): Finding {
  const outcome = combineOutcomes(
    needs,
    because.map((child) => child.outcome),
  );
  const base = { check, outcome, says, needs, because };
  const withSource = options.source === undefined ? base : { ...base, source: options.source };
  if (outcome === 'pass') return withSource;
  return { ...withSource, code: options.code ?? decidingCode(outcome, because) };
}

function decidingCode(outcome: Outcome, because: readonly Finding[]): Code {
  const deciding = because.find((child) => child.outcome === outcome && child.code !== undefined);
  return deciding?.code ?? 'policy.nothing-checked';
}

/** Every child must pass. */
export function allOf(
  check: string,
  because: readonly Finding[],
  says: string,
  options?: CombineOptions,
): Finding {
  return combine(check, 'all', because, says, options);
}

/** One child that passes is enough. */
export function anyOf(
  check: string,
  because: readonly Finding[],
  says: string,
  options?: CombineOptions,
): Finding {
  return combine(check, 'any', because, says, options);
}
