import { expect, test } from 'vitest';
import { linkTokenOf, passwordLack, pathAfter } from '../../../src/pages/sign-in/link-token.ts';

test.each([
  ['#token=abc-_1', 'abc-_1'],
  ['#token=a&other=b', 'a'],
  ['#token=', null],
  ['#abc', null],
  ['', null],
])('the fragment %j holds the token %j', (hash, token) => {
  expect(linkTokenOf(hash)).toBe(token);
});

test.each([
  ['/decisions?outcome=deny', '/decisions?outcome=deny'],
  [undefined, '/'],
  ['//evil.example/', '/'],
  ['/\\evil.example/', '/'],
  ['https://evil.example/', '/'],
  ['javascript:alert(1)', '/'],
  ['/sign-in?to=/', '/'],
])('after the sign-in %j leads to %j', (to, path) => {
  expect(pathAfter(to)).toBe(path);
});

test('a password is long enough and typed twice alike', () => {
  expect(passwordLack('short', 'short')).toMatch(/12/);
  expect(passwordLack('long enough for it', 'long enough for me')).toMatch(/differ/);
  expect(passwordLack('long enough for it', 'long enough for it')).toBeNull();
});
