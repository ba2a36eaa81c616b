import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failed } from '@bulla/trust/finding/finding';
import type { Decision } from '@bulla/trust/policy/decision';
import { refusal } from '../../src/gateway/refusal.ts';

const DECISION: Decision = {
  id: '01JDTESTTESTTESTTESTTESTTE',
  outcome: 'deny',
  reference: 'registry.example/app:v1',
  repository: 'registry.example/app',
  tag: 'v1',
  digest: null,
  covers: [],
  surface: 'pull',
  namespace: null,
  environment: null,
  policies: [],
  finding: failed('policy', 'policy.none', 'no policy was loaded'),
  warnings: [],
  policySetHash: 'none',
  trustRootVersion: 'none',
  evidence: [],
  validUntil: null,
  at: new Date('2026-01-01T00:00:00Z'),
  durationMs: 1,
};

test('where the policies lie that cannot be read is not told to who pulls', () => {
  const says = 'no policy is in force: cannot read "/home/ann/policies/prod.yaml": ENOENT';
  const finding = failed('policy', 'policy.unreadable', says, 'semantics 4');
  const { status, body } = refusal({ ...DECISION, finding }, null);
  assert.equal(status, 403);
  assert.ok(typeof body === 'string');
  assert.doesNotMatch(body, /ann|prod\.yaml/);
  assert.match(body, /refused: policy: no policy is in force \(decision 01JD/);
  assert.match(body, /policy\.unreadable/);
});
