/** One line of a tree with the lines below it. */
export interface Drawn {
  readonly line: string;
  readonly below: readonly Drawn[];
}

/** A line without anything below it. */
export function leaf(line: string): Drawn {
  return { line, below: [] };
}

/** The lines of a tree, drawn with branches; the texts must be printable already. */
export function drawTree(root: Drawn): readonly string[] {
  return [root.line, ...drawBelow(root.below, '')];
}

function drawBelow(below: readonly Drawn[], indent: string): readonly string[] {
  return below.flatMap((node, index) => {
    const isLast = index === below.length - 1;
    const own = `${indent}${isLast ? '└─ ' : '├─ '}${node.line}`;
    return [own, ...drawBelow(node.below, `${indent}${isLast ? '   ' : '│  '}`)];
  });
}
