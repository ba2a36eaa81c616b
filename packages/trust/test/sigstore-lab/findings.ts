import type { Finding } from '@bulla/trust/finding/finding';

/** Every finding of a tree, the root first. */
export function* nodesOf(finding: Finding): Generator<Finding> {
  yield finding;
  for (const child of finding.because ?? []) yield* nodesOf(child);
}

/** The codes of the failed leaves, in order, each once. */
export function codesOf(finding: Finding): readonly string[] {
  const codes = new Set<string>();
  for (const node of nodesOf(finding)) {
    const isLeaf = (node.because?.length ?? 0) === 0;
    if (isLeaf && node.outcome !== 'pass' && node.outcome !== 'skipped') {
      codes.add(node.code ?? 'none');
    }
  }
  return [...codes];
}

/** The outcome of the first finding of a check; null when the tree has none. */
export function outcomeOf(finding: Finding, check: string): string | null {
  for (const node of nodesOf(finding)) if (node.check === check) return node.outcome;
  return null;
}
