import { expect, test } from 'vitest';
import type { ExceptionDone } from '../../../src/api/exceptions.ts';
import { stepsOf } from '../../../src/pages/exceptions/steps.ts';

const done = (name: string, at: string, says = ''): ExceptionDone => ({
  by: { kind: 'user', id: `user_${name}`, name },
  at,
  says,
});

const ASKED = {
  kind: 'exception',
  state: 'requested',
  requester: { identity: 'dev@acme.example', keyId: '0a' },
  approver: null,
  expires: '2026-11-22T12:00:00.000Z',
  requested: done('ben', '2026-11-21T12:00:00.000Z'),
  approved: null,
  revoked: null,
  reviewed: null,
} as const;

test('a request was asked for, and expires some day', () => {
  const [first, last] = stepsOf(ASKED);
  expect(first).toEqual({
    what: 'requested',
    at: '2026-11-21T12:00:00.000Z',
    by: 'ben',
    signedBy: 'dev@acme.example',
    says: null,
  });
  expect(last).toMatchObject({ what: 'expires', by: null });
});

test('an approval is told with who signed it and who handed it in', () => {
  const steps = stepsOf({
    ...ASKED,
    state: 'in-force',
    approver: { identity: 'security@acme.example', keyId: '0b' },
    approved: done('ann', '2026-11-21T13:00:00.000Z'),
  });
  expect(steps.map(({ what }) => what)).toEqual(['requested', 'approved', 'expires']);
  expect(steps[1]).toMatchObject({ by: 'ann', signedBy: 'security@acme.example' });
});

test('what was revoked does not expire any more', () => {
  const steps = stepsOf({
    ...ASKED,
    state: 'revoked',
    revoked: done('ann', '2026-11-21T14:00:00.000Z', 'the signer is back'),
  });
  expect(steps.map(({ what }) => what)).toEqual(['requested', 'revoked']);
  expect(steps[1]?.says).toBe('the signer is back');
});

test('a review comes after the end of what it is about', () => {
  const steps = stepsOf({
    ...ASKED,
    kind: 'break-glass',
    state: 'expired',
    reviewed: done('ann', '2026-11-22T15:00:00.000Z', 'it was needed'),
  });
  expect(steps.map(({ what }) => what)).toEqual(['used', 'expired', 'reviewed']);
});
