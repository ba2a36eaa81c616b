import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiDoor } from '@bulla/server/http/api/door';
import { createLog } from '@bulla/server/http/log';
import type { Permission } from '@bulla/server/http/principal';
import { listen } from '@bulla/server/http/server';
import { nodeRoutes } from '@bulla/server/node/routes';
import { createNodeService } from '@bulla/server/node/service';
import { DIGEST, reached } from '../gatekeeper/kit.ts';

async function start(...permissions: readonly Permission[]) {
  const said: string[] = [];
  const nodes = createNodeService({
    ask: async (question) => reached(question, {}),
    generation: async () => 'g1',
    note: async ({ says }) => said.push(says),
  });
  const door = apiDoor(nodeRoutes(nodes), {
    authenticate: async () => ({
      kind: 'token',
      ...{ id: 'T1', name: 'node', permissions: new Set(permissions), repositories: [] },
    }),
    log: createLog('silent'),
    info: { title: 'Bulla', version: '' },
  });
  const server = await listen([door]);
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/bulla/v1/node/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    const json: Readonly<Record<string, unknown>> = text === '' ? {} : JSON.parse(text);
    return { status: answer.status, json };
  };
  return { post, said, [Symbol.asyncDispose]: () => server.close() };
}

const QUESTION = { name: 'registry.example/app:v1', digest: DIGEST };
const AT = '2026-11-21T12:00:00Z';
const STAND_IN = { ...QUESTION, decision: '01M7Z8', count: 1, first: AT, last: AT };

test('a token that may ask is answered, and its stand-ins are recorded', async () => {
  await using server = await start('node.ask');
  const { status, json } = await server.post('decisions', QUESTION);
  assert.equal(status, 200);
  assert.equal(json['outcome'], 'admit');
  const report = { standIns: [STAND_IN], dropped: 0 };
  assert.equal((await server.post('stand-ins', report)).status, 204);
  assert.equal(server.said.length, 1);
});

test('every other permission together is not enough', async () => {
  await using server = await start('decisions.read', 'tokens.manage', 'policies.simulate');
  assert.equal((await server.post('decisions', QUESTION)).status, 403);
  assert.equal((await server.post('stand-ins', { standIns: [], dropped: 0 })).status, 403);
});

const MALFORMED: readonly { readonly path: string; readonly body: unknown }[] = [
  { path: 'decisions', body: {} },
  { path: 'decisions', body: { ...QUESTION, name: '' } },
  { path: 'decisions', body: { ...QUESTION, name: 'a'.repeat(4097) } },
  { path: 'decisions', body: { ...QUESTION, digest: 'sha256:abc' } },
  { path: 'decisions', body: { ...QUESTION, digest: null } },
  { path: 'decisions', body: { ...QUESTION, surface: 'pull' } },
  { path: 'stand-ins', body: { standIns: [STAND_IN] } },
  { path: 'stand-ins', body: { standIns: Array(101).fill(STAND_IN), dropped: 0 } },
  { path: 'stand-ins', body: { standIns: [{ ...STAND_IN, count: -1 }], dropped: 0 } },
  {
    path: 'stand-ins',
    body: { standIns: [{ ...STAND_IN, first: 'yesterday at noon UTC' }], dropped: 0 },
  },
  { path: 'stand-ins', body: { standIns: [], dropped: 1.5 } },
];

for (const [at, { path, body }] of MALFORMED.entries()) {
  test(`what is no question or report is refused: ${path} ${at}`, async () => {
    await using server = await start('node.ask');
    const { status, json } = await server.post(path, body);
    assert.equal(status, 400);
    assert.equal(json['code'], 'http.request-invalid');
    assert.deepEqual(server.said, []);
  });
}
