import { expect, test } from 'vitest';
import type { SimulatedAnswer } from '../../../src/api/simulations.ts';
import { groupChanges } from '../../../src/pages/simulations/groups.ts';

function image(more: Partial<SimulatedAnswer>): SimulatedAnswer {
  return {
    reference: 'registry.example/app:v1',
    repository: 'registry.example/app',
    digest: null,
    surface: 'pull',
    namespace: null,
    before: 'admit',
    after: 'deny',
    change: 'refused',
    because: [],
    decisions: 1,
    uses: 1,
    lastDecision: '01JD0000000000000000000000',
    ...more,
  };
}

const reason = (policy: string | null, clause: string) => ({
  policy,
  clause,
  code: 'signature.none',
  says: 'no signature',
});

const CHANGES = [
  image({
    namespace: 'shop',
    decisions: 3,
    because: [reason('prod', 'require.all[0]'), reason('prod', 'require.all[1]')],
  }),
  image({ namespace: 'shop', decisions: 2, because: [reason('prod', 'require.all[0]')] }),
  image({
    repository: 'registry.example/other',
    decisions: 9,
    change: 'admitted',
    because: [reason(null, 'no policy')],
  }),
  image({ change: null, decisions: 100 }),
];

test('an image counts once for a policy, whatever the number of its clauses', () => {
  expect(groupChanges(CHANGES, 'policy')).toEqual([
    { change: 'admitted', value: 'no one policy', images: 1, decisions: 9 },
    { change: 'refused', value: 'prod', images: 2, decisions: 5 },
  ]);
});

test('an image counts for each of its reasons', () => {
  expect(groupChanges(CHANGES, 'reason').map(({ value, images }) => [value, images])).toEqual([
    ['no policy: signature.none', 1],
    ['require.all[0]: signature.none', 2],
    ['require.all[1]: signature.none', 1],
  ]);
});

test('what has no namespace is told apart', () => {
  expect(groupChanges(CHANGES, 'namespace').map(({ value }) => value)).toEqual([
    'no namespace',
    'shop',
  ]);
});

test('repositories are counted, and what does not change is not', () => {
  const found = groupChanges(CHANGES, 'repository');
  expect(found.map(({ decisions }) => decisions)).toEqual([9, 5]);
});
