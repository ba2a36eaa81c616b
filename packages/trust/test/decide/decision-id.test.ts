import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { TrustFault } from '@bulla/trust/fault/fault';

const random = (byte: number, length = 10) => new Uint8Array(length).fill(byte);

// The first time is that of the ULID specification's README, ulid(1469918176385) → 01ARYZ6S41….
const ROWS = [
  { time: 1_469_918_176_385, byte: 0, id: '01ARYZ6S410000000000000000' },
  { time: 0, byte: 0, id: '00000000000000000000000000' },
  { time: 2 ** 48 - 1, byte: 255, id: '7ZZZZZZZZZZZZZZZZZZZZZZZZZ' },
  { time: 1, byte: 1, id: '0000000001040G2081040G2081' },
] as const;

for (const { time, byte, id } of ROWS) {
  test(`an id at ${time} of bytes ${byte}: ${id}`, () => {
    assert.equal(newDecisionId(new Date(time), random(byte)), id);
  });
}

test('ids sort by their time, whatever chance adds', () => {
  const times = [0, 1, 31, 32, 1_469_918_176_385, 1_800_000_000_000, 1_800_000_000_001];
  const ids = times.map((time, at) => newDecisionId(new Date(time), random(255 - at)));
  assert.deepEqual(ids.toSorted(), ids);
});

for (const { name, at, bytes } of [
  { name: 'too few bytes', at: new Date(0), bytes: random(0, 9) },
  { name: 'too many bytes', at: new Date(0), bytes: random(0, 11) },
  { name: 'a time before 1970', at: new Date(-1), bytes: random(0) },
  { name: 'no time', at: new Date(Number.NaN), bytes: random(0) },
]) {
  test(`an id is refused: ${name}`, () => {
    assert.throws(
      () => newDecisionId(at, bytes),
      (error) => error instanceof TrustFault && error.code === 'usage.invalid',
    );
  });
}
