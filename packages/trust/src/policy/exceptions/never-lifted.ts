import type { Code } from '../../fault/codes.ts';
import type { Finding } from '../../finding/finding.ts';

/**
 * Codes that mean a digest mismatch or a revocation: no exception lifts a clause that failed by one
 * (semantics 17). A test looks through the table of codes for others of that meaning.
 */
export const NEVER_LIFTED: ReadonlySet<Code> = new Set<Code>([
  'registry.digest-mismatch',
  'storage.digest-mismatch',
  'upstream.malformed',
  'node.digest-mismatch',
  'signature.digest-mismatch',
  'statement.subject-mismatch',
]);

/**
 * The leaf of a finding for which no exception lifts it; null when there is none. What lies below a
 * finding that passed failed nothing.
 */
export function neverLifted(finding: Finding): Finding | null {
  if (finding.outcome === 'pass' || finding.outcome === 'skipped') return null;
  for (const child of finding.because ?? []) {
    const found = neverLifted(child);
    if (found !== null) return found;
  }
  return finding.code !== undefined && NEVER_LIFTED.has(finding.code) ? finding : null;
}
