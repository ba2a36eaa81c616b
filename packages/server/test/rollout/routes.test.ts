import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { apiDoor } from '../../src/http/api/door.ts';
import { createLog } from '../../src/http/log.ts';
import type { Permission } from '../../src/http/principal.ts';
import { listen } from '../../src/http/server.ts';
import { rolloutRoutes } from '../../src/rollout/routes.ts';
import { DAY_MS, type House, openHouse } from './house.ts';

const READS: readonly Permission[] = ['policies.read', 'decisions.read', 'policies.simulate'];

async function serve(house: House, permissions: readonly Permission[]) {
  const { rollouts } = await house.replica();
  const routes = rolloutRoutes(rollouts);
  const door = apiDoor(routes, {
    authenticate: async () => ({
      kind: 'user',
      id: 'u1',
      name: 'ann',
      permissions: new Set(permissions),
      repositories: [],
    }),
    log: createLog('silent'),
    info: { title: 'Bulla', version: '0' },
  });
  const server = await listen([door]);
  const origin = `http://127.0.0.1:${server.port}`;
  return {
    async call(method: string, path: string, body?: object) {
      const answer = await fetch(`${origin}/api/bulla/v1${path}`, {
        method,
        headers: { 'content-type': 'application/json', origin },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, json: text === '' ? null : JSON.parse(text) };
    },
    schemaOf: (method: string, path: string): TSchema | undefined =>
      routes.find((route) => route.method === method && route.path === path)?.answer,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const START = { policy: 'prod', owner: 'platform', windowMs: DAY_MS };

test('a rollout through the API, in the shapes that it says', async () => {
  await using house = await openHouse();
  await using api = await serve(house, [...READS, 'policies.manage']);
  const fits = (method: string, path: string, value: unknown) => {
    const schema = api.schemaOf(method, path);
    assert.ok(schema !== undefined && Check(schema, value), JSON.stringify(value));
  };
  const started = await api.call('POST', '/rollouts', START);
  assert.equal(started.status, 200);
  fits('POST', '/rollouts', started.json);
  await house.decided('warn');
  const shown = await api.call('GET', '/rollouts/prod');
  fits('GET', '/rollouts/:policy', shown.json);
  assert.equal(shown.json.wouldDeny[0].code, 'signature.none');
  house.pass(3 * DAY_MS);
  const cutOver = await api.call('POST', '/rollouts/prod/cut-over', {});
  fits('POST', '/rollouts/:policy/cut-over', cutOver.json);
  assert.equal(cutOver.json.cutOver.by, 'ann');
  const listed = await api.call('GET', '/rollouts');
  fits('GET', '/rollouts', listed.json);
  assert.equal(listed.json.rollouts[0].state, 'enforced');
  const back = await api.call('POST', '/rollouts/prod/back', { reason: 'too early' });
  assert.deepEqual([back.status, back.json], [204, null]);
});

const CHANGES = [
  ['/rollouts', START],
  ['/rollouts/prod/cut-over', {}],
  ['/rollouts/prod/back', { reason: 'quietly' }],
] as const;

for (const [path, body] of CHANGES) {
  test(`who may read and simulate may not change a rollout: ${path}`, async () => {
    await using house = await openHouse();
    await using api = await serve(house, READS);
    const { status, json } = await api.call('POST', path, body);
    assert.deepEqual([status, json.code], [403, 'access.denied']);
    assert.deepEqual(await house.acts(), []);
  });
}

const MALFORMED = [
  ['/rollouts', { ...START, windowMs: 1 }],
  ['/rollouts', { ...START, owner: '' }],
  ['/rollouts', { ...START, mode: 'audit' }],
  ['/rollouts/prod/back', {}],
  ['/rollouts/prod/back', { reason: '' }],
  ['/rollouts/prod/cut-over', { quietMs: 0 }],
] as const;

for (const [path, body] of MALFORMED) {
  test(`malformed: ${path} ${JSON.stringify(body)}`, async () => {
    await using house = await openHouse();
    await using api = await serve(house, [...READS, 'policies.manage']);
    const { status, json } = await api.call('POST', path, body);
    assert.deepEqual([status, json.code], [400, 'http.request-invalid']);
  });
}
