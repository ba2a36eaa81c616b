import { expect, test } from 'vitest';
import { actionText, changesOf, entityName } from '../../../src/pages/activity/changes.ts';

const entry = (before: unknown, after: unknown) => ({
  id: 'act_1',
  at: '2026-11-21T12:00:00Z',
  actor: { kind: 'user', id: 'user_1', name: 'ann' },
  action: 'user.role',
  entity: { kind: 'user', id: 'user_2' },
  before,
  after,
});

test('a change names what it was about, by the newest name', () => {
  expect(entityName(entry({ name: 'bob' }, { name: 'rob' }))).toBe('rob');
  expect(entityName(entry({ name: 'bob' }, null))).toBe('bob');
  expect(entityName(entry(null, null))).toBe('user_2');
});

test('a change says what differs', () => {
  const before = { name: 'bob', role: 'viewer', disabled: false };
  expect(changesOf(before, { ...before, role: 'admin' })).toEqual(['role: viewer → admin']);
  expect(changesOf(before, { name: 'bob', role: 'viewer' })).toEqual(['disabled: no → none']);
  expect(changesOf(null, before)).toEqual([]);
});

test('an action that the page does not know is shown as it is', () => {
  expect(actionText('user.add')).toBe('Added user');
  expect(actionText('user.teleport')).toBe('user.teleport');
});
