import { expect, test } from 'vitest';
import { actionsOf, readTokenAsk } from '../../../src/pages/tokens/token-ask.ts';

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
    lifeMs: 30 * DAY_MS,
  });
});

test('how long a token that signs lives is left to the server', () => {
  const fields = { name: 'signer', repositories: '**', days: '365', action: ['sign'] };
  expect(readTokenAsk(form(fields))).toMatchObject({ lifeMs: undefined });
});

test('a token for the API alone names no repository', () => {
  const fields = { name: 'reader', days: '7', permission: ['decisions.read', 'users.manage'] };
  expect(readTokenAsk(form(fields))).toEqual({
    name: 'reader',
    permissions: ['decisions.read'],
    repositories: [],
    lifeMs: 7 * DAY_MS,
  });
});

test('a role is offered what a token of it may carry', () => {
  const offered = (role: Parameters<typeof actionsOf>[0]) =>
    actionsOf(role).map(({ action }) => action);
  expect(offered('owner')).toEqual(['pull', 'push', 'delete', 'sign']);
  expect(offered('member')).toEqual(['pull', 'push', 'sign']);
  expect(offered('viewer')).toEqual(['pull']);
  expect(offered('auditor')).toEqual([]);
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
