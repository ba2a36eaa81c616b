import type { Finding } from './finding.ts';

/**
 * The child by which a finding is what it is: the first that failed, else the first without an answer;
 * undefined for a leaf, and where no child stands against it.
 */
export function decisiveChild({ because = [] }: Finding): Finding | undefined {
  return (
    because.find(({ outcome }) => outcome === 'fail') ??
    because.find(({ outcome }) => outcome === 'inconclusive')
  );
}

/** The leaf by which a finding is what it is: what would have to be mended. */
export function reasonOf(finding: Finding): Finding {
  const next = decisiveChild(finding);
  return next === undefined ? finding : reasonOf(next);
}
