import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { ApiCall, ApiRoute } from '../http/api/route.ts';
import { callerOf } from '../http/principal.ts';
import type { Letters } from './dead-letters.ts';
import type { StreamService } from './service.ts';

const COUNT = Type.Integer({ minimum: 0 });
const NULLABLE = Type.Union([Type.String(), Type.Null()]);
const NUMBER = Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$' });

const STATUS = Type.Object({
  name: Type.String(),
  format: Type.String(),
  receiver: Type.String({ description: 'Scheme, host and port' }),
  signed: Type.Boolean(),
  seq: COUNT,
  lag: Type.Integer({ minimum: 0, description: 'Entries of the record that stand behind it' }),
  deadLetters: COUNT,
  failingSince: NULLABLE,
  reason: NULLABLE,
});

const LETTER = Type.Object({
  id: Type.String(),
  seq: COUNT,
  kind: Type.String(),
  failedAt: Type.String(),
  reason: Type.String(),
  attempts: COUNT,
  retrying: Type.Boolean(),
});

const LETTERS = Type.Object(
  {
    ids: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
        minItems: 1,
        maxItems: 200,
        description: 'Absent: all of the stream',
      }),
    ),
  },
  { additionalProperties: false },
);

const PAGE_MOST = 200;
const PATH = '/streams/:name/dead-letters';

/** The streams' routes of the product API. */
export function streamRoutes(streams: StreamService): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/streams',
      needs: 'record.read',
      summary: 'The streams of the record: how far each was sent, and what fails',
      answer: Type.Object({ streams: Type.Array(STATUS) }),
      async handle() {
        return { streams: await streams.list() };
      },
    },
    {
      method: 'GET',
      path: PATH,
      needs: 'record.read',
      summary: 'What the receiver of a stream did not take, in the order of the record',
      query: Type.Object(
        { after: Type.Optional(NUMBER), limit: Type.Optional(NUMBER) },
        { additionalProperties: false },
      ),
      answer: Type.Object({
        deadLetters: Type.Array(LETTER),
        next: Type.Union([COUNT, Type.Null()]),
      }),
      async handle({ params, query }) {
        const limit = Math.min(PAGE_MOST, Math.max(1, Number(query['limit'] ?? PAGE_MOST)));
        const after = Number(query['after'] ?? 0);
        const deadLetters = await streams.deadLetters(nameOf(params), { after, limit });
        const next = deadLetters.length < limit ? null : (deadLetters.at(-1)?.seq ?? null);
        return { deadLetters, next };
      },
    },
    {
      method: 'POST',
      path: `${PATH}/retry`,
      needs: 'streams.manage',
      summary: 'Send some dead letters once more, or all; each under the id that it had',
      body: LETTERS,
      answer: Type.Object({ retrying: COUNT }),
      async handle(call) {
        const { name, letters, by } = asked(call);
        return { retrying: await streams.retry(name, letters, by) };
      },
    },
    {
      method: 'POST',
      path: `${PATH}/drop`,
      needs: 'streams.manage',
      summary: 'Remove some dead letters, or all, for good; the record says who did',
      body: LETTERS,
      answer: Type.Object({ dropped: COUNT }),
      async handle(call) {
        const { name, letters, by } = asked(call);
        return { dropped: await streams.drop(name, letters, by) };
      },
    },
  ];
}

function asked({ params, body, principal }: ApiCall) {
  const { ids } = Value.Parse(LETTERS, body);
  const letters: Letters = ids ?? 'all';
  return { name: nameOf(params), letters, by: callerOf(principal) };
}

function nameOf(params: ApiCall['params']): string {
  return params['name'] ?? '';
}
