import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { ApiRoute } from '../http/api/route.ts';
import { callerOf } from '../http/principal.ts';
import type { RolloutService } from './service.ts';

const closed = { additionalProperties: false } as const;
const NULLABLE = Type.Union([Type.String(), Type.Null()]);
const TEXT = Type.String({ minLength: 1, maxLength: 512 });
const REASON = Type.String({ minLength: 1, maxLength: 4096 });
const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;

const START = Type.Object(
  {
    policy: TEXT,
    owner: Type.String({ ...TEXT, description: 'Who answers for the rollout' }),
    windowMs: Type.Integer({ minimum: HOUR_MS, maximum: 90 * DAY_MS }),
  },
  closed,
);

const CUT_OVER = Type.Object(
  {
    accept: Type.Optional(
      Type.Array(TEXT, {
        maxItems: 200,
        description:
          'REPOSITORY or REPOSITORY@DIGEST of what may be denied; nothing-observed; more-than-shown',
      }),
    ),
    reason: Type.Optional(REASON),
    quietMs: Type.Optional(
      Type.Integer({
        minimum: HOUR_MS,
        maximum: 90 * DAY_MS,
        description: 'What would have been denied so lately stands in the way; a day by default',
      }),
    ),
  },
  closed,
);

const BACK = Type.Object({ reason: REASON }, closed);

const ROLLOUT = {
  policy: Type.String(),
  owner: Type.String(),
  openedAt: Type.String(),
  openedBy: Type.String(),
  endsAt: Type.String(),
  demands: Type.String({ description: 'What the policy asked for then: a hash without its mode' }),
  cutOver: Type.Union([
    Type.Object({
      at: Type.String(),
      by: Type.String(),
      accepted: Type.Array(Type.String()),
      reason: NULLABLE,
      act: NULLABLE,
    }),
    Type.Null(),
  ]),
};

const PLACED = {
  ...ROLLOUT,
  state: Type.String({ description: 'observing, enforced, or gone: no policy of the name' }),
  fileMode: NULLABLE,
  unchanged: Type.Boolean(),
};

const STATUS = Type.Object({
  ...PLACED,
  asked: Type.Boolean(),
  complete: Type.Boolean(),
  wouldDeny: Type.Array(
    Type.Object({
      repository: Type.String(),
      digest: NULLABLE,
      namespace: NULLABLE,
      surfaces: Type.Array(Type.String()),
      reference: Type.String(),
      code: NULLABLE,
      says: Type.String(),
      count: Type.Integer(),
      firstSeen: Type.String(),
      lastSeen: Type.String(),
      lastDecision: Type.String(),
      mendedAt: NULLABLE,
    }),
  ),
});

/** The routes of rollouts in the product API. */
export function rolloutRoutes(rollouts: RolloutService): readonly ApiRoute[] {
  return [...readRoutes(rollouts), ...changeRoutes(rollouts)];
}

function readRoutes(rollouts: RolloutService): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/rollouts',
      needs: 'policies.read',
      summary: 'Policies on their way from warning to refusing',
      answer: Type.Object({ rollouts: Type.Array(Type.Object(PLACED)) }),
      handle: async () => ({ rollouts: await rollouts.list() }),
    },
    {
      method: 'GET',
      path: '/rollouts/:policy',
      needs: 'decisions.read',
      summary: 'What a policy would have denied since its window was opened, and what was mended',
      answer: STATUS,
      handle: ({ params }) => rollouts.status(params['policy'] ?? ''),
    },
  ];
}

function changeRoutes(rollouts: RolloutService): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/rollouts',
      needs: 'policies.manage',
      summary: 'Open an observation window for a policy that warns or records',
      body: START,
      answer: Type.Object(ROLLOUT),
      handle: (call) => rollouts.start(callerOf(call.principal), Value.Parse(START, call.body)),
    },
    {
      method: 'POST',
      path: '/rollouts/:policy/cut-over',
      needs: 'policies.manage',
      summary: 'Have every replica enforce a policy whatever its file says; recorded',
      body: CUT_OVER,
      answer: Type.Object(ROLLOUT),
      async handle(call) {
        const ask: Static<typeof CUT_OVER> = Value.Parse(CUT_OVER, call.body);
        const { accept = [], reason = null, quietMs = DAY_MS } = ask;
        const policy = call.params['policy'] ?? '';
        return rollouts.cutOver(callerOf(call.principal), policy, { accept, reason, quietMs });
      },
    },
    {
      method: 'POST',
      path: '/rollouts/:policy/back',
      needs: 'policies.manage',
      summary: 'End a rollout, or take a cut-over back: the file’s mode holds again; recorded',
      body: BACK,
      async handle(call) {
        const { reason } = Value.Parse(BACK, call.body);
        await rollouts.back(callerOf(call.principal), call.params['policy'] ?? '', reason);
        return null;
      },
    },
  ];
}
