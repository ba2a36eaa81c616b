import { expect, test } from 'vitest';
import { countFilters, readFilters } from '../../../src/pages/exceptions/filters.ts';

const READ = [
  { name: 'nothing', search: {}, expect: {} },
  {
    name: 'every filter',
    search: {
      state: 'in-force',
      kind: 'break-glass',
      review: 'open',
      repository: 'registry.example/app',
      before: '2026-11-21T12:00:00.000Z sha256:0a',
    },
    expect: {
      state: 'in-force',
      kind: 'break-glass',
      review: 'open',
      repository: 'registry.example/app',
      before: '2026-11-21T12:00:00.000Z sha256:0a',
    },
  },
  {
    name: 'no unknown word',
    search: { state: 'approved', kind: 'waiver', review: 'closed' },
    expect: {},
  },
  {
    name: 'no name of every object',
    search: { state: 'toString', kind: 'constructor' },
    expect: {},
  },
  { name: 'no blank', search: { repository: '  ', before: '' }, expect: {} },
  {
    name: 'text of bounded length',
    search: { repository: 'a'.repeat(600) },
    expect: { repository: 'a'.repeat(512) },
  },
  { name: 'nothing but text', search: { repository: ['a'], state: 3 }, expect: {} },
];

test.each(READ)('an address gives $name', ({ search, expect: expected }) => {
  expect(readFilters(search)).toEqual(expected);
});

test('a place in the list is no filter', () => {
  expect(countFilters({ before: 'x' })).toBe(0);
  expect(countFilters({ state: 'revoked', review: 'open', before: 'x' })).toBe(2);
});
