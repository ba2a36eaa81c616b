import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationText } from '@bulla/trust/finding/duration';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

test('spans of time as people write them', () => {
  for (const [ms, text] of [
    [-5, '0s'],
    [0, '0s'],
    [499, '0s'],
    [1500, '2s'],
    [15 * 60 * SECOND, '15m'],
    [90 * SECOND, '1m 30s'],
    [HOUR + SECOND, '1h'],
    [36 * HOUR, '1d 12h'],
    [7 * DAY, '7d'],
    [7 * DAY + HOUR + 59 * SECOND, '7d 1h'],
    [400 * DAY, '400d'],
  ] as const) {
    assert.equal(durationText(ms), text, String(ms));
  }
});
