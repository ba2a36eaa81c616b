import { expect, test } from 'vitest';
import {
  askOf,
  countFilters,
  type DecisionsSearch,
  isLive,
  readFilters,
} from '../../../src/pages/decisions/filters.ts';

const READ = [
  { name: 'nothing', search: {}, expect: {} },
  {
    name: 'every filter',
    search: {
      outcome: 'deny',
      effect: 'warn',
      repository: 'registry.example/app',
      policy: 'prod',
      actor: 'ann',
      code: 'signature.none',
      time: '24h',
      before: '12',
      live: 'off',
    },
    expect: {
      outcome: 'deny',
      effect: 'warn',
      repository: 'registry.example/app',
      policy: 'prod',
      actor: 'ann',
      code: 'signature.none',
      time: '24h',
      before: '12',
      live: 'off',
    },
  },
  {
    name: 'no unknown word',
    search: { outcome: 'maybe', effect: 'x', time: '3y', live: 'on' },
    expect: {},
  },
  {
    name: 'no name of every object',
    search: { effect: 'toString', time: 'constructor' },
    expect: {},
  },
  {
    name: 'the exception that decisions stood on',
    search: { exception: ' sha256:0a ' },
    expect: { exception: 'sha256:0a' },
  },
  { name: 'no unknown name', search: { page: '2', __proto__x: '1' }, expect: {} },
  { name: 'no place that is no number', search: { before: '-1' }, expect: {} },
  { name: 'no blank', search: { actor: '  ', code: '' }, expect: {} },
  { name: 'text without its edges', search: { actor: ' ann ' }, expect: { actor: 'ann' } },
  {
    name: 'text of bounded length',
    search: { actor: 'a'.repeat(600) },
    expect: { actor: 'a'.repeat(512) },
  },
  { name: 'nothing but text', search: { actor: ['ann'], policy: 3 }, expect: {} },
  {
    name: 'instants in one form',
    search: { from: '2026-11-21', to: '2026-11-21T10:00:00+02:00' },
    expect: { from: '2026-11-21T00:00:00.000Z', to: '2026-11-21T08:00:00.000Z' },
  },
  { name: 'no instant that is none', search: { from: 'yesterday', to: '2026-99-99' }, expect: {} },
  {
    name: 'a span before instants',
    search: { time: '1h', from: '2026-11-21T00:00:00Z' },
    expect: { time: '1h' },
  },
] as const;

test.each(READ)('an address gives $name', ({ search, expect: expected }) => {
  expect(readFilters(search)).toEqual(expected);
  // What was read is read again as it is: links lead to where they show that they lead.
  expect(readFilters(readFilters(search))).toEqual(expected);
});

test('a span is asked for by its length, and the page’s own words are not sent', () => {
  expect(askOf({ time: '7d', policy: 'prod', live: 'off' })).toEqual({
    policy: 'prod',
    withinMs: 7 * 86_400_000,
  });
  expect(askOf({ from: '2026-11-21T00:00:00.000Z' })).toEqual({ from: '2026-11-21T00:00:00.000Z' });
});

const LIVE: readonly { readonly search: DecisionsSearch; readonly live: boolean }[] = [
  { search: {}, live: true },
  { search: { outcome: 'deny', time: '1h' }, live: true },
  { search: { live: 'off' }, live: false },
  { search: { before: '4' }, live: false },
  { search: { to: '2026-11-21T00:00:00.000Z' }, live: false },
];

test.each(LIVE)('the list of $search renews itself: $live', ({ search, live }) => {
  expect(isLive(search)).toBe(live);
});

test('the place in the list and its standing still are no filters', () => {
  expect(countFilters({ before: '4', live: 'off' })).toBe(0);
  expect(countFilters({ before: '4', policy: 'a', time: '1h' })).toBe(2);
});
