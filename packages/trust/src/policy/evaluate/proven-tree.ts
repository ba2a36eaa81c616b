import type { Finding } from '../../finding/finding.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { AuthorityAnswer, Wanted } from '../../proof/evidence.ts';
import type { ReadyAuthority } from '../policy-set.ts';

/** What was found on one node for one question, each piece proved for each authority. */
export interface NodeProof {
  /** How many pieces of evidence were found. */
  readonly pieces: number;
  /** What could not be read: broken documents and limits (`fail`), outages (`inconclusive`). */
  readonly problems: readonly Finding[];
  /** One answer per piece that was verified; none for an authority that nobody asked about. */
  answersOf(authority: ReadyAuthority): readonly AuthorityAnswer[];
}

/** A manifest or index of which the bytes are at hand, under the digest of these very bytes. */
export interface ProvenNode {
  readonly digest: Digest;
  /** The runnable children of an index, each once; null for what is no index. Throws `manifest.*`. */
  children(): readonly Descriptor[] | null;
  /** The same answer however often it is asked. */
  proof(wanted: Wanted): Promise<NodeProof>;
}

/** An artifact with all evidence that policies may ask for. */
export interface ProvenTree {
  /** What was asked for; a finding says why it is not at hand. */
  readonly root: ProvenNode | Finding;
  /** Indexes of the same repository that were recorded for the root, newest first. */
  readonly parents: readonly Digest[];
  /** A child or a parent; null when the source lacks it. Throws the faults of the source. */
  node(digest: Digest): Promise<ProvenNode | null>;
}

/** Whether the root is at hand. */
export function isNode(root: ProvenNode | Finding): root is ProvenNode {
  return 'digest' in root;
}
