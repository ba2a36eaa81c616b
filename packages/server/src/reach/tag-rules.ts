import type { TagRule } from '@bulla/trust/policy/document';
import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';

const STRICTEST_FIRST = ['refuse', 'pin', 'leave'] as const satisfies readonly TagRule[];

/** The strictest that any of the policies says of tags; null for none. */
export function strictest(policies: readonly ReadyPolicy[]): TagRule | null {
  const said = new Set(policies.map(({ document }) => document.tags));
  return STRICTEST_FIRST.find((rule) => said.has(rule)) ?? null;
}
