import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import { parsePolicies } from '@bulla/trust/policy/parse';
import { policySet, readyPolicy } from '@bulla/trust/policy/ready';
import { Check } from 'typebox/value';
import { apiDoor } from '../../src/http/api/door.ts';
import { createLog } from '../../src/http/log.ts';
import type { Permission } from '../../src/http/principal.ts';
import { listen } from '../../src/http/server.ts';
import { impactRoutes } from '../../src/impact/routes.ts';
import { createImpact, IMPACT_LIMITS } from '../../src/impact/service.ts';
import { made, openRoom } from '../record/room.ts';

const POLICY = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: prod }
spec:
  images: [{ glob: "**" }]
  authorities:
    ci: { keyless: { issuer: { exact: "https://ci.example" }, subject: { exact: ci@acme.example }, trustRoot: public-good } }
  require: { signed: { of: [ci] } }
`;

const BOTH: readonly Permission[] = ['policies.simulate', 'decisions.read'];

async function serve(permissions: readonly Permission[]) {
  const opened = new AsyncDisposableStack();
  const room = opened.use(await openRoom());
  await room.record.keep(made());
  const { publicGoodTrustRoot } = await import('@bulla/trust/trust-root/public-good');
  const [policy] = parsePolicies(Buffer.from(POLICY), 'prod.yaml').policies;
  assert.ok(policy !== undefined);
  const trustRoots = new Map([['public-good', publicGoodTrustRoot()]]);
  const inForce = policySet([readyPolicy(policy, { keys: new Map(), trustRoots })]);
  const runner = opened.use(openExpressionRunner());
  let ids = 0;
  const impact = createImpact({
    tables: room.tables,
    record: room.record,
    policies: () => inForce,
    expressions: () => runner,
    refusesTag: () => null,
    limits: IMPACT_LIMITS,
    newId: (at) => newDecisionId(at, Buffer.alloc(10, ++ids)),
    clock: () => new Date(room.time.ms),
    now: () => performance.now(),
  });
  const routes = impactRoutes(impact);
  const door = apiDoor(routes, {
    authenticate: async () => ({
      ...{ kind: 'user', id: 'u1', name: 'ann', repositories: [] },
      permissions: new Set(permissions),
    }),
    log: createLog('silent'),
    info: { title: 'Bulla', version: '0' },
  });
  const server = await listen([door]);
  opened.defer(() => server.close());
  const origin = `http://127.0.0.1:${server.port}`;
  return {
    async call(method: 'GET' | 'POST', path: string, body?: object) {
      const answer = await fetch(`${origin}/api/bulla/v1${path}`, {
        method,
        headers: { 'content-type': 'application/json', origin },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const json = JSON.parse(await answer.text());
      const route = routes.find(
        (one) => one.method === method && one.path === path.replace(/\/[0-9A-Z]{26}$/, '/:id'),
      );
      const fits = route?.answer !== undefined && Check(route.answer, json);
      return { status: answer.status, json, fits };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const ASKS = [
  { kind: 'simulation', documents: [{ file: 'prod.yaml', text: POLICY }] },
  { kind: 'simulation', days: 30, remove: ['prod'] },
  { kind: 'impact', retireRoots: ['public-good'] },
  {
    kind: 'impact',
    runningDays: 30,
    renameIdentities: [{ from: 'ci@acme.example', to: 'https://ci.example|ci@new.example' }],
  },
] as const;

for (const ask of ASKS) {
  test(`asked, listed and shown: ${JSON.stringify(ask).slice(0, 60)}`, async () => {
    await using api = await serve(BOTH);
    const asked = await api.call('POST', '/simulations', ask);
    assert.deepEqual([asked.status, asked.fits], [200, true], JSON.stringify(asked.json));
    assert.deepEqual([asked.json.kind, asked.json.by.name], [ask.kind, 'ann']);
    const listed = await api.call('GET', '/simulations');
    assert.deepEqual([listed.fits, listed.json.simulations.length], [true, 1]);
    const shown = await api.call('GET', `/simulations/${asked.json.id}`);
    assert.deepEqual([shown.fits, shown.json], [true, asked.json]);
  });
}

for (const permissions of [['policies.simulate'], ['decisions.read'], []] as const) {
  test(`refused to who may only ${permissions.join() || 'sign in'}`, async () => {
    await using api = await serve(permissions);
    for (const { status, json } of [
      await api.call('POST', '/simulations', ASKS[0]),
      await api.call('GET', '/simulations'),
      await api.call('GET', `/simulations/${'0'.repeat(26)}`),
    ]) {
      assert.deepEqual([status, json.code], [403, 'access.denied']);
    }
  });
}

const REFUSED = [
  [{ kind: 'other' }, 'http.request-invalid'],
  [{ kind: 'impact', documents: [] }, 'http.request-invalid'],
  [{ kind: 'simulation', days: 0 }, 'http.request-invalid'],
  [{ kind: 'simulation' }, 'impact.candidate-invalid'],
  [{ kind: 'impact' }, 'impact.change-unknown'],
  [{ kind: 'impact', retireKeys: ['-----BEGIN PUBLIC KEY-----'] }, 'bytes.pem'],
  [
    { kind: 'impact', renameIdentities: [{ from: 'https://ci.example|', to: 'b' }] },
    'usage.invalid',
  ],
] as const;

for (const [body, code] of REFUSED) {
  test(`refused: ${JSON.stringify(body)}`, async () => {
    await using api = await serve(BOTH);
    const { status, json } = await api.call('POST', '/simulations', body);
    assert.deepEqual([status, json.code], [400, code]);
  });
}
