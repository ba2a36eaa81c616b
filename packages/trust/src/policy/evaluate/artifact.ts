import { allOf, anyOf } from '../../finding/combine.ts';
import { type Finding, failed } from '../../finding/finding.ts';
import type { Digest } from '../../oci/digest.ts';
import { findProblem } from '../../proof/gather.ts';
import type { TreeMode } from '../document.ts';
import type { Judged } from './proven.ts';
import { isNode, type ProvenNode, type ProvenTree } from './proven-tree.ts';
import { judgeTree, type TreeJudged } from './tree.ts';

/** So many recorded indexes of one image are looked at. */
const MAX_PARENTS = 16;

/**
 * Judges one clause over a whole artifact by the tree mode of its policy (semantics 6). A leaf that
 * was asked for by its own digest passes through a recorded index when that index's own evidence
 * passes the clause and its bytes list the leaf; `leaf` asks for the leaf's own, `both` for both.
 * Never throws for what the artifact holds.
 */
export async function judgeArtifact(
  tree: ProvenTree,
  mode: TreeMode,
  judge: (node: ProvenNode) => Promise<Judged>,
): Promise<TreeJudged> {
  const { root } = tree;
  if (!isNode(root)) return { finding: root, accepted: [], covers: [] };
  const own = await judgeOwn(root, tree, mode, judge);
  if (tree.parents.length === 0 || mode === 'leaf') return own;
  const isLeaf = childDigests(root).length === 0;
  if (!isLeaf && mode === 'both') return own;
  const eitherWay = mode === 'named' || mode === 'any' || (mode === 'index' && !isLeaf);
  if (eitherWay && own.finding.outcome === 'pass') return own;
  const parents = await judgeParents(root, tree, judge);
  if (eitherWay) {
    const says = 'the artifact itself, or an index that lists it';
    const finding = anyOf('tree', [own.finding, parents.finding], says, SOURCE);
    return { finding, accepted: parents.accepted, covers: [] };
  }
  if (mode === 'index') return { ...parents, covers: [] };
  const says = 'the leaf, and an index that lists it';
  const finding = allOf('tree', [own.finding, parents.finding], says, SOURCE);
  return { finding, accepted: [...own.accepted, ...parents.accepted], covers: [] };
}

const SOURCE = { source: 'semantics 6' } as const;

async function judgeOwn(
  root: ProvenNode,
  tree: ProvenTree,
  mode: TreeMode,
  judge: (node: ProvenNode) => Promise<Judged>,
): Promise<TreeJudged> {
  try {
    const walk = {
      mode,
      children: (node: ProvenNode) => node.children(),
      fetch: (digest: Digest) => tree.node(digest),
      judge,
    };
    const judged = await judgeTree(root, walk, null);
    if (mode !== 'named' || judged.finding.outcome !== 'pass') return judged;
    // Asked for by themselves, its children pass through it.
    return { ...judged, covers: childDigests(root) };
  } catch (error) {
    return { finding: findProblem('tree', error), accepted: [], covers: [] };
  }
}

/** The digests of the children; of what cannot be read as a manifest, none. */
function childDigests(node: ProvenNode): readonly Digest[] {
  try {
    return (node.children() ?? []).map(({ digest }) => digest);
  } catch (error) {
    // What is wrong with it is said where its children are needed.
    findProblem('tree', error);
    return [];
  }
}

/** One recorded index whose own evidence passes is enough; those behind it are not looked at. */
async function judgeParents(
  root: ProvenNode,
  tree: ProvenTree,
  judge: (node: ProvenNode) => Promise<Judged>,
): Promise<Judged> {
  const findings: Finding[] = [];
  const distinct = [...new Set(tree.parents)].slice(0, MAX_PARENTS);
  for (const digest of distinct) {
    const judged = await judgeParent(digest, root, tree, judge);
    findings.push(judged.finding);
    if (judged.finding.outcome === 'pass') {
      const says = `${digest} lists ${root.digest}`;
      return { ...judged, finding: anyOf('tree.parents', findings, says, SOURCE) };
    }
  }
  const says = `${distinct.length} recorded indexes`;
  return { finding: anyOf('tree.parents', findings, says, SOURCE), accepted: [] };
}

async function judgeParent(
  digest: Digest,
  root: ProvenNode,
  tree: ProvenTree,
  judge: (node: ProvenNode) => Promise<Judged>,
): Promise<Judged> {
  try {
    const parent = await tree.node(digest);
    if (parent === null) {
      const says = `the index ${digest} is recorded and no longer there`;
      return { finding: failed('tree.parent', 'artifact.not-found', says), accepted: [] };
    }
    const listed = (parent.children() ?? []).some((child) => child.digest === root.digest);
    if (!listed) {
      const says = `the bytes of ${digest} do not list ${root.digest} as a runnable child`;
      return { finding: failed('tree.parent', 'tree.not-listed', says), accepted: [] };
    }
    const judged = await judge(parent);
    return { ...judged, finding: allOf('tree.parent', [judged.finding], `index ${digest}`) };
  } catch (error) {
    return { finding: findProblem('tree.parent', error), accepted: [] };
  }
}
