import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allOf } from '@bulla/trust/finding/combine';
import { passed } from '@bulla/trust/finding/finding';
import { findingJson } from '@bulla/trust/finding/render-json';
import {
  type Rollback,
  recordedRollback,
  rollbackFindings,
} from '@bulla/trust/policy/evaluate/rollback';
import { policyOf, signed } from '../../policy-lab/policy.ts';

const ROLLBACK: Rollback = {
  newer: `sha256:${'7'.repeat(64)}`,
  newerSince: new Date('2026-11-21T12:00:00.123Z'),
};

for (const rollback of ['allow', 'refuse'] as const) {
  test(`a rollback is read again from what is recorded of it, as ${rollback} shows it`, () => {
    const { document } = policyOf({ authorities: [], require: signed([]), rollback });
    const found = rollbackFindings(document, 'v1', ROLLBACK);
    const policy = allOf('policy.prod', [passed('signed', 'by a'), ...found], 'prod');
    const tree = findingJson(allOf('policy', [passed('policy.base', ''), policy], ''));
    assert.deepEqual(recordedRollback(tree), ROLLBACK);
  });
}

test('a tree without a rollback tells of none', () => {
  assert.equal(recordedRollback({ check: 'policy', says: '' }), null);
  assert.equal(recordedRollback({ check: 'policy.rollback', says: 'the tag went back' }), null);
  const { document } = policyOf({ authorities: [], require: signed([]) });
  assert.deepEqual(rollbackFindings(document, 'v1', null), []);
});
