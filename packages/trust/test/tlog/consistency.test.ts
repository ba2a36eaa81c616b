import assert from 'node:assert/strict';
import test from 'node:test';
import { type ConsistencyClaim, verifyConsistency } from '@bulla/trust/tlog/consistency';
import { emptyRoot } from '@bulla/trust/tlog/tree-hash';
import { consistencyOf, flipped, rootOf, someLeaves } from './merkle-tree.ts';

const MAX = 33;
const LEAVES = someLeaves(MAX);
const ZERO = new Uint8Array(32);

function claimOf(first: number, second: number): ConsistencyClaim {
  return {
    firstSize: BigInt(first),
    firstRoot: rootOf(LEAVES.slice(0, first)),
    secondSize: BigInt(second),
    secondRoot: rootOf(LEAVES.slice(0, second)),
    proof: consistencyOf(first, LEAVES.slice(0, second)),
  };
}

test(`each tree of up to ${MAX} leaves is consistent with the ones before it`, () => {
  for (let second = 1; second <= MAX; second++) {
    for (let first = 1; first <= second; first++) {
      assert.ok(verifyConsistency(claimOf(first, second)), `${first} to ${second}`);
    }
  }
});

const CORRUPTIONS: readonly {
  name: string;
  corrupt: (claim: ConsistencyClaim) => ConsistencyClaim[];
}[] = [
  { name: 'a flipped first root', corrupt: (c) => [{ ...c, firstRoot: flipped(c.firstRoot) }] },
  { name: 'a flipped second root', corrupt: (c) => [{ ...c, secondRoot: flipped(c.secondRoot) }] },
  {
    name: 'a flipped hash',
    corrupt: (c) => c.proof.map((h, at) => ({ ...c, proof: c.proof.with(at, flipped(h)) })),
  },
  {
    name: 'a hash left out',
    corrupt: (c) => c.proof.map((_, at) => ({ ...c, proof: c.proof.toSpliced(at, 1) })),
  },
  { name: 'a hash too many', corrupt: (c) => [{ ...c, proof: [...c.proof, ZERO] }] },
  { name: 'a hash before the others', corrupt: (c) => [{ ...c, proof: [ZERO, ...c.proof] }] },
  {
    name: 'a hash that is cut',
    corrupt: (c) => c.proof.map((h, at) => ({ ...c, proof: c.proof.with(at, h.subarray(1)) })),
  },
  {
    name: 'the trees the other way round',
    corrupt: (c) =>
      c.firstSize === c.secondSize
        ? []
        : [{ ...c, firstSize: c.secondSize, secondSize: c.firstSize }],
  },
];

for (const { name, corrupt } of CORRUPTIONS) {
  test(`${name} shows no consistency`, () => {
    let seen = 0;
    for (let second = 1; second <= 17; second++) {
      for (let first = 1; first <= second; first++) {
        for (const claim of corrupt(claimOf(first, second))) {
          seen++;
          assert.equal(verifyConsistency(claim), false, `${first} to ${second}`);
        }
      }
    }
    assert.ok(seen > 50);
  });
}

test('a log that dropped its last leaf is not consistent with what it was', () => {
  const forked = [...LEAVES.slice(0, 7), ...someLeaves(40).slice(35)];
  const claim = { ...claimOf(8, 12), secondRoot: rootOf(forked.slice(0, 12)) };
  assert.equal(
    verifyConsistency({ ...claim, proof: consistencyOf(8, forked.slice(0, 12)) }),
    false,
  );
});

test('the empty tree proves nothing', () => {
  const claim = { ...claimOf(1, 4), firstSize: 0n, firstRoot: emptyRoot(), proof: [] };
  assert.equal(verifyConsistency(claim), false);
});
