import { allOf, anyOf } from '../finding/combine.ts';
import { type Finding, failed } from '../finding/finding.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type ImageIndex, parseManifest, runnableChildren } from '../oci/manifest.ts';
import type { StoredManifest } from '../oci/store.ts';
import { findProblem } from '../proof/gather.ts';
import type { Judged } from './signed.ts';

/** Which node of a multi-arch tree must carry the evidence (semantics 6). */
export type TreeMode = 'named' | 'index' | 'leaf' | 'any' | 'both';

/** What a walk through a tree needs: to fetch a child, and to judge one node by its evidence. */
export interface TreeWalk {
  readonly mode: TreeMode;
  fetch(digest: Digest): Promise<StoredManifest | null>;
  judge(node: StoredManifest): Promise<Judged>;
}

/** What a tree came to: the finding, what stands behind it, and the leaves that it covers. */
export interface TreeJudged extends Judged {
  readonly covers: readonly Digest[];
}

const MAX_DEPTH = 4;

/** The platform of a descriptor as people write it: `linux/arm64/v8`. */
export function platformName(descriptor: Descriptor): string {
  const { os = '', architecture = '', variant } = descriptor.platform ?? {};
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** The runnable children of an index, or null for a manifest that is none. Throws `manifest.*`. */
export function childrenOf(node: StoredManifest): readonly Descriptor[] | null {
  const manifest = parseManifest(node);
  return manifest.kind === 'index' ? runnableChildren(manifest satisfies ImageIndex) : null;
}

/**
 * Judges the tree below `node`. `named` and `index` ask the node itself; `leaf` each runnable
 * child; `any` the node, else each child; `both` both. A node without children is its own leaf.
 * `only` narrows the leaves to one chosen platform. buildx attestation manifests are no leaves.
 */
export async function judgeTree(
  node: StoredManifest,
  walk: TreeWalk,
  only: Descriptor | null,
  depth = 0,
): Promise<TreeJudged> {
  if (walk.mode === 'named') return { ...(await walk.judge(node)), covers: [] };
  const children = childrenOf(node);
  if (children === null) return { ...(await walk.judge(node)), covers: [] };
  const chosen = only === null ? children : [only];
  const covers = chosen.map((child) => child.digest);
  if (walk.mode === 'leaf') return judgeLeaves(chosen, walk, depth);
  const own = await walk.judge(node);
  if (walk.mode === 'index') return { ...own, covers };
  if (walk.mode === 'any' && own.finding.outcome === 'pass') return { ...own, covers };
  const leaves = await judgeLeaves(chosen, walk, depth);
  const both = [own.finding, leaves.finding];
  const accepted = [...own.accepted, ...leaves.accepted];
  return walk.mode === 'any'
    ? { finding: anyOf('tree', both, 'the index, or each of its leaves'), accepted, covers }
    : { finding: allOf('tree', both, 'the index and each of its leaves'), accepted, covers };
}

async function judgeLeaves(
  children: readonly Descriptor[],
  walk: TreeWalk,
  depth: number,
): Promise<TreeJudged> {
  const judged = await Promise.all(children.map((child) => judgeLeaf(child, walk, depth)));
  const findings = judged.map((leaf) => leaf.finding);
  return {
    finding: allOf('tree.leaves', findings, `${children.length} runnable leaves`, {
      source: 'semantics 6',
    }),
    accepted: judged.flatMap((leaf) => leaf.accepted),
    covers: children.map((child) => child.digest),
  };
}

async function judgeLeaf(child: Descriptor, walk: TreeWalk, depth: number): Promise<TreeJudged> {
  const nothing = { accepted: [], covers: [] };
  if (depth >= MAX_DEPTH) {
    const says = `the index nests deeper than ${MAX_DEPTH} levels`;
    return { finding: failed('tree.leaf', 'manifest.malformed', says), ...nothing };
  }
  try {
    const stored = await walk.fetch(child.digest);
    if (stored === null) {
      const says = `the registry lacks the leaf ${child.digest} (${platformName(child)})`;
      return { finding: failed('tree.leaf', 'artifact.not-found', says), ...nothing };
    }
    const judged = await judgeTree(stored, walk, null, depth + 1);
    return { ...judged, finding: labelled(judged.finding, child) };
  } catch (error) {
    return { finding: findProblem('tree.leaf', error), ...nothing };
  }
}

function labelled(finding: Finding, child: Descriptor): Finding {
  return allOf('tree.leaf', [finding], `${platformName(child)} ${child.digest}`);
}
