import { asArray, asCount, type Cursor, cursor, member } from '@bulla/trust/bytes/shape';
import { Type } from 'typebox';
import type { ApiCall, ApiRoute } from '../http/api/route.ts';
import { asNodeQuestion, asStandIn, STAND_INS_MOST } from './question.ts';
import type { NodeCaller, NodeService } from './service.ts';

const NAME = Type.String({ minLength: 1, maxLength: 4096 });
const DIGEST = Type.String({ pattern: '^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$' });
const DECISION = Type.String({ pattern: '^[0-9A-Za-z]{1,26}$' });
const INSTANT = Type.String({ minLength: 20, maxLength: 40, description: 'RFC 3339' });
const COUNT = Type.Integer({ minimum: 0, maximum: 1_000_000_000 });

const QUESTION = Type.Object({ name: NAME, digest: DIGEST }, { additionalProperties: false });

const ANSWER = Type.Object({
  outcome: Type.Union([Type.Literal('admit'), Type.Literal('deny')]),
  digest: Type.String(),
  decision: Type.String(),
  code: Type.String(),
  message: Type.String(),
  warnings: Type.Array(Type.String()),
  generation: Type.String({ description: 'With another one all answers that were kept are over' }),
  freshForMs: Type.Integer({ description: 'So long the answer may be given again unasked' }),
  mayStandIn: Type.Boolean({ description: 'Whether it may stand in while no answer comes' }),
  validUntil: Type.Union([Type.String(), Type.Null()]),
});

const REPORT = Type.Object(
  {
    standIns: Type.Array(
      Type.Object(
        {
          name: NAME,
          digest: DIGEST,
          decision: DECISION,
          count: COUNT,
          first: INSTANT,
          last: INSTANT,
        },
        { additionalProperties: false },
      ),
      { maxItems: STAND_INS_MOST },
    ),
    dropped: COUNT,
  },
  { additionalProperties: false },
);

/** The routes for nodes; what their daemons ask, with a token that may do nothing else. */
export function nodeRoutes(nodes: NodeService): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/node/decisions',
      needs: 'node.ask',
      summary: 'Whether a node may use an image: the digest that its runtime resolved',
      body: QUESTION,
      answer: ANSWER,
      async handle(call) {
        return nodes.decide(asNodeQuestion(bodyOf(call)), callerOf(call));
      },
    },
    {
      method: 'POST',
      path: '/node/stand-ins',
      needs: 'node.ask',
      summary: 'Earlier passes that a node used while it had no answer, for the record',
      body: REPORT,
      async handle(call) {
        const at = bodyOf(call);
        const report = {
          standIns: asArray(member(at, 'standIns'), asStandIn, STAND_INS_MOST),
          dropped: asCount(member(at, 'dropped')),
        };
        await nodes.report(report, callerOf(call));
        return null;
      },
    },
  ];
}

function bodyOf({ body }: ApiCall): Cursor {
  return cursor(body, '', 'http.request-invalid');
}

function callerOf({ principal, request }: ApiCall): NodeCaller {
  const { id, remoteAddress } = request;
  const userAgent = request.header('user-agent') ?? '';
  return {
    id: principal.id,
    name: principal.name,
    request: { id, remoteAddress, userAgent },
  };
}
