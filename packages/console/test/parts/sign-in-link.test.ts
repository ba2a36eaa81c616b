import { expect, test } from 'vitest';
import { linkAddress, passwordLack, pathAfter, readLink } from '../../src/parts/sign-in-link.ts';

test.each([
  ['#token=abc-_1', { token: 'abc-_1', user: null, first: false }],
  ['#token=a&first', { token: 'a', user: null, first: true }],
  ['#token=a&user=ann', { token: 'a', user: 'ann', first: false }],
  ['#token=', null],
  ['#abc', null],
  ['', null],
])('the fragment %j holds the link %j', (hash, link) => {
  expect(readLink(hash)).toEqual(link);
});

test('the address of a link keeps its secret behind the #', () => {
  const address = new URL(linkAddress('https://bulla.example', 'a-_b', 'ann+b@c'));
  expect(address.href.split('#')[0]).toBe('https://bulla.example/sign-in');
  expect(readLink(address.hash)).toEqual({ token: 'a-_b', user: 'ann+b@c', first: false });
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
