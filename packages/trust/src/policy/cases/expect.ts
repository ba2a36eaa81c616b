import type { Code } from '../../fault/codes.ts';
import { printable } from '../../fault/fault.ts';
import type { Finding } from '../../finding/finding.ts';
import type { Decision, PolicyOutcome } from '../decision.ts';
import type { Expectation } from './document.ts';

type Effect = PolicyOutcome['effect'];

/** What of an expectation a decision does not meet, a sentence each; none when it meets all. */
export function unmet(decision: Decision, expect: Expectation): readonly string[] {
  const problems: string[] = [];
  const { outcome, effect, code, policy } = expect;
  if (decision.outcome !== outcome) {
    problems.push(`expected ${outcome}, found ${decision.outcome}`);
  }
  const asked =
    policy === null ? undefined : decision.policies.find((one) => one.policy === policy);
  if (policy !== null && asked === undefined) {
    const names = decision.policies.map((one) => printable(one.policy)).join(', ') || 'none';
    return [...problems, `expected policy ${printable(policy)} to cover the image, found ${names}`];
  }
  const found = asked?.effect ?? strictestEffect(decision);
  if (effect !== null && found !== effect)
    problems.push(`expected effect ${effect}, found ${found}`);
  const codes = failingCodes(asked?.finding ?? decision.finding);
  if (code !== null && !codes.includes(code)) {
    problems.push(`expected code ${code}, found ${codes.join(', ') || 'none'}`);
  }
  return problems;
}

const STRICTNESS: readonly Effect[] = ['deny', 'warn', 'audit', 'pass'];

/** The strictest of what the policies did; a refusal that no policy stands behind is `deny`. */
export function strictestEffect({ outcome, policies }: Decision): Effect {
  if (outcome === 'deny') return 'deny';
  return STRICTNESS.find((effect) => policies.some((one) => one.effect === effect)) ?? 'pass';
}

/** The codes of all that did not pass, each once; what a pass outweighs is not among them. */
export function failingCodes(finding: Finding): readonly Code[] {
  const codes = new Set<Code>();
  const walk = ({ outcome, code, because }: Finding): void => {
    if (outcome === 'pass') return;
    if (code !== undefined) codes.add(code);
    for (const child of because ?? []) walk(child);
  };
  walk(finding);
  return [...codes];
}
