import { equalBytes } from '../bytes/byte-string.ts';
import { nodeHash, TREE_HASH_BYTES } from './tree-hash.ts';

/** Where a leaf is said to be: its index (from 0) in the tree of `size` leaves, and the path up. */
export interface InclusionPath {
  readonly leafHash: Uint8Array;
  readonly index: bigint;
  readonly size: bigint;
  /** Sibling hashes from the leaf to the root. */
  readonly proof: readonly Uint8Array[];
}

/** A tree of 2^64 leaves has paths of 64 hashes: no honest proof is longer. */
export const MAX_PROOF_HASHES = 64;

/** Whether a proof has an honest number of hashes, each of a node's length. */
export function isHashList(proof: readonly Uint8Array[]): boolean {
  return proof.length <= MAX_PROOF_HASHES && proof.every((hash) => hash.length === TREE_HASH_BYTES);
}

/**
 * The root that an inclusion path leads to, or null when its length does not fit index and size,
 * a hash is not 32 bytes, or the index is not in the tree (RFC 9162 §2.1.3.2; the same tree as
 * RFC 6962 §2.1.1).
 */
export function rootFromInclusionProof(path: InclusionPath): Uint8Array | null {
  const { index, size, proof } = path;
  if (index < 0n || index >= size || size > 1n << 64n) return null;
  if (path.leafHash.length !== TREE_HASH_BYTES || !isHashList(proof)) return null;
  let node = index;
  let last = size - 1n;
  let root = path.leafHash;
  for (const sibling of proof) {
    // §2.1.3.2 step 4.a: nothing may follow the root.
    if (last === 0n) return null;
    if ((node & 1n) === 1n || node === last) {
      root = nodeHash(sibling, root);
      // Step 4.b.ii: skip the levels at which this subtree has no right sibling.
      while ((node & 1n) === 0n && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      root = nodeHash(root, sibling);
    }
    node >>= 1n;
    last >>= 1n;
  }
  // Step 5: the path must have reached the root.
  return last === 0n ? root : null;
}

/** Whether the path leads from the leaf to `rootHash` (RFC 9162 §2.1.3.2). Never throws. */
export function verifyInclusion(
  options: InclusionPath & { readonly rootHash: Uint8Array },
): boolean {
  const root = rootFromInclusionProof(options);
  return root !== null && equalBytes(root, options.rootHash);
}
