import type { Finding } from '@bulla/trust/finding/finding';

/** Every finding of a tree, the root first. */
export function* nodesOf(finding: Finding): Generator<Finding> {
  yield finding;
  for (const child of finding.because ?? []) yield* nodesOf(child);
}

function isProblem({ outcome }: Finding): boolean {
  return outcome === 'fail' || outcome === 'inconclusive';
}

/** The codes of what did not pass and has no child that says why, in order, each once. */
export function codesOf(finding: Finding): readonly string[] {
  const codes = new Set<string>();
  for (const node of nodesOf(finding)) {
    if (isProblem(node) && !(node.because ?? []).some(isProblem)) codes.add(node.code ?? 'none');
  }
  return [...codes];
}

/** The outcome of the first finding of a check; null when the tree has none. */
export function outcomeOf(finding: Finding, check: string): string | null {
  for (const node of nodesOf(finding)) if (node.check === check) return node.outcome;
  return null;
}
