import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRecent } from '../../src/bounds/recent.ts';

test('what was not used for longest makes room', () => {
  const recent = openRecent<number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  assert.equal(recent.get('a'), 1);
  recent.set('c', 3);
  assert.deepEqual(
    [...recent.entries()],
    [
      ['a', 1],
      ['c', 3],
    ],
  );
});

test('looking at the entries is no use of them', () => {
  const recent = openRecent<number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  assert.equal([...recent.entries()].length, 2);
  recent.set('c', 3);
  assert.equal(recent.get('a'), undefined);
});

test('the weight of all values stays within the bound, whatever is set again or deleted', () => {
  const recent = openRecent<string>(10, (text) => text.length);
  recent.set('a', 'xxxx');
  recent.set('a', 'xxxxxx');
  recent.set('b', 'xxxx');
  assert.equal(recent.size, 2);
  recent.set('c', 'xx');
  assert.equal(recent.get('a'), undefined);
  recent.delete('b');
  recent.delete('b');
  recent.set('d', 'xxxxxxxx');
  assert.deepEqual(
    [...recent.entries()].map(([key]) => key),
    ['c', 'd'],
  );
});

test('a value heavier than the bound is not kept', () => {
  const recent = openRecent<string>(3, (text) => text.length);
  recent.set('a', 'xxxx');
  assert.equal(recent.size, 0);
});
