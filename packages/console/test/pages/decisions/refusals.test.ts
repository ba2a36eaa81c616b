import { expect, test } from 'vitest';
import type { DecisionAnswer, FindingAnswer } from '../../../src/api/decisions.ts';
import { refusalsOf } from '../../../src/pages/decisions/refusals.ts';

const node = (
  check: string,
  outcome: FindingAnswer['outcome'],
  ...because: readonly FindingAnswer[]
): FindingAnswer => ({
  check,
  outcome,
  says: `${check} says`,
  ...(outcome === 'pass' ? {} : { remedy: `mend ${check}` }),
  ...(because.length === 0 ? {} : { because }),
});

const policy = (
  name: string,
  effect: 'pass' | 'audit' | 'deny',
): DecisionAnswer['policies'][number] => ({
  name,
  hash: 'sha256:00',
  mode: effect === 'audit' ? 'audit' : 'enforce',
  effect,
});

const TREE = node(
  'policy',
  'fail',
  node('policy.learn', 'fail', node('sbom', 'fail')),
  node('policy.production', 'fail', node('trust', 'inconclusive'), node('signed', 'fail')),
  node('policy.outage', 'inconclusive', node('fine', 'pass'), node('log', 'inconclusive')),
);

test('each policy that refuses says why, and those that only record do not', () => {
  const policies = [
    policy('learn', 'audit'),
    policy('production', 'deny'),
    policy('outage', 'deny'),
  ];
  expect(refusalsOf({ outcome: 'deny', policies, finding: TREE })).toEqual([
    { policy: 'production', says: 'signed says', remedy: 'mend signed' },
    { policy: 'outage', says: 'log says', remedy: 'mend log' },
  ]);
});

test('without a policy that refuses the whole tree says why', () => {
  const finding = node('policy', 'fail');
  expect(refusalsOf({ outcome: 'deny', policies: [], finding })).toEqual([
    { policy: null, says: 'policy says', remedy: 'mend policy' },
  ]);
});

test('what was admitted has no refusal', () => {
  const policies = [policy('learn', 'audit')];
  expect(refusalsOf({ outcome: 'admit', policies, finding: TREE })).toEqual([]);
});
