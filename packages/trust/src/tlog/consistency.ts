import { equalBytes } from '../bytes/byte-string.ts';
import { isHashList } from './inclusion.ts';
import { nodeHash, TREE_HASH_BYTES } from './tree-hash.ts';

/** Two states of one log and the hashes that are said to connect them. */
export interface ConsistencyClaim {
  readonly firstSize: bigint;
  readonly firstRoot: Uint8Array;
  readonly secondSize: bigint;
  readonly secondRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * Whether the second tree extends the first by appending only (RFC 9162 §2.1.4.2). Trees of one
 * size need equal roots and an empty proof. False for a first size of 0: the empty tree proves
 * nothing about the second. Never throws.
 */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { firstSize, secondSize, firstRoot, secondRoot, proof } = claim;
  if (firstSize <= 0n || firstSize > secondSize || secondSize > 1n << 64n) return false;
  if (firstRoot.length !== TREE_HASH_BYTES || !isHashList(proof)) return false;
  if (firstSize === secondSize) return proof.length === 0 && equalBytes(firstRoot, secondRoot);
  // Step 1: an empty proof connects two different sizes never.
  if (proof.length === 0) return false;
  // Step 2: the first tree is a subtree of the second when its size is a power of two.
  const hashes = (firstSize & (firstSize - 1n)) === 0n ? [firstRoot, ...proof] : proof;
  return matchesBothRoots(claim, hashes);
}

/** RFC 9162 §2.1.4.2 steps 3 to 7, on the proof as step 2 left it. */
function matchesBothRoots(claim: ConsistencyClaim, hashes: readonly Uint8Array[]): boolean {
  let node = claim.firstSize - 1n;
  let last = claim.secondSize - 1n;
  while ((node & 1n) === 1n) {
    node >>= 1n;
    last >>= 1n;
  }
  const [seed, ...rest] = hashes;
  if (seed === undefined) return false;
  let first = seed;
  let second = seed;
  for (const hash of rest) {
    if (last === 0n) return false;
    if ((node & 1n) === 1n || node === last) {
      first = nodeHash(hash, first);
      second = nodeHash(hash, second);
      while ((node & 1n) === 0n && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      second = nodeHash(second, hash);
    }
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n && equalBytes(first, claim.firstRoot) && equalBytes(second, claim.secondRoot);
}
