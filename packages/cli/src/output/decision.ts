import { codeEntry } from '@bulla/trust/fault/codes';
import { printable } from '@bulla/trust/fault/fault';
import type { Decision } from '@bulla/trust/policy/decision';
import type { CliContext } from '../context.ts';
import { painter } from './findings.ts';
import { jsonText } from './json.ts';

/** A decision and where its image was named, when that was in a file. */
export interface PrintedDecision {
  readonly decision: Decision;
  readonly where: string | null;
}

/** How decisions are printed: `whole` prints the tree of those that admit as well. */
export interface DecisionFormat {
  readonly output: 'text' | 'json';
  readonly whole: boolean;
}

/**
 * The exit code of a decision, as of `verify`: 0 admitted, 1 refused, 3 refused by an outage alone,
 * 4 a defect.
 */
export function decisionExit({ outcome, policies, finding }: Decision): 0 | 1 | 3 | 4 {
  if (outcome === 'admit') return 0;
  if (finding.code !== undefined && codeEntry(finding.code).exit === 4) return 4;
  const refusing = policies.filter(({ effect }) => effect === 'deny');
  const isOutage =
    refusing.length > 0 && refusing.every((policy) => policy.finding.outcome === 'inconclusive');
  return isOutage ? 3 : 1;
}

/** Prints each decision and notes its exit code. */
export async function printDecisions(
  decided: readonly PrintedDecision[],
  format: DecisionFormat,
  context: CliContext,
): Promise<void> {
  const { renderDecision, decisionsJson } = await import('@bulla/trust/policy/render');
  for (const { decision } of decided) context.exit.note(decisionExit(decision));
  if (format.output === 'json') {
    context.out(jsonText(decisionsJson(decided.map(({ decision }) => decision))));
    return;
  }
  for (const { decision, where } of decided) {
    const lines = renderDecision(decision, { paint: painter(context) });
    const isClean = decision.outcome === 'admit' && decision.warnings.length === 0;
    const satisfied = decision.policies.every(({ effect }) => effect === 'pass');
    const [title = '', ...rest] = lines;
    context.out(where === null ? title : `${title}   ${printable(where)}`);
    if (format.whole || !isClean || !satisfied) for (const line of rest) context.out(line);
  }
}
