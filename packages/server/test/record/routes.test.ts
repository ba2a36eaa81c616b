import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { apiDoor } from '../../src/http/api/door.ts';
import { createLog } from '../../src/http/log.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import type { Permission } from '../../src/http/principal.ts';
import { listen } from '../../src/http/server.ts';
import { linesOfChunks } from '../../src/record/lines.ts';
import { recordMetrics } from '../../src/record/metrics.ts';
import { recordRoutes } from '../../src/record/routes.ts';
import { verifyExport } from '../../src/record/verify-export.ts';
import { again, BEGIN, made, openRoom, type RoomUnderTest, refused } from './room.ts';

const ALL: readonly Permission[] = ['decisions.read', 'record.read', 'record.export'];

// biome-ignore lint/suspicious/noExplicitAny: answers are checked against their schemas
type Answer = any;

interface Api extends AsyncDisposable {
  get(path: string): Promise<Response>;
  json(path: string): Promise<Answer>;
}

async function serve(room: RoomUnderTest, permissions = ALL): Promise<Api> {
  const door = apiDoor(
    recordRoutes(room.record, () => undefined),
    {
      authenticate: async () => ({
        kind: 'user',
        id: 'u1',
        name: 'alice',
        permissions: new Set(permissions),
        repositories: [],
      }),
      log: createLog('silent'),
      info: { title: 'Bulla', version: '0' },
    },
  );
  const server = await listen([door]);
  const get = (path: string) => fetch(`http://127.0.0.1:${server.port}/api/bulla/v1${path}`);
  return {
    get,
    json: async (path) => (await get(path)).json(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function fits(schema: TSchema | undefined, value: unknown): void {
  assert.ok(schema !== undefined && Check(schema, value));
}

async function fill(room: RoomUnderTest): Promise<string> {
  const first = made();
  await room.record.keep(first);
  await room.record.keep(refused({ tag: 'v2' }));
  await room.record.keep(again(first));
  await room.record.flush();
  return first.decision.id;
}

test('decisions are listed, filtered and shown, as their schemas say', async () => {
  await using room = await openRoom();
  const id = await fill(room);
  await using api = await serve(room);
  const schemas = new Map(
    recordRoutes(room.record, () => undefined).map(({ path, answer }) => [path, answer]),
  );
  const all = await api.json('/decisions');
  fits(schemas.get('/decisions'), all);
  assert.deepEqual(
    all.decisions.map(({ tag, outcome, count }: Record<string, unknown>) => [tag, outcome, count]),
    [
      ['v2', 'deny', 1],
      ['v1', 'admit', 2],
    ],
  );
  const denied = await api.json('/decisions?outcome=deny&limit=1');
  assert.equal(denied.decisions.length, 1);
  const page = await api.json('/decisions?limit=1');
  const next = await api.json(`/decisions?limit=1&before=${page.next}`);
  assert.deepEqual([next.decisions[0].tag, next.next], ['v1', null]);
  const shown = await api.json(`/decisions/${id}`);
  fits(schemas.get('/decisions/:id'), shown);
  assert.equal(shown.finding.because[0].check, 'policy.prod');
  const text = await api.get(`/decisions/${id}/explanation`);
  assert.match(text.headers.get('content-type') ?? '', /^text\/plain/);
  assert.match(await text.text(), /^ADMIT {2}registry\.example/);
});

test('the head, the verification and the export prove one another', async () => {
  await using room = await openRoom();
  await fill(room);
  await using api = await serve(room);
  const head = await api.json('/record/head');
  assert.equal(head.seq, 3);
  const verified = await api.json(`/record/verify?head=${encodeURIComponent(head.note)}`);
  assert.deepEqual([verified.outcome, verified.entries, verified.end.hash], ['pass', 3, head.hash]);
  const range = await api.json('/record/verify?from=2&to=2');
  assert.equal(range.entries, 1);
  const response = await api.get('/record/export');
  assert.equal(response.headers.get('content-type'), 'application/jsonl');
  const { keys, origin } = room.record.keys;
  const ask = { keys, origin, head: head.note, at: new Date(BEGIN), headAgeMs: 1000 };
  const { finding } = await verifyExport(linesOfChunks(response.body ?? []), ask);
  assert.equal(finding.outcome, 'pass');
  const csv = await api.get('/record/export?format=csv&tag=v2');
  assert.match(csv.headers.get('content-disposition') ?? '', /record\.csv/);
  assert.equal((await csv.text()).split('\r\n').length, 3);
});

const REFUSED: readonly {
  readonly path: string;
  readonly status: number;
  readonly code: string;
}[] = [
  { path: '/decisions/none', status: 404, code: 'record.decision-unknown' },
  { path: '/decisions/none/explanation', status: 404, code: 'record.decision-unknown' },
  { path: '/decisions?limit=0', status: 400, code: 'record.filter-invalid' },
  { path: '/decisions?outcome=maybe', status: 400, code: 'http.request-invalid' },
  { path: '/decisions?unknown=1', status: 400, code: 'http.request-invalid' },
  { path: '/decisions?from=yesterday', status: 400, code: 'record.filter-invalid' },
  { path: '/decisions?digest=sha256:1', status: 400, code: 'record.filter-invalid' },
  { path: '/decisions?before=-1', status: 400, code: 'http.request-invalid' },
  { path: '/record/verify?from=x', status: 400, code: 'http.request-invalid' },
  { path: '/record/export?format=xml', status: 400, code: 'http.request-invalid' },
  { path: '/record/export?digest=sha256:1', status: 400, code: 'record.filter-invalid' },
  { path: '/record/export?format=csv&digest=x', status: 400, code: 'record.filter-invalid' },
];

test('what the record cannot answer is refused before an answer begins', async (t) => {
  await using room = await openRoom();
  await using api = await serve(room);
  for (const { path, status, code } of REFUSED) {
    await t.test(path, async () => {
      const response = await api.get(path);
      assert.equal(response.status, status);
      const body: Answer = await response.json();
      assert.equal(body.code, code);
    });
  }
});

test('the evidence of a decision is given as it was kept, to whoever may simulate', async () => {
  await using room = await openRoom();
  const dossier = Buffer.from('{"schema":"x"}');
  const kept = made({}, { dossier });
  const plain = made({ tag: 'v3' });
  await room.record.keep(kept);
  await room.record.keep(plain);
  await using api = await serve(room, ['policies.simulate']);
  const path = (id: string) => `/decisions/${id}/dossier`;
  const answer = await api.get(path(kept.decision.id));
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), dossier);
  for (const [id, code] of [
    [plain.decision.id, 'record.evidence-missing'],
    ['none', 'record.decision-unknown'],
  ] as const) {
    const refusal = await api.get(path(id));
    const body: Answer = await refusal.json();
    assert.deepEqual([refusal.status, body.code], [404, code]);
  }
  await using reader = await serve(room);
  assert.equal((await reader.get(path(kept.decision.id))).status, 403);
});

test('each route needs its permission', async () => {
  await using room = await openRoom();
  await using nobody = await serve(room, []);
  await using reader = await serve(room, ['decisions.read', 'record.read']);
  for (const path of [
    '/decisions',
    '/decisions/x',
    '/record/head',
    '/record/verify',
    '/record/export',
  ]) {
    assert.equal((await nobody.get(path)).status, 403, path);
  }
  assert.equal((await reader.get('/record/export')).status, 403);
  assert.equal((await reader.get('/decisions')).status, 200);
});

test('decisions, waits and failures are counted for Prometheus', async () => {
  const metrics = createMetrics();
  await using room = await openRoom();
  const record = room.another({ metrics: recordMetrics(metrics) });
  const first = made();
  await record.keep(first);
  await record.keep(again(first));
  await record.keep(refused());
  await record.close();
  await assert.rejects(record.keep(made()), { code: 'record.unavailable' });
  const { text } = await metrics.render();
  for (const line of [
    'bulla_decisions_total{outcome="admit",effect="pass",surface="pull",cache="miss"} 1',
    'bulla_decisions_total{outcome="admit",effect="pass",surface="pull",cache="hit"} 1',
    'bulla_decisions_total{outcome="deny",effect="deny",surface="pull",cache="miss"} 1',
    'bulla_record_keep_duration_seconds_count 2',
    'bulla_record_unavailable_total 1',
  ]) {
    assert.ok(text.includes(line), line);
  }
});
