import { TrustFault } from '@bulla/trust/fault/fault';
import { Type } from 'typebox';
import type { ApiCall, ApiRoute } from '../http/api/route.ts';
import { repositoryName, tagName } from './names.ts';
import type { Place } from './place.ts';
import { type FindLastDecision, viewRepository, viewTagHistory } from './repository-view.ts';
import type { Gateway } from './service.ts';
import { mayUse } from './upstream/users.ts';

const NAME = Type.String({ minLength: 1, maxLength: 255, description: 'As clients pull it' });
const CURSOR = Type.Optional(Type.String({ minLength: 1, maxLength: 255 }));
const NULLABLE = Type.Union([Type.String(), Type.Null()]);
const CLOSED = { additionalProperties: false };
const REPOSITORIES_PAGE = 100;

const TAG = Type.Object({
  tag: Type.String(),
  digest: Type.String(),
  mediaType: NULLABLE,
  sizeBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  since: NULLABLE,
  lastDecision: Type.Union([
    Type.Object({
      id: Type.String(),
      outcome: Type.String(),
      effect: Type.String(),
      at: Type.String(),
    }),
    Type.Null(),
  ]),
  attached: Type.Array(
    Type.Object({
      digest: Type.String(),
      kind: Type.Union([
        Type.Literal('signature'),
        Type.Literal('attestation'),
        Type.Literal('other'),
      ]),
      type: Type.String(),
    }),
  ),
});

const PERIOD = Type.Object({
  digest: Type.String(),
  from: Type.String(),
  until: NULLABLE,
  rollback: Type.Boolean(),
});

/**
 * The gateway's routes of the product API: repositories, their tags with what is attached to them,
 * and what a tag led to. Names come as query parameters, since they have slashes. A caller sees what
 * they may pull; of another repository it is not said whether it is there.
 */
export function gatewayApiRoutes(
  gateway: Gateway,
  lastDecision: FindLastDecision,
): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/repositories',
      needs: 'repositories.read',
      summary: 'Repositories of this registry, and those of upstreams that were pulled from',
      query: Type.Object({ cursor: CURSOR }, CLOSED),
      answer: Type.Object({
        repositories: Type.Array(Type.Object({ name: Type.String() })),
        next: NULLABLE,
      }),
      handle: (call) => repositories(gateway, call),
    },
    {
      method: 'GET',
      path: '/repository',
      needs: 'repositories.read',
      summary: 'The tags of a repository, with what is attached to the images behind them',
      query: Type.Object({ name: NAME, cursor: CURSOR }, CLOSED),
      answer: Type.Object({
        name: Type.String(),
        canonical: Type.String({ description: 'The name by which policies match it' }),
        tags: Type.Array(TAG),
        next: NULLABLE,
      }),
      handle: (call) =>
        viewRepository(gateway, placeOf(gateway, call), call.query['cursor'], lastDecision),
    },
    {
      method: 'GET',
      path: '/repository/history',
      needs: 'repositories.read',
      summary: 'What a tag led to, newest first',
      query: Type.Object({ name: NAME, tag: Type.String({ maxLength: 128 }) }, CLOSED),
      answer: Type.Object({ history: Type.Array(PERIOD) }),
      async handle(call) {
        const tag = tagName(call.query['tag'] ?? '');
        return { history: await viewTagHistory(gateway, placeOf(gateway, call), tag) };
      },
    },
  ];
}

async function repositories(gateway: Gateway, { principal, query }: ApiCall) {
  const last = query['cursor'];
  const page = await gateway.listCatalog(
    { n: REPOSITORIES_PAGE, ...(last === undefined ? {} : { last }) },
    (name) => maySee(gateway, gateway.places.locate(name), principal),
  );
  return {
    repositories: page.names.map((name) => ({ name })),
    next: page.more ? (page.names.at(-1) ?? null) : null,
  };
}

function placeOf(gateway: Gateway, { principal, query }: ApiCall): Place {
  const place = gateway.places.locate(repositoryName(query['name'] ?? ''));
  if (maySee(gateway, place, principal)) return place;
  throw new TrustFault('gateway.name-unknown', `no repository ${place.name}`);
}

function maySee({ ports }: Gateway, place: Place, principal: ApiCall['principal']): boolean {
  return ports.access.may(principal, place.name, 'pull') && mayUse(place, principal);
}
