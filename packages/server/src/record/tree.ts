import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import type { Finding } from '@bulla/trust/finding/finding';
import { type FindingJson, findingJson } from '@bulla/trust/finding/render-json';

/** The largest tree, as canonical JSON, in UTF-16 units. */
const TREE_LONGEST = 192 << 10;
const SAYS_LONGEST = 4096;
/** A level of the tree is two of JSON, and JSON is read back to a depth of 64. */
const DEPTH_MOST = 24;
/** Tried in turn until the tree is short enough. */
const WIDTHS = [256, 32, 4, 0] as const;

/** A tree that fits into an entry, and whether it was cut for that. */
export interface FittedTree {
  readonly tree: FindingJson;
  readonly isCut: boolean;
}

/**
 * The finding as JSON, with as many children of each node as fit: hostile evidence may make a tree
 * of thousands of findings, and must neither fill the record nor keep a refusal out of it. What is
 * left out is counted in a child of its own.
 */
export function fitTree(finding: Finding): FittedTree {
  const whole = findingJson(finding);
  for (const width of WIDTHS) {
    const state = { isCut: false };
    const tree = fitNode(whole, width, DEPTH_MOST, state);
    if (width === 0 || canonicalizeJcs(tree).length <= TREE_LONGEST) {
      return { tree, isCut: state.isCut };
    }
  }
  return { tree: fitNode(whole, 0, 0, { isCut: false }), isCut: true };
}

function fitNode(
  node: FindingJson,
  width: number,
  depth: number,
  state: { isCut: boolean },
): FindingJson {
  const { because, ...rest } = node;
  const fitted: FindingJson = { ...rest, says: text(rest.says, state) };
  const own = rest.remedy === undefined ? fitted : { ...fitted, remedy: text(rest.remedy, state) };
  if (because === undefined) return own;
  const room = depth === 0 ? 0 : width;
  const kept = because.length <= room ? because : choose(because, room);
  const children = kept.map((child) => fitNode(child, width, depth - 1, state));
  if (kept.length === because.length) return { ...own, because: children };
  state.isCut = true;
  const says = `${because.length - kept.length} more findings are left out of the record`;
  return { ...own, because: [...children, { check: 'record.cut', outcome: 'skipped', says }] };
}

/** What passed is never hidden behind thousands that failed, nor the other way round. */
function choose(children: readonly FindingJson[], room: number): readonly FindingJson[] {
  const passing = children.filter((child) => child.outcome === 'pass').slice(0, room >> 1);
  const others = children.filter((child) => child.outcome !== 'pass');
  return [...passing, ...others.slice(0, room - passing.length)];
}

function text(value: string, state: { isCut: boolean }): string {
  if (value.length > SAYS_LONGEST) state.isCut = true;
  return wellFormed(value, SAYS_LONGEST);
}

/** At most `most` units of `value`, as Unicode: canonical JSON has no form for half a character. */
export function wellFormed(value: string, most: number): string {
  return value.slice(0, most).toWellFormed();
}

const CODES_MOST = 16;

/** Codes of the leaves that did not pass, each once, the first ones first. */
export function failingCodes(tree: FindingJson): readonly string[] {
  const codes = new Set<string>();
  collect(tree, codes);
  return [...codes];
}

function collect(node: FindingJson, codes: Set<string>): void {
  if (node.outcome === 'pass' || node.outcome === 'skipped' || codes.size >= CODES_MOST) return;
  const before = codes.size;
  const failing = (node.because ?? []).filter(
    ({ outcome }) => outcome !== 'pass' && outcome !== 'skipped',
  );
  for (const child of failing) collect(child, codes);
  // A node explains itself only where no child does.
  if (codes.size === before && failing.length === 0 && node.code !== undefined) {
    codes.add(node.code);
  }
}
