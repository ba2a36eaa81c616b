/** A finding, or its JSON form, as far as its reason asks for it. */
interface Tree<F> {
  readonly outcome: string;
  readonly because?: readonly F[];
}

/**
 * The child by which a finding is what it is: the first that failed, else the first without an answer;
 * undefined for a leaf, and where no child stands against it.
 */
export function decisiveChild<F extends Tree<F>>({ because = [] }: F): F | undefined {
  return (
    because.find(({ outcome }) => outcome === 'fail') ??
    because.find(({ outcome }) => outcome === 'inconclusive')
  );
}

/** The leaf by which a finding is what it is: what would have to be mended. */
export function reasonOf<F extends Tree<F>>(finding: F): F {
  const next = decisiveChild(finding);
  return next === undefined ? finding : reasonOf(next);
}
