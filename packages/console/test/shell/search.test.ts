import { expect, test } from 'vitest';
import { parseSearch, stringifySearch } from '../../src/shell/search.ts';

const CASES = [
  { name: 'nothing', search: {}, text: '' },
  {
    name: 'text',
    search: { repository: 'registry.example:5000/a/b' },
    text: '?repository=registry.example:5000/a/b',
  },
  { name: 'a number stays text', search: { cursor: '12' }, text: '?cursor=12' },
  {
    name: 'what an address keeps for itself',
    search: { actor: 'a&b=c #d+e' },
    text: '?actor=a%26b%3Dc+%23d%2Be',
  },
  { name: 'two values in their order', search: { b: '1', a: '2' }, text: '?b=1&a=2' },
];

test.each(CASES)('an address holds $name', ({ search, text }) => {
  expect(stringifySearch(search)).toBe(text);
  expect(parseSearch(text)).toEqual(search);
});

test('what is empty or no text is left out', () => {
  expect(stringifySearch({ a: '', b: undefined, c: 3, d: 'x' })).toBe('?d=x');
});

test('of several values the last counts', () => {
  expect(parseSearch('?a=1&a=2')).toEqual({ a: '2' });
});
