import { expect, test } from 'vitest';
import type { FindingAnswer } from '../../../src/api/decisions.ts';
import {
  closable,
  closedAtFirst,
  countFindings,
  moveFor,
  visibleRows,
} from '../../../src/pages/decisions/tree-rows.ts';

const leaf = (check: string, outcome: string, remedy?: string): FindingAnswer => ({
  check,
  outcome,
  says: check,
  ...(remedy === undefined ? {} : { remedy, code: 'signature.none' }),
});

/** fail(a: pass(b, c), d: fail(e: fail with a remedy, f: skipped)) */
const TREE: FindingAnswer = {
  ...leaf('root', 'fail', 'of the root'),
  needs: 'all',
  because: [
    { ...leaf('a', 'pass'), needs: 'any', because: [leaf('b', 'pass'), leaf('c', 'fail', 'of c')] },
    {
      ...leaf('d', 'fail', 'of d'),
      needs: 2,
      because: [leaf('e', 'fail', 'of e'), leaf('f', 'skipped')],
    },
  ],
};
const NONE: ReadonlySet<string> = new Set();
const checks = (closed: ReadonlySet<string>) =>
  visibleRows(TREE, closed).map(({ finding }) => finding.check);

test('the rows are the tree from above to below', () => {
  expect(checks(NONE)).toEqual(['root', 'a', 'b', 'c', 'd', 'e', 'f']);
  const rows = visibleRows(TREE, NONE);
  expect(rows.map(({ level, position, siblings }) => [level, position, siblings])).toEqual([
    [1, 1, 1],
    [2, 1, 2],
    [3, 1, 2],
    [3, 2, 2],
    [2, 2, 2],
    [3, 1, 2],
    [3, 2, 2],
  ]);
  expect(rows.map(({ parent }) => parent)).toEqual([null, '0', '0.0', '0.0', '0', '0.1', '0.1']);
});

test('what is under a closed row is not shown', () => {
  expect(checks(new Set(['0.0']))).toEqual(['root', 'a', 'd', 'e', 'f']);
  expect(checks(new Set(['0']))).toEqual(['root']);
});

test('a remedy stands at the node to mend, and under what passed nowhere', () => {
  const remedies = visibleRows(TREE, NONE).flatMap(({ finding, remedy }) =>
    remedy === null ? [] : [[finding.check, remedy]],
  );
  expect(remedies).toEqual([['e', 'of e']]);
});

test('what a node needs of its children is said in words', () => {
  expect(visibleRows(TREE, NONE).map(({ needs }) => needs)).toEqual([
    'all of 2',
    'any of 2',
    null,
    null,
    '2 of 2',
    null,
    null,
  ]);
});

test('a small tree is open, and of a large one what passed is closed', () => {
  expect(closedAtFirst(TREE)).toEqual(NONE);
  const many = Array.from({ length: 30 }, () => leaf('x', 'pass'));
  const large = {
    ...TREE,
    because: [...(TREE.because ?? []), { ...leaf('y', 'pass'), because: many }],
  };
  expect(closedAtFirst(large)).toEqual(new Set(['0.0', '0.2']));
  expect(closedAtFirst({ ...leaf('z', 'pass'), because: many })).toEqual(NONE);
});

test('every row with children can be closed but the root', () => {
  expect(closable(TREE)).toEqual(new Set(['0.0', '0.1']));
  expect(countFindings(TREE)).toBe(7);
});

const MOVES = [
  { key: 'ArrowDown', at: '0', closed: [], expect: { go: '0.0' } },
  { key: 'ArrowDown', at: '0.1.1', closed: [], expect: { go: '0.1.1' } },
  { key: 'ArrowUp', at: '0.1', closed: [], expect: { go: '0.0.1' } },
  { key: 'ArrowUp', at: '0.1', closed: ['0.0'], expect: { go: '0.0' } },
  { key: 'ArrowUp', at: '0', closed: [], expect: { go: '0' } },
  { key: 'Home', at: '0.1.1', closed: [], expect: { go: '0' } },
  { key: 'End', at: '0', closed: [], expect: { go: '0.1.1' } },
  { key: 'ArrowRight', at: '0.0', closed: ['0.0'], expect: { open: '0.0' } },
  { key: 'ArrowRight', at: '0.0', closed: [], expect: { go: '0.0.0' } },
  { key: 'ArrowRight', at: '0.0.0', closed: [], expect: { go: '0.0.0' } },
  { key: 'ArrowLeft', at: '0.0', closed: [], expect: { close: '0.0' } },
  { key: 'ArrowLeft', at: '0.0', closed: ['0.0'], expect: { go: '0' } },
  { key: 'ArrowLeft', at: '0.0.1', closed: [], expect: { go: '0.0' } },
  { key: 'Enter', at: '0.1', closed: [], expect: { close: '0.1' } },
  { key: ' ', at: '0.1', closed: ['0.1'], expect: { open: '0.1' } },
  { key: 'Enter', at: '0.1.0', closed: [], expect: { go: '0.1.0' } },
  { key: 'Tab', at: '0', closed: [], expect: null },
  { key: 'ArrowDown', at: 'gone', closed: [], expect: null },
];

test.each(MOVES)('$key at $at, closed $closed', ({ key, at, closed, expect: expected }) => {
  expect(moveFor(key, at, visibleRows(TREE, new Set(closed)))).toEqual(expected);
});
