import type { FindingAnswer } from '../../api/decisions.ts';

/** A node of the tree as a line: where it stands, and what is under it. */
export interface TreeRow {
  /** Numbers of the children on the way from the root, joined by dots; the root's is `0`. */
  readonly id: string;
  readonly finding: FindingAnswer;
  /** 1 for the root, as `aria-level` counts. */
  readonly level: number;
  /** Its place among its siblings, from 1, and how many they are. */
  readonly position: number;
  readonly siblings: number;
  readonly parent: string | null;
  readonly children: number;
  readonly expanded: boolean;
  /** What it needs of its children, in words; null when that goes without saying. */
  readonly needs: string | null;
  /** The remedy, where this node is the one to mend. */
  readonly remedy: string | null;
}

/** The lines of a tree that are to be seen: children of a closed node are not. */
export function visibleRows(root: FindingAnswer, closed: ReadonlySet<string>): readonly TreeRow[] {
  const rows: TreeRow[] = [];
  const visit = (finding: FindingAnswer, place: Place, mends: boolean): void => {
    const because = finding.because ?? [];
    const expanded = because.length > 0 && !closed.has(place.id);
    rows.push({
      ...place,
      finding,
      children: because.length,
      expanded,
      needs: needsText(finding),
      remedy: mends && !isExplained(finding) ? (finding.remedy ?? null) : null,
    });
    if (!expanded) return;
    const below = { level: place.level + 1, siblings: because.length, parent: place.id };
    because.forEach((child, index) => {
      const at = { ...below, id: `${place.id}.${index}`, position: index + 1 };
      // Under what passed nothing needs mending.
      visit(child, at, mends && finding.outcome !== 'pass');
    });
  };
  visit(root, { id: '0', level: 1, position: 1, siblings: 1, parent: null }, true);
  return rows;
}

type Place = Pick<TreeRow, 'id' | 'level' | 'position' | 'siblings' | 'parent'>;

/** What a child explains is mended there. */
function isExplained({ because = [] }: FindingAnswer): boolean {
  return because.some(({ outcome }) => outcome === 'fail' || outcome === 'inconclusive');
}

function needsText({ needs, because = [] }: FindingAnswer): string | null {
  if (because.length < 2 || needs === undefined) return null;
  if (needs === 'all') return `all of ${because.length}`;
  return needs === 'any' ? `any of ${because.length}` : `${needs} of ${because.length}`;
}

const SMALL = 24;

/**
 * The nodes that are closed at first: none of a small tree; of a large one those that passed or do
 * not count, since what refused is what is looked for. The root is always open.
 */
export function closedAtFirst(root: FindingAnswer): ReadonlySet<string> {
  const closed = new Set<string>();
  if (countFindings(root) <= SMALL) return closed;
  for (const { id, finding, children } of visibleRows(root, closed)) {
    const quiet = finding.outcome === 'pass' || finding.outcome === 'skipped';
    if (id !== '0' && children > 0 && quiet) closed.add(id);
  }
  return closed;
}

/** All nodes that can be closed, but the root. */
export function closable(root: FindingAnswer): ReadonlySet<string> {
  const rows = visibleRows(root, new Set());
  return new Set(rows.filter(({ id, children }) => id !== '0' && children > 0).map(({ id }) => id));
}

/** How many nodes a tree has. */
export function countFindings({ because = [] }: FindingAnswer): number {
  return because.reduce((sum, child) => sum + countFindings(child), 1);
}

/** What a key does in a tree (WAI-ARIA APG, "Tree View"): a row to go to, or to open or close. */
export type TreeMove =
  | { readonly go: string }
  | { readonly open: string }
  | { readonly close: string };

/** The move that `key` asks for on the row `current`, or null when it is not one of the tree's keys. */
export function moveFor(key: string, current: string, rows: readonly TreeRow[]): TreeMove | null {
  const index = rows.findIndex(({ id }) => id === current);
  const row = rows[index];
  if (row === undefined) return null;
  const go = (target: string | undefined | null): TreeMove => ({ go: target ?? current });
  switch (key) {
    case 'ArrowDown':
      return go(rows[index + 1]?.id);
    case 'ArrowUp':
      return go(rows[index - 1]?.id);
    case 'Home':
      return go(rows[0]?.id);
    case 'End':
      return go(rows.at(-1)?.id);
    case 'ArrowRight':
      if (row.children === 0) return go(null);
      return row.expanded ? go(rows[index + 1]?.id) : { open: current };
    case 'ArrowLeft':
      return row.expanded ? { close: current } : go(row.parent);
    case 'Enter':
    case ' ':
      if (row.children === 0) return go(null);
      return row.expanded ? { close: current } : { open: current };
    default:
      return null;
  }
}
