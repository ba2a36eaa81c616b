import { expect, test } from 'vitest';
import type { SummaryAnswer } from '../../../src/api/simulations.ts';
import {
  CHANGES,
  changedImages,
  cutText,
  keyOf,
  shortfallText,
  summaryText,
  touchedImages,
} from '../../../src/pages/simulations/words.ts';

const EXTENT = { decisions: 8, since: '2026-11-14T20:34:53.953Z', left: 0, complete: true };
const SIMULATION: SummaryAnswer = {
  id: '01JD0000000000000000000000',
  kind: 'simulation',
  at: '2026-11-21T20:34:53.973Z',
  by: { id: 'user_1', name: 'ann' },
  asked: 'new.yaml; 7 days',
  totals: {
    ...EXTENT,
    images: 4,
    refused: 1,
    excepted: 1,
    admitted: 0,
    warned: 0,
    unknown: 2,
    unchanged: { admitted: 0, refused: 0 },
  },
};

test('a line of the list tells what cannot be answered as well', () => {
  expect(summaryText(SIMULATION)).toBe('1 newly denied, 0 newly admitted, 2 cannot be answered');
});

test('an answer that does not reach over all that was asked for says so', () => {
  expect(shortfallText(SIMULATION.totals)).toBe(null);
  const short = { ...SIMULATION.totals, left: 3, complete: false };
  expect(shortfallText(short)).toMatch(/since 2026-11-14 20:34 UTC\. For 3 images/);
});

test('images that change and are not listed are told', () => {
  expect(changedImages({ ...SIMULATION.totals, refused: 1200, excepted: 1, unknown: 2 })).toBe(
    1203,
  );
  expect(cutText(1000, 1203)).toMatch(/^1\u202f203 images change, of which 1\u202f000 are listed/);
  expect(cutText(3, 3)).toBe(null);
  const byImpact = { lost: 1, unknown: 2, 'at-risk': 3, refused: 40, gained: 4, kept: 50 };
  const totals = { ...EXTENT, images: 100, byImpact, lostRunning: 0, lostDeployable: 0 };
  expect(touchedImages(totals)).toBe(10);
});

test('a class of the address is one that there is', () => {
  expect(keyOf(CHANGES, 'refused')).toBe('refused');
  for (const word of [undefined, '', 'toString', 'lost']) expect(keyOf(CHANGES, word)).toBe(null);
});
