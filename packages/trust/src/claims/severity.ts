/** How bad a vulnerability is, the worst first; `unknown` is what a scanner itself calls so. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'unknown'] as const;

/** A severity. */
export type Severity = (typeof SEVERITIES)[number];

const WORDS: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  high: 'high',
  important: 'high',
  medium: 'medium',
  moderate: 'medium',
  low: 'low',
  // Less than low is counted as low: it is never left out.
  negligible: 'low',
  minimal: 'low',
  none: 'low',
  unknown: 'unknown',
};

/** The severity that a scanner's word or CVSS score stands for, in any case; null for anything else. */
export function severityOf(text: string): Severity | null {
  const word = text.trim().toLowerCase();
  if (Object.hasOwn(WORDS, word)) return WORDS[word] ?? null;
  return /^\d{1,2}(\.\d{1,3})?$/.test(word) ? severityOfScore(Number(word)) : null;
}

/** FIRST CVSS v3.1 §5, "Qualitative Severity Rating Scale"; null above 10. */
function severityOfScore(score: number): Severity | null {
  if (score > 10) return null;
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  return score >= 4 ? 'medium' : 'low';
}

/** The worst of some severities; null of none. */
export function worstOf(severities: readonly Severity[]): Severity | null {
  return SEVERITIES.find((severity) => severities.includes(severity)) ?? null;
}
