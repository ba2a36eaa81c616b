import { utf8 } from '@bulla/trust/bytes/byte-string';
import { hasCode, TrustFault } from '@bulla/trust/fault/fault';
import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import { parseException } from '@bulla/trust/policy/exceptions/parse';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { ApiRoute } from '../http/api/route.ts';
import type { Principal } from '../http/principal.ts';
import { answerOf, EXCEPTION } from './answer.ts';
import { type Clerk, isSame, type StoredException } from './exception.ts';
import type { ExceptionFilter } from './find.ts';
import type { ExceptionService } from './service.ts';

const closed = { additionalProperties: false } as const;
const TEXT = Type.String({ minLength: 1, maxLength: 512 });
const ENVELOPE = Type.Object(
  {
    envelope: Type.Object(
      {},
      {
        description: 'A DSSE envelope, as `bulla exception request` writes it (docs/exceptions.md)',
      },
    ),
  },
  closed,
);
const REASON = Type.Object({ reason: Type.String({ minLength: 1, maxLength: 4096 }) }, closed);
const FOUND = Type.Object({ found: Type.String({ minLength: 1, maxLength: 4096 }) }, closed);
const STATES = ['requested', 'in-force', 'expired', 'revoked'] as const;
const KINDS = ['exception', 'break-glass'] as const;
const LIST = Type.Object(
  {
    state: Type.Optional(Type.Union(STATES.map((name) => Type.Literal(name)))),
    kind: Type.Optional(Type.Union(KINDS.map((name) => Type.Literal(name)))),
    repository: Type.Optional(TEXT),
    review: Type.Optional(Type.Literal('open')),
    before: Type.Optional(TEXT),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
  },
  closed,
);

/** How often each exception was used, by its id, as the record has it. */
export type CountUses = (ids: readonly string[]) => Promise<ReadonlyMap<string, number>>;

/** The routes of exceptions in the product API. */
export function exceptionRoutes(
  exceptions: ExceptionService,
  usesOf: CountUses,
  clock: () => Date,
): readonly ApiRoute[] {
  const shown = async (stored: StoredException): Promise<object> => {
    const uses = await usesOf([stored.id]);
    return answerOf(stored, uses.get(stored.id) ?? 0, clock());
  };
  return [...readRoutes(exceptions, usesOf, clock, shown), ...changeRoutes(exceptions, shown)];
}

type Show = (stored: StoredException) => Promise<object>;

function readRoutes(
  exceptions: ExceptionService,
  usesOf: CountUses,
  clock: () => Date,
  shown: Show,
): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/exceptions',
      needs: 'exceptions.read',
      summary: 'Exceptions and break-glass, the newest request first',
      query: LIST,
      answer: Type.Object({
        exceptions: Type.Array(EXCEPTION),
        next: Type.Union([Type.String(), Type.Null()]),
        counts: Type.Object({
          inForce: Type.Integer(),
          breakGlassInForce: Type.Integer(),
          openReviews: Type.Integer(),
        }),
      }),
      async handle({ query }) {
        const found = await exceptions.list(filterOf(Value.Parse(LIST, query)));
        const uses = await usesOf(found.exceptions.map(({ id }) => id));
        return {
          exceptions: found.exceptions.map((one) => answerOf(one, uses.get(one.id) ?? 0, clock())),
          next: found.next,
          counts: await exceptions.counts(),
        };
      },
    },
    {
      method: 'GET',
      path: '/exceptions/:id',
      needs: 'exceptions.read',
      summary: 'One exception, with the envelope that its parties signed',
      answer: EXCEPTION,
      handle: async ({ params }) => shown(await exceptions.get(params['id'] ?? '')),
    },
  ];
}

function changeRoutes(exceptions: ExceptionService, shown: Show): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/exceptions',
      needs: 'exceptions.request',
      summary: 'Hand in a signed request, its approval, or, with exceptions.manage, both in one',
      body: ENVELOPE,
      answer: EXCEPTION,
      async handle({ body, principal }) {
        const document = documentOf(body);
        await requireSecondPerson(document, principal, exceptions);
        return shown(await exceptions.handIn(document, clerkOf(principal)));
      },
    },
    {
      method: 'POST',
      path: '/exceptions/:id/approval',
      needs: 'exceptions.request',
      summary: 'Hand in the approval of a request; not by who handed in the request',
      body: ENVELOPE,
      answer: EXCEPTION,
      async handle({ body, params, principal }) {
        const document = documentOf(body);
        if (document.id !== params['id']) {
          const says = `expected the approval of ${params['id']}, found that of ${document.id}`;
          throw new TrustFault('exception.state', says);
        }
        return shown(await exceptions.approve(document, clerkOf(principal)));
      },
    },
    {
      method: 'POST',
      path: '/exceptions/:id/revocation',
      needs: 'exceptions.request',
      summary: 'Revoke at once; what one handed in oneself, or any with exceptions.manage',
      body: REASON,
      answer: EXCEPTION,
      async handle({ body, params, principal }) {
        const id = params['id'] ?? '';
        const by = clerkOf(principal);
        const { requested } = await exceptions.get(id);
        if (!principal.permissions.has('exceptions.manage') && !isSame(requested.by, by)) {
          throw new TrustFault('access.denied', `expected the permission exceptions.manage`);
        }
        return shown(await exceptions.revoke(id, by, Value.Parse(REASON, body).reason));
      },
    },
    {
      method: 'POST',
      path: '/exceptions/:id/review',
      needs: 'exceptions.manage',
      summary: 'Close the review of a use of break-glass; not by who used it',
      body: FOUND,
      answer: EXCEPTION,
      async handle({ body, params, principal }) {
        const { found } = Value.Parse(FOUND, body);
        const id = params['id'] ?? '';
        return shown(await exceptions.closeReview(id, clerkOf(principal), found));
      },
    },
    {
      method: 'POST',
      path: '/break-glass',
      needs: 'exceptions.request',
      summary: 'Hand in a document signed by a break-glass key: it holds at once, and is reviewed',
      body: ENVELOPE,
      answer: EXCEPTION,
      handle: async ({ body, principal }) =>
        shown(await exceptions.breakGlass(documentOf(body), clerkOf(principal))),
    },
  ];
}

/**
 * An approval is handed in by somebody else than its request (semantics 17). What comes whole has only
 * one of this server's people behind it, who must then be one that manages exceptions.
 */
async function requireSecondPerson(
  { id, approval }: ExceptionDocument,
  { permissions }: Principal,
  exceptions: ExceptionService,
): Promise<void> {
  if (approval === null || permissions.has('exceptions.manage')) return;
  try {
    await exceptions.get(id);
  } catch (error) {
    if (!hasCode(error, 'exception.unknown')) throw error;
    const says =
      'expected the permission exceptions.manage for an approved exception whose request is not here';
    const remedy = 'Hand in the request, and have somebody else hand in the approval.';
    throw new TrustFault('access.denied', says, remedy);
  }
}

function documentOf(body: unknown) {
  const { envelope } = Value.Parse(ENVELOPE, body);
  return parseException(utf8(JSON.stringify(envelope)), 'the envelope');
}

/** Who calls, as who handed something in. Tokens stand for the user behind them. */
function clerkOf({ kind, id, name, user }: Principal): Clerk {
  if (kind === 'anonymous') {
    throw new TrustFault('access.unauthenticated', 'expected somebody who has signed in');
  }
  return { kind, id, name, user: user ?? null };
}

function filterOf({ review, limit, ...rest }: Static<typeof LIST>): ExceptionFilter {
  return {
    ...rest,
    ...(review === undefined ? {} : { openReview: true }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  };
}
