import { type DecideOptions, decide } from '@bulla/trust/decide';
import type { Decision } from '@bulla/trust/policy/decision';
import { NOW } from '../sigstore-lab/lab.ts';

/** What a test says of a question; the rest is usual. */
export type DecideShape = Pick<DecideOptions, 'source' | 'policies'> & Partial<DecideOptions>;

/** The options of a decision about tag `v1`, where no expression may be run and nothing passed before. */
export function decideOptions(shape: DecideShape): DecideOptions {
  return {
    id: '01JD0000000000000000000000',
    reference: 'registry.example/app:v1',
    scope: {
      repository: 'registry.example/app',
      surface: 'pull',
      namespace: null,
      environment: null,
    },
    tag: shape.digest === undefined || shape.digest === null ? 'v1' : null,
    digest: null,
    platform: null,
    parents: [],
    expressions: () => {
      throw new Error('no expression was to be run');
    },
    lastPass: async () => null,
    rollback: null,
    problem: null,
    at: NOW,
    now: () => performance.now(),
    ...shape,
  };
}

/** The decision alone. */
export async function decided(shape: DecideShape): Promise<Decision> {
  return (await decide(decideOptions(shape))).decision;
}
