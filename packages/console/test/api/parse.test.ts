import { expect, test } from 'vitest';
import { apiPath } from '../../src/api/client.ts';
import { problemOf } from '../../src/api/parse.ts';

test('a refusal of the API is told in its own words', () => {
  const body = { code: 'access.denied', message: 'no', remedy: 'Ask an owner.' };
  expect(problemOf(403, body)).toMatchObject({ status: 403, ...body });
});

test.each([['<html>'], [null], [{ code: 3, message: '' }]])('%j still makes a problem', (body) => {
  expect(problemOf(502, body)).toMatchObject({ status: 502, code: 'http.502', remedy: null });
});

test('a path carries its query, and only what is asked for', () => {
  expect(apiPath('/decisions', { actor: 'a b&c', code: undefined, policy: '', limit: 50 })).toBe(
    '/decisions?actor=a+b%26c&limit=50',
  );
  expect(apiPath('/users')).toBe('/users');
});
