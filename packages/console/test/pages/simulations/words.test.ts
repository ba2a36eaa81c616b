import { expect, test } from 'vitest';
import type { SummaryAnswer } from '../../../src/api/simulations.ts';
import {
  CHANGES,
  keyOf,
  shortfallText,
  summaryText,
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

test('a class of the address is one that there is', () => {
  expect(keyOf(CHANGES, 'refused')).toBe('refused');
  for (const word of [undefined, '', 'toString', 'lost']) expect(keyOf(CHANGES, word)).toBe(null);
});
