import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { encodeHex } from '@bulla/trust/bytes/hex';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseCheckpoint } from '@bulla/trust/tlog/checkpoint';
import { verifyConsistency } from '@bulla/trust/tlog/consistency';
import { verifyInclusion } from '@bulla/trust/tlog/inclusion';
import { parseNote } from '@bulla/trust/tlog/note';
import {
  entryBundlePath,
  parseEntryBundle,
  parseTile,
  TILE_WIDTH,
  tilePath,
} from '@bulla/trust/tlog/tile';
import { leafHash } from '@bulla/trust/tlog/tree-hash';
import fc from 'fast-check';
import { consistencyOf, pathOf, rootOf } from './merkle-tree.ts';

const FOLDER = join(import.meta.dirname, '../../../../vectors/rekor-tiles');
const SIZE = 303;

function read(path: string): Uint8Array {
  return readFileSync(join(FOLDER, path));
}

const PATHS = [
  { level: 0, index: 0n, width: 256, expect: 'tile/0/000' },
  { level: 0, index: 1n, width: 47, expect: 'tile/0/001.p/47' },
  { level: 1, index: 999n, width: 256, expect: 'tile/1/999' },
  { level: 1, index: 1000n, width: 1, expect: 'tile/1/x001/000.p/1' },
  { level: 63, index: 1_234_067n, width: 256, expect: 'tile/63/x001/x234/067' },
];

for (const { level, index, width, expect } of PATHS) {
  test(`tile ${index} of level ${level} and width ${width} lies at ${expect}`, () => {
    assert.equal(tilePath(level, index, width), expect);
    const entries = expect.replace(`tile/${level}/`, 'tile/entries/');
    assert.equal(entryBundlePath(index, width), entries);
  });
}

for (const [level, index, width] of [
  [-1, 0n, 256],
  [64, 0n, 256],
  [0.5, 0n, 256],
  [0, -1n, 256],
  [0, 0n, 0],
  [0, 0n, 257],
] as const) {
  test(`there is no tile ${index} of level ${level} and width ${width}`, () => {
    assert.throws(() => tilePath(level, index, width), { code: 'tlog.tile-malformed' });
  });
}

function entriesOfLog(): readonly Uint8Array[] {
  const partial = SIZE - TILE_WIDTH;
  return [
    ...parseEntryBundle(read(entryBundlePath(0n)), 'bundle 0'),
    ...parseEntryBundle(read(entryBundlePath(1n, partial)), 'bundle 1'),
  ];
}

test('the tiles of a real log hold the hashes of its entries, level above level', () => {
  const hashes = entriesOfLog().map(leafHash);
  assert.equal(hashes.length, SIZE);
  const tiles = [
    ...parseTile(read(tilePath(0, 0n)), TILE_WIDTH, 'tile 0'),
    ...parseTile(read(tilePath(0, 1n, SIZE - TILE_WIDTH)), SIZE - TILE_WIDTH, 'tile 1'),
  ];
  assert.deepEqual(tiles.map(encodeHex), hashes.map(encodeHex));
  const [upper] = parseTile(read(tilePath(1, 0n, 1)), 1, 'the upper tile');
  assert.ok(upper);
  assert.equal(encodeHex(upper), encodeHex(rootOf(hashes.slice(0, TILE_WIDTH))));
});

test('each entry of a real log is proved against its checkpoint', () => {
  const leaves = entriesOfLog().map(leafHash);
  const { size, rootHash } = parseCheckpoint(parseNote(read('checkpoint')));
  assert.equal(size, BigInt(SIZE));
  for (const [index, hash] of leaves.entries()) {
    const claim = { leafHash: hash, index: BigInt(index), size, proof: pathOf(index, leaves) };
    assert.ok(verifyInclusion({ ...claim, rootHash }), `entry ${index}`);
    const other = leaves[(index + 1) % SIZE] ?? hash;
    assert.equal(verifyInclusion({ ...claim, leafHash: other, rootHash }), false);
  }
});

test('each earlier tree of a real log is consistent with its checkpoint', () => {
  const leaves = entriesOfLog().map(leafHash);
  const checkpoint = parseCheckpoint(parseNote(read('checkpoint')));
  const second = { secondSize: checkpoint.size, secondRoot: checkpoint.rootHash };
  for (let size = 1; size <= SIZE; size++) {
    const first = { firstSize: BigInt(size), firstRoot: rootOf(leaves.slice(0, size)) };
    const proof = consistencyOf(size, leaves);
    assert.ok(verifyConsistency({ ...first, ...second, proof }), `size ${size}`);
  }
});

const BROKEN_BUNDLES = [
  { name: 'no entry', bytes: [] },
  { name: 'half a length', bytes: [0] },
  { name: 'a cut entry', bytes: [0, 2, 1] },
  { name: 'a byte after the last entry', bytes: [0, 1, 1, 0] },
  { name: '257 entries', bytes: Array.from({ length: 514 }, () => 0) },
];

for (const { name, bytes } of BROKEN_BUNDLES) {
  test(`an entry bundle with ${name} is refused`, () => {
    const input = Uint8Array.from(bytes);
    assert.throws(() => parseEntryBundle(input, 'bundle'), { code: 'tlog.tile-malformed' });
  });
}

test('a tile of another length than its width says is refused', () => {
  const tile = new Uint8Array(64);
  assert.throws(() => parseTile(tile, 1, 'tile'), { code: 'tlog.tile-malformed' });
  assert.throws(() => parseTile(tile, 3, 'tile'), { code: 'tlog.tile-malformed' });
});

test('entries write back to the same bundle, and no bytes throw anything but a fault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        const entries = parseEntryBundle(bytes, 'bundle');
        const again = entries.flatMap((entry) => [entry.length >> 8, entry.length & 255, ...entry]);
        assert.deepEqual(again, [...bytes]);
      } catch (error) {
        assert.ok(error instanceof TrustFault);
      }
    }),
  );
});
