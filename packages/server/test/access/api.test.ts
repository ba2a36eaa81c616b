import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Value } from 'typebox/value';
import { OPERATOR } from '../../src/access/actor.ts';
import { createAuthenticate } from '../../src/access/authenticate.ts';
import { clearSessionCookie, SESSION_COOKIE, setSessionCookie } from '../../src/access/cookie.ts';
import { accessRoutes } from '../../src/access/routes.ts';
import { apiDoor } from '../../src/http/api/door.ts';
import type { ApiRoute } from '../../src/http/api/route.ts';
import { createLog } from '../../src/http/log.ts';
import type { Role } from '../../src/http/principal.ts';
import { type HttpServer, listen } from '../../src/http/server.ts';
import { urlOf } from './registry.ts';
import { addUser, basic, PASSWORD, type Setting, setUp } from './setting.ts';

let setting: Setting;
let server: HttpServer;
let routes: readonly ApiRoute[];
let url: string;
const lines: string[] = [];
const cookies = new Map<Role, string>();
let targets = 0;

before(async () => {
  setting = await setUp();
  routes = accessRoutes(setting.access, setting.clock);
  const door = apiDoor(routes, {
    authenticate: createAuthenticate(setting.access),
    log: createLog('info', { write: (line) => lines.push(line) }),
    info: { title: 'Bulla', version: '0' },
  });
  server = await listen([door]);
  url = `${urlOf(server)}/api/bulla/v1`;
  for (const role of ['owner', 'admin', 'member', 'viewer', 'auditor'] as const) {
    const { session } = await addUser(setting, `the-${role}`, role);
    cookies.set(role, `${SESSION_COOKIE}=${session.secret}`);
  }
});

after(async () => {
  await server.close();
  await setting[Symbol.asyncDispose]();
});

interface Call {
  readonly as?: Role;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call(route: string, { as, body, headers }: Call = {}): Promise<Response> {
  const [method = 'GET', path = ''] = route.split(' ');
  const cookie = as === undefined ? undefined : cookies.get(as);
  return fetch(`${url}${path}`, {
    method,
    headers: {
      ...(cookie === undefined ? {} : { cookie }),
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The members of any answer that the tests look at. */
interface Answer {
  readonly signedIn?: boolean;
  readonly name?: string;
  readonly permissions?: readonly string[];
  readonly user?: { readonly name: string };
  readonly disabled?: string | null;
  readonly token?: { readonly id: string; readonly expires: string };
  readonly secret?: string;
}

/** The answer of a route, checked against its schema. */
async function answered(route: string, options: Call = {}): Promise<Answer> {
  const response = await call(route, options);
  assert.equal(response.status, 200, await response.clone().text());
  const value = (await response.json()) as Answer;
  const [method, path = ''] = route.split(' ');
  const plain = path.replace(/\?.*/, '').replace(/(user|token)_[0-9a-f]+/, ':id');
  const schema = routes.find((one) => one.method === method && one.path === plain)?.answer;
  assert.ok(schema !== undefined, plain);
  assert.deepEqual([...Value.Errors(schema, value)], []);
  return value;
}

async function idOf(name: string): Promise<string> {
  return (await setting.access.findUser(OPERATOR, name)).id;
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { readonly code: string }).code;
}

describe('each route answers each role', () => {
  // o owner, a admin, m member, v viewer, u auditor; all others are denied.
  const cases: readonly { readonly route: string; readonly may: string; readonly body?: object }[] =
    [
      { route: 'GET /session', may: 'oamvu' },
      { route: 'GET /users', may: 'oau' },
      { route: 'POST /users', may: 'oa', body: { name: 'made-by-ROLE', role: 'viewer' } },
      { route: 'PATCH /users/USER', may: 'oa', body: { role: 'viewer' } },
      { route: 'POST /users/USER/link', may: 'oa' },
      { route: 'GET /tokens', may: 'oamvu' },
      { route: 'GET /tokens?user=everybody', may: 'oa' },
      { route: 'POST /tokens', may: 'oamvu', body: { name: 't', permissions: ['overview.read'] } },
      { route: 'GET /activity', may: 'oau' },
      { route: 'GET /activity?limit=1', may: 'oau' },
    ];
  const letters = { owner: 'o', admin: 'a', member: 'm', viewer: 'v', auditor: 'u' } as const;
  for (const { route, may, body } of cases) {
    it(`${route}: ${may}`, async () => {
      const { user } = await setting.access.addUser(OPERATOR, {
        name: `target-${targets++}`,
        role: 'viewer',
      });
      for (const [role, letter] of Object.entries(letters)) {
        const as = role as Role;
        const text = body && JSON.stringify(body).replace('ROLE', role);
        const path = route.replace('USER', user.id);
        const options = { as, ...(text ? { body: JSON.parse(text) } : {}) };
        if (may.includes(letter)) await answered(path, options);
        else assert.equal((await call(path, options)).status, 403, role);
      }
      const open = route === 'GET /session' ? 200 : 401;
      const path = route.replace('USER', user.id);
      assert.equal((await call(path, body ? { body } : {})).status, open);
    });
  }

  it('that are public are those of the session alone', () => {
    const open = routes.filter(({ needs }) => needs === 'public').map(({ path }) => path);
    assert.deepEqual([...new Set(open)], ['/session', '/session/link']);
  });
});

describe('a sign-in', () => {
  const body = { name: 'the-viewer', password: PASSWORD };

  it('gives the session in a cookie that only this origin’s requests carry, and nowhere else', async () => {
    const response = await call('POST /session', { body });
    assert.equal(response.status, 200);
    const header = response.headers.get('set-cookie') ?? '';
    const value = /^__Host-bulla-session=([A-Za-z0-9_-]{43}); /.exec(header)?.[1] ?? '';
    assert.equal(
      header,
      `__Host-bulla-session=${value}; Secure; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200`,
    );
    assert.ok(!(await response.text()).includes(value));
    const cookie = `${SESSION_COOKIE}=${value}`;
    const session = await answered('GET /session', { headers: { cookie } });
    assert.equal(session.signedIn, true);
    assert.equal(session.user?.name, 'the-viewer');
    const out = await call('DELETE /session', { headers: { cookie } });
    assert.equal(out.status, 204);
    assert.equal(out.headers.get('set-cookie'), clearSessionCookie());
    assert.equal((await answered('GET /session', { headers: { cookie } })).signedIn, false);
  });

  it('is possible with a cookie that is over', async () => {
    const cookie = `${SESSION_COOKIE}=${'A'.repeat(43)}`;
    assert.equal((await call('POST /session', { body, headers: { cookie } })).status, 200);
    assert.equal((await call('GET /tokens', { headers: { cookie } })).status, 401);
  });

  it('by a link takes its secret from the body', async () => {
    const { link } = await setting.access.addUser(OPERATOR, { name: 'linked', role: 'viewer' });
    const response = await call('POST /session/link', {
      body: { link: link.secret, password: PASSWORD },
    });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('set-cookie') ?? '', /^__Host-bulla-session=/);
    const again = await call('POST /session/link', {
      body: { link: link.secret, password: PASSWORD },
    });
    assert.equal(again.status, 403);
    assert.equal(await codeOf(again), 'access.link-invalid');
    const query = await call(`POST /session/link?link=${link.secret}`, { body: {} });
    assert.equal(query.status, 400);
  });

  for (const [name, headers] of [
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another port of this host, which is the same site', { 'sec-fetch-site': 'same-site' }],
    ['another origin, in an older browser', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': '' }],
  ] as const) {
    it(`and a change are refused from a page of ${name}`, async () => {
      const signIn = await call('POST /session', { body, headers });
      assert.equal(await codeOf(signIn), 'access.foreign-origin');
      const add = { name: 'csrf', role: 'owner' };
      const change = await call('POST /users', { as: 'owner', body: add, headers });
      assert.equal(await codeOf(change), 'access.foreign-origin');
    });
  }
});

describe('who calls', () => {
  it('is the token in Authorization, not the cookie beside it', async () => {
    const { token, secret } = await answered('POST /tokens', {
      as: 'member',
      body: { name: 'ci', permissions: ['overview.read'] },
    });
    const headers = { authorization: `Bearer ${secret}` };
    const session = await answered('GET /session', { as: 'owner', headers });
    assert.equal(session.name, 'token ci of the-member');
    assert.equal(session.user, undefined);
    assert.deepEqual(session.permissions, ['overview.read']);
    assert.equal((await call('GET /users', { as: 'owner', headers })).status, 403);
    await answered(`DELETE /tokens/${token?.id}`, { as: 'member' });
    assert.equal((await call('GET /tokens', { headers })).status, 401);
  });

  it('is nobody with a password in Basic, a registry token, or two cookies', async () => {
    const { access } = setting;
    const asked = { name: 'the-owner', password: PASSWORD, address: '127.0.0.1' };
    const { token } = await access.issueRegistryToken(await access.ofPassword(asked), {
      repositories: [],
      catalog: true,
    });
    const cookie = cookies.get('owner') ?? '';
    const headers = [
      { authorization: basic('the-owner', PASSWORD) },
      { authorization: `Bearer ${token}` },
      { cookie: `${cookie}; ${cookie}` },
      { cookie: `bulla-session=${cookie.split('=')[1]}` },
      { cookie: `${SESSION_COOKIE}=` },
    ];
    for (const one of headers)
      assert.equal((await call('GET /users', { headers: one })).status, 401);
  });

  it('changes their own password within a session only', async () => {
    await addUser(setting, 'changer', 'viewer');
    const signIn = await call('POST /session', { body: { name: 'changer', password: PASSWORD } });
    const cookie = (signIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const body = { current: PASSWORD, next: 'another tapir walnut' };
    const { secret } = await answered('POST /tokens', {
      headers: { cookie },
      body: { name: 'ci', permissions: ['overview.read'] },
    });
    const byToken = await call('PUT /session/password', {
      body,
      headers: { authorization: `Bearer ${secret}` },
    });
    assert.equal(byToken.status, 401);
    const byCookie = await call('PUT /session/password', { body, headers: { cookie } });
    assert.equal(byCookie.status, 204);
  });
});

describe('a body', () => {
  const cases = [
    { route: 'POST /users', body: { name: 'x' } },
    { route: 'POST /users', body: { name: 'x', role: 'god' } },
    { route: 'POST /users', body: { name: 'x', role: 'viewer', password: 'y' } },
    { route: 'PATCH /users/user_1', body: {} },
    { route: 'PATCH /users/user_1', body: { role: 'viewer', disabled: true } },
    { route: 'POST /tokens', body: { name: 'x', repositories: [{ repository: 'a' }] } },
    { route: 'POST /tokens', body: { name: 'x', permissions: ['all'] } },
    { route: 'POST /session', body: { name: 'x', password: 'y'.repeat(1025) } },
  ];
  for (const { route, body } of cases) {
    it(`of ${route} is not ${JSON.stringify(body).slice(0, 60)}`, async () => {
      assert.equal((await call(route, { as: 'owner', body })).status, 400);
    });
  }

  it('may set disabled, and the time at which a token expires', async () => {
    const id = await idOf('the-viewer');
    const off = await answered(`PATCH /users/${id}`, { as: 'owner', body: { disabled: true } });
    assert.equal(off.disabled, setting.clock().toISOString());
    const on = await answered(`PATCH /users/${id}`, { as: 'owner', body: { disabled: false } });
    assert.equal(on.disabled, null);
    const expires = '2026-11-22T00:00:00.000Z';
    const { token } = await answered('POST /tokens', {
      as: 'owner',
      body: { name: 'x', repositories: [{ repository: '**', actions: ['sign'] }], expires },
    });
    assert.equal(token?.expires, expires);
    const bad = await call('POST /tokens', {
      as: 'owner',
      body: { name: 'x', permissions: ['overview.read'], expires: 'soon' },
    });
    assert.equal(await codeOf(bad), 'access.token-invalid');
  });
});

it('no line of the log has a secret', () => {
  assert.ok(lines.length > 0);
  const text = lines.join('');
  assert.ok(!text.includes(PASSWORD));
  assert.doesNotMatch(text, /bulla_[A-Za-z0-9_-]{49}/);
  for (const cookie of cookies.values()) assert.ok(!text.includes(cookie.split('=')[1] ?? cookie));
});

it('the cookie never lives longer than its session', () => {
  assert.match(setSessionCookie('x', 10.9), /Max-Age=10$/);
  assert.match(setSessionCookie('x', -1), /Max-Age=0$/);
});
