import { describe, expect, test } from 'vitest';
import {
  ago,
  countText,
  durationText,
  instantText,
  plainText,
  plural,
  remaining,
  shortDigest,
  shortDigestsIn,
  shortKeyId,
  shortReference,
  sizeText,
} from '../../src/parts/format.ts';

const AT = new Date('2026-11-21T12:00:00Z');

describe('the time since an instant', () => {
  test.each([
    ['2026-11-21T12:00:00Z', 'just now'],
    ['2026-11-21T11:59:18Z', '42 s ago'],
    ['2026-11-21T11:58:59Z', '1 min ago'],
    ['2026-11-21T09:30:00Z', '2 h ago'],
    ['2026-11-20T10:00:00Z', '26 h ago'],
    ['2026-11-18T12:00:00Z', '3 days ago'],
    ['2026-11-21T12:05:00Z', 'in 5 min'],
    ['2027-02-19T12:00:00Z', 'in 90 days'],
    ['never', 'never'],
  ])('%s is %s', (instant, text) => expect(ago(instant, AT)).toBe(text));
});

describe('the time until an instant', () => {
  test.each([
    ['2026-11-21T12:00:20Z', 'less than a minute'],
    ['2026-11-21T12:01:00Z', '1 minute'],
    ['2026-11-21T12:59:59Z', '59 minutes'],
    ['2026-11-21T13:00:00Z', '1 hour'],
    ['2026-11-21T15:12:30Z', '3 hours 12 minutes'],
    ['2026-11-22T13:00:00Z', '1 day 1 hour'],
    ['2026-11-24T12:00:00Z', '3 days'],
    ['2026-11-21T12:00:00Z', null],
    ['2026-11-20T12:00:00Z', null],
    ['never', null],
  ])('%s is %s away', (instant, text) => expect(remaining(instant, AT)).toBe(text));
});

test('what somebody wrote is read in its own order, with nothing hidden in it', () => {
  expect(plainText('fine: na\u00efve \u4f60\u597d <b>bold</b>')).toBe(
    'fine: na\u00efve \u4f60\u597d <b>bold</b>',
  );
  expect(plainText('not \u202esafe\u202c a\u200bb')).toBe('not \\u202esafe\\u202c a\\u200bb');
  expect(plainText('one\r\ntwo\tthree\u0007')).toBe('one two three\\u0007');
});

test('the id of a key is cut, whatever stands before it', () => {
  const id = `0123456789abcdef${'0'.repeat(48)}`;
  expect(shortKeyId(id)).toBe('0123456789abcdef');
  expect(shortKeyId(`sha256:${id}`)).toBe('0123456789abcdef');
  expect(shortKeyId('release')).toBe('release');
});

test('a sentence keeps its words, and its digests are cut', () => {
  const digest = `sha256:9f2c1a7be04d${'0'.repeat(52)}`;
  expect(shortDigestsIn(`${digest} and app@${digest} carry no signature`)).toBe(
    'sha256:9f2c1a7be04d and app@sha256:9f2c1a7be04d carry no signature',
  );
  expect(shortDigestsIn('until 2026-11-21T12:00:00Z')).toBe('until 2026-11-21T12:00:00Z');
});

describe('a duration', () => {
  test.each([
    [0, '1 µs'],
    [0.042, '42 µs'],
    [3.25, '3.3 ms'],
    [42.4, '42 ms'],
    [1500, '1.5 s'],
    [65_000, '65 s'],
  ])('of %d ms is %s', (ms, text) => expect(durationText(ms)).toBe(text));
});

test('an instant is written in UTC, to the second', () => {
  expect(instantText('2026-11-21T13:02:07.915+02:00')).toBe('2026-11-21 11:02:07 UTC');
  expect(instantText('soon')).toBe('soon');
});

test('only a digest is cut', () => {
  expect(shortDigest(`sha256:${'9f'.repeat(32)}`)).toBe('sha256:9f9f9f9f9f9f');
  expect(shortDigest('sha256:9f2c')).toBe('sha256:9f2c');
  expect(shortDigest('latest')).toBe('latest');
  expect(shortReference('a.example/b:v1')).toBe('a.example/b:v1');
  expect(shortReference(`a.example/b:v1@sha256:${'9f'.repeat(32)}`)).toBe(
    'a.example/b:v1@sha256:9f9f9f9f9f9f',
  );
});

test('counts are grouped and words agree with them', () => {
  expect(countText(1_234_567)).toBe('1\u202f234\u202f567');
  expect(countText(999)).toBe('999');
  expect(plural(1, 'policy', 'policies')).toBe('1 policy');
  expect(plural(0, 'policy', 'policies')).toBe('0 policies');
  expect(plural(2, 'tag')).toBe('2 tags');
});

describe('a size', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [150 * 1024, '150 KiB'],
    [3 * 2 ** 30, '3.0 GiB'],
  ])('of %d bytes is %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));
});
