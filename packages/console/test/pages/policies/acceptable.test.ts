import { expect, test } from 'vitest';
import type { RolloutAnswer } from '../../../src/api/rollouts.ts';
import { acceptable } from '../../../src/pages/policies/acceptable.ts';

type Denial = RolloutAnswer['wouldDeny'][number];

const denial = (more: Partial<Denial>): Denial => ({
  repository: 'registry.example/app',
  digest: 'sha256:0a',
  namespace: null,
  surfaces: ['pull'],
  reference: 'registry.example/app:v1',
  code: 'signature.none',
  says: 'no signature',
  count: 1,
  firstSeen: '2026-11-21T12:00:00.000Z',
  lastSeen: '2026-11-21T12:00:00.000Z',
  lastDecision: '01JD0000000000000000000000',
  mendedAt: null,
  ...more,
});

test('each image that is not mended is named once, by its digest where it has one', () => {
  const wouldDeny = [
    denial({}),
    denial({ namespace: 'shop' }),
    denial({ digest: null }),
    denial({ repository: 'registry.example/mended', mendedAt: '2026-11-21T13:00:00.000Z' }),
  ];
  expect(acceptable({ wouldDeny, asked: true })).toEqual([
    'registry.example/app@sha256:0a',
    'registry.example/app',
  ]);
});

test('that nothing was observed can be accepted where nothing was', () => {
  expect(acceptable({ wouldDeny: [], asked: false })).toEqual(['nothing-observed']);
});
