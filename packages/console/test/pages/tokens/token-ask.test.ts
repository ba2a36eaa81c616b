import { expect, test } from 'vitest';
import { readTokenAsk } from '../../../src/pages/tokens/token-ask.ts';

const DAY_MS = 86_400_000;

function form(fields: Readonly<Record<string, string | readonly string[]>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) data.append(name, one);
  }
  return data;
}

test('a token may do what was chosen, with the repositories that were named', () => {
  const fields = {
    name: ' ci ',
    repositories: 'team/*, base',
    days: '30',
    action: ['push', 'pull'],
  };
  expect(readTokenAsk(form(fields))).toEqual({
    name: 'ci',
    permissions: [],
    repositories: [
      { repository: 'team/*', actions: ['pull', 'push'] },
      { repository: 'base', actions: ['pull', 'push'] },
    ],
    expiresInMs: 30 * DAY_MS,
  });
});

test('a token that signs lives one day', () => {
  const fields = { name: 'signer', repositories: '**', days: '365', action: ['sign'] };
  expect(readTokenAsk(form(fields))).toMatchObject({ expiresInMs: DAY_MS });
});

const LACKS = [
  {
    name: 'a name',
    fields: { name: ' ', repositories: '**', days: '1', action: 'pull' },
    expect: /name/,
  },
  { name: 'an action', fields: { name: 'a', repositories: '**', days: '1' }, expect: /may do/ },
  {
    name: 'a known action',
    fields: { name: 'a', repositories: '**', days: '1', action: 'own' },
    expect: /may do/,
  },
  {
    name: 'a repository',
    fields: { name: 'a', repositories: ' , ', days: '1', action: 'pull' },
    expect: /repositories/,
  },
];

test.each(LACKS)('a form without $name says so', ({ fields, expect: expected }) => {
  expect(readTokenAsk(form(fields))).toMatch(expected);
});
