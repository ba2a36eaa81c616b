import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/access/actor.ts';
import { createAuthenticate } from '../../src/access/authenticate.ts';
import { openCallers } from '../../src/access/callers.ts';
import { SESSION_COOKIE } from '../../src/access/cookie.ts';
import { accessRoutes } from '../../src/access/routes.ts';
import { newPlainSecret, newTokenSecret } from '../../src/access/secrets.ts';
import { principalOfUser } from '../../src/access/sessions.ts';
import { ANONYMOUS } from '../../src/access/standing.ts';
import { API_PREFIX, apiDoor } from '../../src/http/api/door.ts';
import { HTTP_LIMITS } from '../../src/http/limits.ts';
import { createLog } from '../../src/http/log.ts';
import { type HttpServer, listen } from '../../src/http/server.ts';
import { guardedDoor, urlOf } from './registry.ts';
import { addUser, basic, PASSWORD, request, type Setting, setUp } from './setting.ts';

const BURST = 3;
const CATALOG = '/v2/_catalog';

/** The doors on one address that may make three requests, and then none. */
function start(setting: Setting): Promise<HttpServer> {
  const { access, clock } = setting;
  const api = apiDoor(accessRoutes(access, clock), {
    authenticate: createAuthenticate(access),
    log: createLog('error', { write: () => undefined }),
    info: { title: 'Bulla', version: '0' },
  });
  const limits = { ...HTTP_LIMITS, rate: { perSecond: 0.001, burst: BURST }, rateLoopback: true };
  return listen([api, guardedDoor(setting)], {}, limits, {
    callerOf: (request, prefix) => access.callerOf(request, prefix === API_PREFIX),
    nowMs: () => 0,
  });
}

type Headers = Readonly<Record<string, string>>;

async function statusesOf(url: string, count: number, headers: Headers = {}): Promise<number[]> {
  const statuses: number[] = [];
  for (let at = 0; at < count; at++) statuses.push((await fetch(url, { headers })).status);
  return statuses;
}

async function apiToken({ access }: Setting, user: string, name: string) {
  const permissions = ['tokens.own'] as const;
  const repositories = [{ repository: 'app', actions: ['pull'] }] as const;
  return access.createToken(OPERATOR, { name, user, permissions, repositories });
}

const bearer = (secret: string): Headers => ({ authorization: `Bearer ${secret}` });
const cookie = (secret: string): Headers => ({ cookie: `${SESSION_COOKIE}=${secret}` });

test('users behind one address do not use up what the others have, nor what strangers have', async () => {
  await using setting = await setUp();
  const [ann, bob] = [
    await addUser(setting, 'ann', 'member'),
    await addUser(setting, 'bob', 'member'),
  ];
  await using server = await start(setting);
  const own = `${urlOf(server)}${API_PREFIX}/tokens`;
  const { secret } = await apiToken(setting, bob.id, 'ci');
  // The first of each is counted with the address, where its credentials are checked.
  assert.deepEqual(await statusesOf(own, 1, cookie(ann.session.secret)), [200]);
  assert.deepEqual(await statusesOf(own, 1, bearer(secret)), [200]);
  const all = [...Array.from({ length: BURST }, () => 200), 429];
  assert.deepEqual(await statusesOf(own, BURST + 1, cookie(ann.session.secret)), all);
  assert.deepEqual(await statusesOf(own, BURST + 1, bearer(secret)), all);
  assert.deepEqual(await statusesOf(own, 2), [401, 429]);
});

test('the tokens of one user have one count, at every door', async () => {
  await using setting = await setUp();
  const { id } = await addUser(setting, 'ann', 'member');
  await using server = await start(setting);
  const catalog = `${urlOf(server)}${CATALOG}`;
  const one = (await apiToken(setting, id, 'one')).secret;
  const two = (await apiToken(setting, id, 'two')).secret;
  const ofApi = `${urlOf(server)}${API_PREFIX}/tokens`;
  assert.deepEqual(await statusesOf(catalog, 2, { authorization: basic('x', one) }), [200, 200]);
  assert.deepEqual(await statusesOf(ofApi, 2, bearer(two)), [200, 200]);
  assert.deepEqual(await statusesOf(ofApi, 2, bearer(two)), [200, 429]);
  assert.deepEqual(await statusesOf(catalog, 1, { authorization: basic('x', one) }), [429]);
});

test('a registry token is counted for the user whom it was issued to', async () => {
  await using setting = await setUp();
  await addUser(setting, 'ann', 'member');
  await using server = await start(setting);
  const { access } = setting;
  const subject = await access.ofPassword({ name: 'ann', password: PASSWORD, address: '::1' });
  const asked = { repositories: [], catalog: true } as const;
  const { token } = await access.issueRegistryToken(subject, asked);
  const expect = [200, 200, 200, 200, 429];
  assert.deepEqual(await statusesOf(`${urlOf(server)}${CATALOG}`, 5, bearer(token)), expect);
  // Two are left of what the address has.
  assert.deepEqual(await statusesOf(`${urlOf(server)}/nothing`, 3), [404, 404, 429]);
});

const CLAIMS: readonly { readonly name: string; readonly headers: () => Headers }[] = [
  { name: 'API tokens', headers: () => bearer(newTokenSecret()) },
  { name: 'API tokens in Basic', headers: () => ({ authorization: basic('u', newTokenSecret()) }) },
  { name: 'registry tokens', headers: () => bearer(`v1.${newPlainSecret()}`) },
  { name: 'sessions', headers: () => cookie(newPlainSecret()) },
  { name: 'users', headers: () => ({ authorization: basic(newPlainSecret(), 'x') }) },
  { name: 'schemes', headers: () => ({ authorization: `Digest ${newPlainSecret()}` }) },
];

for (const { name, headers } of CLAIMS) {
  test(`invented ${name} are counted with their address`, async () => {
    await using setting = await setUp({ anonymousPull: false });
    await using server = await start(setting);
    for (const path of [`${API_PREFIX}/tokens`, CATALOG, CATALOG]) {
      assert.deepEqual(await statusesOf(`${urlOf(server)}${path}`, 1, headers()), [401]);
    }
    assert.deepEqual(await statusesOf(`${urlOf(server)}${CATALOG}`, 1, headers()), [429]);
    assert.deepEqual(await statusesOf(`${urlOf(server)}/nothing`, 1, headers()), [429]);
  });
}

test('a password is checked with the address, right or wrong', async () => {
  await using setting = await setUp();
  await addUser(setting, 'ann', 'member');
  const { access } = setting;
  await access.ofPassword({ name: 'ann', password: PASSWORD, address: '::1' });
  const asked = request({ headers: { authorization: basic('ann', PASSWORD) } });
  assert.equal(access.callerOf(asked, true), null);
});

test('a session’s cookie counts at the product API only', async () => {
  await using setting = await setUp();
  const { id, session } = await addUser(setting, 'ann', 'member');
  const { access } = setting;
  await access.findSession(session.secret);
  const asked = request({ headers: cookie(session.secret) });
  assert.equal(access.callerOf(asked, true), id);
  assert.equal(access.callerOf(asked, false), null);
});

test('a token that was revoked is counted with its address from its next check on', async () => {
  await using setting = await setUp();
  const { id } = await addUser(setting, 'ann', 'member');
  const { access } = setting;
  const { token, secret } = await apiToken(setting, id, 'ci');
  const asked = request({ headers: bearer(secret) });
  assert.equal(access.callerOf(asked, false), null);
  await access.ofToken(secret);
  assert.equal(access.callerOf(asked, false), id);
  await access.revokeToken(OPERATOR, token.id);
  await assert.rejects(access.ofToken(secret), { code: 'access.credentials-invalid' });
  assert.equal(access.callerOf(asked, false), null);
});

test('nobody, what was not checked for minutes, and what others pushed out are not known', () => {
  const clock = { nowMs: 0 };
  const callers = openCallers(2, () => clock.nowMs);
  const user = { id: 'u', name: 'u', role: 'member', created: new Date(0) } as const;
  const somebody = principalOfUser({ ...user, disabled: null, hasPassword: true });
  callers.note('nobody', ANONYMOUS);
  assert.equal(callers.of('nobody'), null);
  for (const secret of ['a', 'b', 'c']) callers.note(secret, somebody);
  assert.deepEqual([callers.of('a'), callers.of('b'), callers.of('c')], [null, 'u', 'u']);
  clock.nowMs = 5 * 60_000;
  assert.equal(callers.of('c'), null);
});
