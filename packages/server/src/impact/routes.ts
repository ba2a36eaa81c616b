import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { parseIdentityName, type TrustChange } from '@bulla/trust/policy/impact/change';
import { parsePolicyKey } from '@bulla/trust/policy/public-key';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { ApiCall, ApiRoute } from '../http/api/route.ts';
import { callerOf } from '../http/principal.ts';
import type { ImpactService } from './service.ts';

const closed = { additionalProperties: false } as const;
const TEXT = Type.String({ minLength: 1, maxLength: 2048 });
const DAYS = Type.Integer({ minimum: 1, maximum: 365 });
const TEXTS_BY_NAME = Type.Record(TEXT, Type.String({ maxLength: 1 << 20 }));

const SIMULATION = Type.Object(
  {
    kind: Type.Literal('simulation'),
    days: Type.Optional(DAYS),
    documents: Type.Optional(
      Type.Array(Type.Object({ file: TEXT, text: Type.String({ maxLength: 1 << 20 }) }, closed), {
        maxItems: 50,
        description: 'TrustPolicy documents, in the place of those of their names',
      }),
    ),
    keys: Type.Optional(TEXTS_BY_NAME),
    trustRoots: Type.Optional(TEXTS_BY_NAME),
    remove: Type.Optional(Type.Array(TEXT, { maxItems: 200 })),
  },
  closed,
);

const IMPACT = Type.Object(
  {
    kind: Type.Literal('impact'),
    days: Type.Optional(DAYS),
    runningDays: Type.Optional(DAYS),
    retireKeys: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 << 10 }), {
        maxItems: 50,
        description: 'A key id, the name of an authority, or a public key in PEM',
      }),
    ),
    renameIdentities: Type.Optional(
      Type.Array(
        Type.Object({ from: TEXT, to: TEXT }, { ...closed, description: '[ISSUER|]SUBJECT' }),
        { maxItems: 50 },
      ),
    ),
    retireRoots: Type.Optional(Type.Array(TEXT, { maxItems: 50 })),
  },
  closed,
);

const BODY = Type.Union([SIMULATION, IMPACT]);

const SUMMARY = {
  id: Type.String(),
  kind: Type.String({ description: 'simulation or impact' }),
  at: Type.String(),
  by: Type.Object({ id: Type.String(), name: Type.String() }),
  asked: Type.String(),
  totals: Type.Object({}, { additionalProperties: true }),
};

const STORED = Type.Object({
  ...SUMMARY,
  result: Type.Object(
    {},
    {
      additionalProperties: true,
      description: 'docs/impact.md: groups and changes of a simulation, images of an impact',
    },
  ),
});

const LIST = Type.Object(
  {
    before: Type.Optional(Type.String({ pattern: '^[0-9A-Z]{26}$' })),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
  },
  closed,
);

const LIMIT = 50;

/** A result names images and why they are refused: it is for who may read decisions as well. */
function readers(route: ApiRoute): ApiRoute {
  return {
    ...route,
    async handle(call) {
      if (call.principal.permissions.has('decisions.read')) return route.handle(call);
      throw new TrustFault('access.denied', 'expected the permission decisions.read');
    },
  };
}

/** The routes of simulations and impacts in the product API. */
export function impactRoutes(impact: ImpactService): readonly ApiRoute[] {
  const routes: readonly ApiRoute[] = [
    {
      method: 'POST',
      path: '/simulations',
      needs: 'policies.simulate',
      summary: 'Ask past decisions again, by other policies or with somebody trusted no more',
      body: BODY,
      answer: STORED,
      handle: (call) => run(impact, call),
    },
    {
      method: 'GET',
      path: '/simulations',
      needs: 'policies.simulate',
      summary: 'Simulations and impacts that were asked for, newest first',
      query: LIST,
      answer: Type.Object({
        simulations: Type.Array(Type.Object(SUMMARY)),
        next: Type.Union([Type.String(), Type.Null()]),
      }),
      async handle({ query: { before = null, limit } }) {
        const most = limit === undefined ? LIMIT : Number(limit);
        const simulations = await impact.list(before, most);
        const next = simulations.length === most ? (simulations.at(-1)?.id ?? null) : null;
        return { simulations, next };
      },
    },
    {
      method: 'GET',
      path: '/simulations/:id',
      needs: 'policies.simulate',
      summary: 'One simulation or impact with all that came out',
      answer: STORED,
      handle: ({ params }) => impact.get(params['id'] ?? ''),
    },
  ];
  return routes.map(readers);
}

const DAYS_USUAL = 7;

function run(impact: ImpactService, call: ApiCall): Promise<object> {
  const body: Static<typeof BODY> = Value.Parse(BODY, call.body);
  const { days = DAYS_USUAL } = body;
  if (body.kind === 'impact') {
    const { runningDays = DAYS_USUAL } = body;
    return impact.impact(callerOf(call.principal), { days, runningDays, changes: changesOf(body) });
  }
  const { documents = [], keys = {}, trustRoots = {}, remove = [] } = body;
  return impact.simulate(callerOf(call.principal), {
    days,
    candidate: { documents, keys, trustRoots, remove },
  });
}

function changesOf(body: Static<typeof IMPACT>): readonly TrustChange[] {
  const { retireKeys = [], renameIdentities = [], retireRoots = [] } = body;
  return [
    ...retireKeys.map((key): TrustChange => ({ kind: 'retire-key', key: keyName(key) })),
    ...renameIdentities.map(({ from, to }): TrustChange => {
      return {
        kind: 'rename-identity',
        from: parseIdentityName(from),
        to: parseIdentityName(to),
      };
    }),
    ...retireRoots.map((root): TrustChange => ({ kind: 'retire-root', root })),
  ];
}

function keyName(text: string): string {
  if (text.startsWith('-----BEGIN')) return parsePolicyKey(Buffer.from(text), 'retireKeys').id;
  if (text.length <= 2048) return text;
  throw new TrustFault('impact.change-unknown', `expected a key or its name, found ${quote(text)}`);
}
