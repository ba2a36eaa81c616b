import { Readable } from 'node:stream';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { findingJson } from '@bulla/trust/finding/render-json';
import { type TSchema, Type } from 'typebox';
import type { ApiCall, ApiRoute } from '../http/api/route.ts';
import type { HttpReply } from '../http/exchange.ts';
import type { DecisionBody } from './body.ts';
import { parseFilter, parsePage, parseRange } from './query.ts';
import type { RecordedDecision, RecordService } from './service.ts';

const TEXT = Type.String({ minLength: 1, maxLength: 512 });
const INSTANT = Type.String({ minLength: 1, maxLength: 40, description: 'RFC 3339' });
const NUMBER = Type.String({ pattern: '^(0|[1-9][0-9]{0,15})$' });
const NULLABLE = Type.Union([Type.String(), Type.Null()]);
const COUNT = Type.Integer({ minimum: 0 });

const FILTER = {
  outcome: Type.Optional(Type.Union([Type.Literal('admit'), Type.Literal('deny')])),
  effect: Type.Optional(
    Type.Union(['pass', 'warn', 'audit', 'deny'].map((effect) => Type.Literal(effect))),
  ),
  surface: Type.Optional(TEXT),
  repository: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 512,
      description: 'A repository, a path above some, or a glob (`*` stays within `/`)',
    }),
  ),
  tag: Type.Optional(TEXT),
  digest: Type.Optional(TEXT),
  policy: Type.Optional(TEXT),
  actor: Type.Optional(TEXT),
  code: Type.Optional(TEXT),
  exception: Type.Optional(TEXT),
  id: Type.Optional(Type.String({ pattern: '^[0-9A-Za-z]{1,26}$' })),
  from: Type.Optional(INSTANT),
  to: Type.Optional(INSTANT),
};

const FINDING = Type.Unknown({ description: 'A finding: docs/schemas/verdict.schema.json' });

const EXCEPTION = Type.Object({
  id: Type.String(),
  name: Type.String(),
  kind: Type.String(),
  requester: Type.String(),
  approver: NULLABLE,
  reason: Type.String(),
  expires: Type.String(),
  policy: Type.String(),
  clauses: Type.Array(Type.String()),
});

const SUMMARY = {
  seq: COUNT,
  id: Type.String(),
  at: Type.String(),
  outcome: Type.String(),
  effect: Type.String(),
  code: NULLABLE,
  reference: Type.String(),
  repository: Type.String(),
  tag: NULLABLE,
  digest: NULLABLE,
  surface: Type.String(),
  namespace: NULLABLE,
  environment: NULLABLE,
  actor: Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() }),
  policies: Type.Array(
    Type.Object({
      name: Type.String(),
      hash: Type.String(),
      mode: Type.String(),
      effect: Type.String(),
    }),
  ),
  warnings: Type.Array(Type.String()),
  exceptions: Type.Array(EXCEPTION),
  cache: Type.String(),
  durationMs: Type.Number(),
  count: COUNT,
  lastUsedAt: Type.String(),
};

const OBJECT = Type.Object({
  cluster: NULLABLE,
  apiVersion: Type.String(),
  kind: Type.String(),
  namespace: NULLABLE,
  name: NULLABLE,
  operation: Type.String(),
});

const DETAIL = Type.Object({
  ...SUMMARY,
  hash: Type.String(),
  decidedAt: Type.String(),
  request: Type.Object({
    id: Type.String(),
    remoteAddress: Type.String(),
    userAgent: Type.String(),
    object: Type.Optional(OBJECT),
  }),
  covers: Type.Array(Type.String()),
  policySetHash: Type.String(),
  trustRootVersion: Type.String(),
  evidence: Type.Array(Type.String()),
  validUntil: NULLABLE,
  dossier: NULLABLE,
  cut: Type.Array(Type.String()),
  finding: FINDING,
});

const HEAD = Type.Object({
  seq: COUNT,
  hash: Type.String(),
  at: Type.String(),
  keyId: Type.String(),
  note: Type.String(),
  origin: Type.String({ description: 'The name of the record, by which its notes are verified' }),
  publicKey: Type.String({ description: 'The key that signed the note, in PEM' }),
});

const ACT = Type.Object({
  seq: COUNT,
  hash: Type.String(),
  id: Type.String(),
  at: Type.String(),
  actor: Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() }),
  act: Type.String(),
  subject: Type.String(),
  says: Type.String(),
  detail: Type.Object({}, { additionalProperties: true }),
});

/**
 * Settles whether a caller may have what a decision looked at, manifests of refused images among it
 * (semantics 15). Throws `access.denied`.
 */
export type GuardDossier = (call: Pick<ApiCall, 'principal'>, decision: DecisionBody) => void;

/** The record's routes of the product API. */
export function recordRoutes(record: RecordService, guard: GuardDossier): readonly ApiRoute[] {
  return [...decisionRoutes(record, guard), ...proofRoutes(record)];
}

function decisionRoutes(record: RecordService, guard: GuardDossier): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/decisions',
      needs: 'decisions.read',
      summary: 'Decisions, newest first; a page may be short and still have a next one',
      query: closed({ ...FILTER, before: Type.Optional(NUMBER), limit: Type.Optional(NUMBER) }),
      answer: Type.Object({
        decisions: Type.Array(Type.Object(SUMMARY)),
        next: Type.Union([COUNT, Type.Null()]),
      }),
      async handle({ query }) {
        const page = await record.search(parseFilter(query), parsePage(query));
        return { decisions: page.decisions.map(summaryOf), next: page.next };
      },
    },
    {
      method: 'GET',
      path: '/decisions/:id',
      needs: 'decisions.read',
      summary: 'One decision with its tree of findings',
      answer: DETAIL,
      async handle({ params }) {
        const recorded = await record.get(params['id'] ?? '');
        const { kind: _, ...decision } = recorded.decision;
        return { ...decision, ...summaryOf(recorded), hash: recorded.hash };
      },
    },
    {
      method: 'GET',
      path: '/decisions/:id/explanation',
      needs: 'decisions.read',
      summary: 'One decision as text: who asked, the answer, and the tree with its remedies',
      async handle({ params }) {
        return { reply: textReply(await record.explain(params['id'] ?? '')) };
      },
    },
    {
      method: 'GET',
      path: '/decisions/:id/dossier',
      needs: 'policies.simulate',
      summary:
        'What the decision looked at, to decide again by other policies, for who may pull the repository; 404 when none is kept',
      async handle(call) {
        const id = call.params['id'] ?? '';
        const { decision } = await record.get(id);
        guard(call, decision);
        return { reply: await dossierReply(record, id) };
      },
    },
  ];
}

function proofRoutes(record: RecordService): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/record/acts',
      needs: 'decisions.read',
      summary: 'What people did that changes decisions (exceptions, cut-overs), newest first',
      query: closed({
        act: Type.Optional(TEXT),
        subject: Type.Optional(TEXT),
        before: Type.Optional(NUMBER),
        limit: Type.Optional(NUMBER),
      }),
      answer: Type.Object({
        acts: Type.Array(ACT),
        next: Type.Union([COUNT, Type.Null()]),
      }),
      async handle({ query }) {
        const { act, subject } = query;
        const found = await record.acts({
          ...parsePage(query),
          ...(act === undefined ? {} : { act }),
          ...(subject === undefined ? {} : { subject }),
        });
        const acts = found.acts.map(({ seq, hash, act: { kind: _, ...body } }) => {
          return { seq, hash, ...body };
        });
        return { acts, next: found.next };
      },
    },
    {
      method: 'GET',
      path: '/record/head',
      needs: 'record.read',
      summary: 'The signed head of the record as it ends now: keep the note to prove it later',
      answer: HEAD,
      async handle() {
        const { seq, hash, at, keyId, note } = await record.head();
        const { origin, keys } = record.keys;
        const key = keys.find(({ id }) => id === keyId) ?? keys[0];
        const publicKey = key === undefined ? '' : publicKeyPem(key);
        return { seq, hash, at: at.toISOString(), keyId, note, origin, publicKey };
      },
    },
    {
      method: 'GET',
      path: '/record/verify',
      needs: 'record.read',
      summary: 'Checks every hash, number and signed head, of all entries or of a range',
      query: closed({
        from: Type.Optional(NUMBER),
        to: Type.Optional(NUMBER),
        head: Type.Optional(Type.String({ maxLength: 4096, description: 'A head that was kept' })),
      }),
      answer: Type.Object({
        outcome: Type.String(),
        entries: COUNT,
        end: Type.Union([Type.Object({ seq: COUNT, hash: Type.String() }), Type.Null()]),
        finding: FINDING,
      }),
      async handle({ query }) {
        const { finding, entries, end } = await record.verify(parseRange(query));
        return { outcome: finding.outcome, entries, end, finding: findingJson(finding) };
      },
    },
    {
      method: 'GET',
      path: '/record/export',
      needs: 'record.export',
      summary: 'The record as JSON Lines that `bulla record verify` checks, or decisions as CSV',
      query: closed({
        ...FILTER,
        format: Type.Optional(Type.Union([Type.Literal('jsonl'), Type.Literal('csv')])),
      }),
      async handle({ query }) {
        const filter = parseFilter(query);
        return { reply: await exportReply(record, query['format'] ?? 'jsonl', filter) };
      },
    },
  ];
}

function closed(members: Readonly<Record<string, TSchema>>): TSchema {
  return Type.Object({ ...members }, { additionalProperties: false });
}

function summaryOf({ seq, decision, uses }: RecordedDecision) {
  const { id, at, outcome, effect, code, reference, repository, tag, digest } = decision;
  const { surface, namespace, environment, actor, policies, warnings } = decision;
  const { exceptions, cache, durationMs } = decision;
  return {
    ...{ seq, id, at, outcome, effect, code, reference, repository, tag, digest },
    ...{ surface, namespace, environment, actor, policies, warnings, exceptions },
    ...{ cache, durationMs },
    count: uses.count,
    lastUsedAt: uses.last ?? at,
  };
}

async function dossierReply(record: RecordService, id: string): Promise<HttpReply> {
  const body = await record.evidenceOf(id);
  if (body === null) {
    throw new TrustFault(
      'record.evidence-missing',
      `no evidence was kept with decision ${quote(id)}: it was given from the cache, or was too large`,
      'Ask for the decision that this one refers to.',
    );
  }
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

function textReply(text: string): HttpReply {
  return {
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: text,
  };
}

const FORMATS = {
  jsonl: { type: 'application/jsonl', name: 'record.jsonl' },
  csv: { type: 'text/csv; charset=utf-8', name: 'record.csv' },
} as const;

async function exportReply(
  record: RecordService,
  format: string,
  filter: Parameters<RecordService['exportCsv']>[0],
): Promise<HttpReply> {
  const isCsv = format === 'csv';
  const lines = isCsv ? record.exportCsv(filter) : record.exportJsonLines(filter);
  const { type, name } = FORMATS[isCsv ? 'csv' : 'jsonl'];
  const iterator = lines[Symbol.asyncIterator]();
  // What is wrong with the filter is told before the answer begins.
  const first = await iterator.next();
  if (first.done === true) throw new TrustFault('record.filter-invalid', 'nothing to export');
  return {
    status: 200,
    headers: { 'content-type': type, 'content-disposition': `attachment; filename="${name}"` },
    body: Readable.from(continued(first.value, iterator), { objectMode: false }),
  };
}

async function* continued(
  first: string,
  rest: AsyncIterator<string>,
): AsyncGenerator<string, void> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}
