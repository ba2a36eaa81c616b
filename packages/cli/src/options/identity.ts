import { printable, TrustFault } from '@bulla/trust/fault/fault';
import { compilePattern } from '@bulla/trust/policy/pattern';
import type { Matcher } from '@bulla/trust/proof/authority';

/**
 * The matcher that a value option or its `-regexp` twin asks for; null when neither was given.
 * Expressions are matched against the whole value. Throws `usage.invalid`, `policy.pattern-invalid`.
 */
export function identityMatcher(
  exact: string | undefined,
  regex: string | undefined,
  option: string,
): Matcher | null {
  if (exact !== undefined && regex !== undefined) {
    throw new TrustFault('usage.invalid', `give ${option} or ${option}-regexp, not both`);
  }
  if (exact !== undefined) {
    if (exact === '') throw new TrustFault('usage.invalid', `${option} is empty`);
    return { text: JSON.stringify(printable(exact)), matches: compilePattern({ exact }) };
  }
  if (regex === undefined) return null;
  if (regex === '') throw new TrustFault('usage.invalid', `${option}-regexp is empty`);
  return { text: `/${printable(regex)}/`, matches: compilePattern({ regex }) };
}
