import { digestOfParts } from '../bytes/hash.ts';

/** Bytes of a node's hash: logs of Sigstore and C2SP use SHA-256 only. */
export const TREE_HASH_BYTES = 32;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of a leaf: SHA-256(0x00 || entry) (RFC 6962 §2.1). */
export function leafHash(entry: Uint8Array): Uint8Array {
  return digestOfParts('sha256', LEAF, entry);
}

/** The hash of an inner node: SHA-256(0x01 || left || right) (RFC 6962 §2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return digestOfParts('sha256', NODE, left, right);
}

/** The root of the empty tree: SHA-256 of nothing (RFC 6962 §2.1). */
export function emptyRoot(): Uint8Array {
  return digestOfParts('sha256');
}
