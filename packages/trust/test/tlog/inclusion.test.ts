import assert from 'node:assert/strict';
import test from 'node:test';
import { rootFromInclusionProof, verifyInclusion } from '@bulla/trust/tlog/inclusion';
import { flipped, pathOf, rootOf, someLeaves } from './merkle-tree.ts';

const MAX = 40;
const LEAVES = someLeaves(MAX);

interface Claim {
  leafHash: Uint8Array;
  index: bigint;
  size: bigint;
  proof: Uint8Array[];
  rootHash: Uint8Array;
}

function claimOf(index: number, size: number): Claim {
  const leaves = LEAVES.slice(0, size);
  const leafHash = leaves[index];
  assert.ok(leafHash);
  return {
    leafHash,
    index: BigInt(index),
    size: BigInt(size),
    proof: pathOf(index, leaves),
    rootHash: rootOf(leaves),
  };
}

test(`each leaf of each tree of up to ${MAX} leaves is proved`, () => {
  for (let size = 1; size <= MAX; size++) {
    for (let index = 0; index < size; index++) {
      assert.ok(verifyInclusion(claimOf(index, size)), `${index} of ${size}`);
    }
  }
});

const ZERO = new Uint8Array(32);

const CORRUPTIONS: readonly { name: string; corrupt: (claim: Claim) => Claim[] }[] = [
  { name: 'a flipped leaf', corrupt: (c) => [{ ...c, leafHash: flipped(c.leafHash) }] },
  { name: 'a flipped root', corrupt: (c) => [{ ...c, rootHash: flipped(c.rootHash, 31) }] },
  { name: 'a root that is cut', corrupt: (c) => [{ ...c, rootHash: c.rootHash.subarray(1) }] },
  {
    name: 'a flipped hash',
    corrupt: (c) => c.proof.map((h, at) => ({ ...c, proof: c.proof.with(at, flipped(h)) })),
  },
  {
    name: 'a hash left out',
    corrupt: (c) => c.proof.map((_, at) => ({ ...c, proof: c.proof.toSpliced(at, 1) })),
  },
  {
    name: 'a hash too many',
    corrupt: (c) =>
      Array.from({ length: c.proof.length + 1 }, (_, at) => ({
        ...c,
        proof: c.proof.toSpliced(at, 0, ZERO),
      })),
  },
  {
    name: 'two hashes swapped',
    corrupt: (c) =>
      c.proof.slice(1).map((hash, at) => ({
        ...c,
        proof: c.proof.with(at, hash).with(at + 1, c.proof[at] ?? ZERO),
      })),
  },
  {
    name: 'a hash that is cut',
    corrupt: (c) => c.proof.map((h, at) => ({ ...c, proof: c.proof.with(at, h.subarray(1)) })),
  },
  { name: 'the index below', corrupt: (c) => [{ ...c, index: c.index - 1n }] },
  { name: 'the index above', corrupt: (c) => [{ ...c, index: c.index + 1n }] },
  { name: 'the index of no leaf', corrupt: (c) => [{ ...c, index: c.size }] },
  { name: 'an index beyond 2^64', corrupt: (c) => [{ ...c, index: c.index + (1n << 64n) }] },
];

for (const { name, corrupt } of CORRUPTIONS) {
  test(`${name} proves nothing`, () => {
    let seen = 0;
    for (let size = 1; size <= 17; size++) {
      for (let index = 0; index < size; index++) {
        for (const claim of corrupt(claimOf(index, size))) {
          seen++;
          assert.equal(verifyInclusion(claim), false, `${index} of ${size}`);
        }
      }
    }
    assert.ok(seen > 50);
  });
}

test('a size of the same shape gives the same path, and only the checkpoint tells them apart', () => {
  // RFC 9162 §2.1.3.2 binds size by the length of the path only.
  const claim = claimOf(0, 3);
  assert.ok(verifyInclusion({ ...claim, size: 4n }));
  assert.equal(verifyInclusion({ ...claim, size: 5n }), false);
  assert.equal(verifyInclusion({ ...claim, size: 2n }), false);
});

test('no more than 64 hashes are computed with', () => {
  const claim = { leafHash: ZERO, index: 0n, size: 1n << 64n };
  const proof = (length: number) => Array.from({ length }, () => ZERO);
  assert.ok(rootFromInclusionProof({ ...claim, proof: proof(64) }));
  assert.equal(rootFromInclusionProof({ ...claim, proof: proof(65) }), null);
  assert.equal(rootFromInclusionProof({ ...claim, size: 1n << 65n, proof: proof(65) }), null);
});

test('a negative index or an empty tree proves nothing', () => {
  const claim = { ...claimOf(0, 1), proof: [] };
  assert.equal(verifyInclusion({ ...claim, index: -1n }), false);
  assert.equal(verifyInclusion({ ...claim, size: 0n }), false);
});
