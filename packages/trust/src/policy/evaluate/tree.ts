import { printable, quote } from '../../fault/fault.ts';
import { allOf, anyOf } from '../../finding/combine.ts';
import { type Finding, failed } from '../../finding/finding.ts';
import { mapBounded } from '../../oci/bounded.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseManifest, runnableChildren } from '../../oci/manifest.ts';
import { platformName } from '../../oci/platform.ts';
import type { StoredManifest } from '../../oci/store.ts';
import { findProblem } from '../../proof/gather.ts';
import type { TreeMode } from '../document.ts';
import type { Judged } from './proven.ts';

/** What a walk knows of a node by itself. */
export interface TreeNode {
  readonly digest: Digest;
}

/** What a walk through a tree needs: to fetch a child, and to judge one node by its evidence. */
export interface TreeWalk<N extends TreeNode> {
  readonly mode: TreeMode;
  /** The runnable children of an index, each once; null for what is no index. Throws `manifest.*`. */
  children(node: N): readonly Descriptor[] | null;
  fetch(digest: Digest): Promise<N | null>;
  judge(node: N): Promise<Judged>;
}

/** What a tree came to: the finding, what stands behind it, and the leaves that a pass covers. */
export interface TreeJudged extends Judged {
  readonly covers: readonly Digest[];
}

/** Indexes that name each other as children could make a walk of any length. */
const MAX_DEPTH = 4;
const MAX_NODES = 1000;
const PARALLEL = 8;

interface Walk<N extends TreeNode> extends TreeWalk<N> {
  /** Nodes that may still be looked at, shared by the whole walk. */
  readonly budget: { left: number };
}

/** The runnable children of an index, each digest once, or null for a manifest that is none. */
export function childrenOf(
  node: Pick<StoredManifest, 'bytes' | 'mediaType'>,
): readonly Descriptor[] | null {
  const manifest = parseManifest(node);
  if (manifest.kind !== 'index') return null;
  return [
    ...new Map(runnableChildren(manifest).map((child) => [child.digest, child] as const)).values(),
  ];
}

/**
 * Judges the tree below `node`. `named` and `index` ask the node itself; `leaf` each runnable
 * child; `any` the node, else each child; `both` both. A node without children is its own leaf.
 * `only` narrows the leaves to one chosen platform. buildx attestation manifests are no leaves. At
 * most 1000 nodes in 4 levels are looked at (`registry.limit`). Throws `manifest.*`.
 */
export async function judgeTree<N extends TreeNode>(
  node: N,
  walk: TreeWalk<N>,
  only: Descriptor | null,
): Promise<TreeJudged> {
  const judged = await judgeNode(node, { ...walk, budget: { left: MAX_NODES } }, only, 0);
  // What does not pass covers nothing.
  if (judged.finding.outcome !== 'pass') return { ...judged, covers: [] };
  return { ...judged, covers: judged.covers.filter((digest) => digest !== node.digest) };
}

/** `covers` has the node itself when its own evidence passed, and what that covers below it. */
async function judgeNode<N extends TreeNode>(
  node: N,
  walk: Walk<N>,
  only: Descriptor | null,
  depth: number,
): Promise<TreeJudged> {
  const alone = async () => ({ ...(await walk.judge(node)), covers: [node.digest] });
  if (walk.mode === 'named') return alone();
  const children = walk.children(node);
  if (children === null) return alone();
  const chosen = only === null ? children : [only];
  if (walk.mode === 'leaf') return judgeLeaves(chosen, walk, depth);
  const own = await walk.judge(node);
  // Evidence on an index covers its children (semantics 6).
  const covers = [node.digest, ...chosen.map((child) => child.digest)];
  if (walk.mode === 'index') return { ...own, covers };
  if (walk.mode === 'any' && own.finding.outcome === 'pass') return { ...own, covers };
  const leaves = await judgeLeaves(chosen, walk, depth);
  const both = [own.finding, leaves.finding];
  const accepted = [...own.accepted, ...leaves.accepted];
  return walk.mode === 'any'
    ? { ...leaves, finding: anyOf('tree', both, 'the index, or each of its leaves'), accepted }
    : { finding: allOf('tree', both, 'the index and each of its leaves'), accepted, covers };
}

async function judgeLeaves<N extends TreeNode>(
  children: readonly Descriptor[],
  walk: Walk<N>,
  depth: number,
): Promise<TreeJudged> {
  const judged = await mapBounded(children, PARALLEL, (child) => judgeLeaf(child, walk, depth));
  const findings = judged.map((leaf) => leaf.finding);
  return {
    finding: allOf('tree.leaves', findings, `${children.length} runnable leaves`, {
      source: 'semantics 6',
    }),
    accepted: judged.flatMap((leaf) => leaf.accepted),
    covers: judged.flatMap((leaf) => leaf.covers),
  };
}

async function judgeLeaf<N extends TreeNode>(
  child: Descriptor,
  walk: Walk<N>,
  depth: number,
): Promise<TreeJudged> {
  const nothing = { accepted: [], covers: [] };
  if (depth >= MAX_DEPTH || walk.budget.left-- <= 0) {
    const says = `the tree has more than ${MAX_DEPTH} levels or ${MAX_NODES} nodes`;
    return { finding: failed('tree.leaf', 'registry.limit', says), ...nothing };
  }
  const name = quote(platformName(child));
  try {
    const fetched = await walk.fetch(child.digest);
    if (fetched === null) {
      const says = `the registry lacks the leaf ${child.digest} (${name})`;
      return { finding: failed('tree.leaf', 'artifact.not-found', says), ...nothing };
    }
    const judged = await judgeNode(fetched, walk, null, depth + 1);
    return { ...judged, finding: labelled(judged.finding, child) };
  } catch (error) {
    return { finding: findProblem('tree.leaf', error), ...nothing };
  }
}

function labelled(finding: Finding, child: Descriptor): Finding {
  const name = printable(platformName(child).slice(0, 80));
  return allOf('tree.leaf', [finding], `${name} ${child.digest}`);
}
