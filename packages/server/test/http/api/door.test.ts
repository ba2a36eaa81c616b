import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '@bulla/trust/fault/codes';
import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import { Type } from 'typebox';
import { type ApiParts, apiDoor } from '../../../src/http/api/door.ts';
import type { ApiRoute, Authenticate } from '../../../src/http/api/route.ts';
import type { Door } from '../../../src/http/exchange.ts';
import { createLog } from '../../../src/http/log.ts';
import type { Permission, Principal } from '../../../src/http/principal.ts';
import { faultOf } from '../../storage/expectations.ts';
import { type RequestPieces, requestOf } from '../request.ts';

const ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/overview',
    needs: 'overview.read',
    summary: 'Overview',
    handle: async ({ principal }) => ({ who: principal.name }),
  },
  {
    method: 'GET',
    path: '/decisions/:id',
    needs: 'decisions.read',
    summary: 'A decision',
    query: Type.Object({ tree: Type.Optional(Type.Enum(['full', 'short'])) }),
    handle: async ({ params, query }) => ({ ...params, ...query }),
  },
  {
    method: 'POST',
    path: '/users',
    needs: 'users.manage',
    summary: 'A new user',
    body: Type.Object({ name: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
    handle: async ({ body }) => ({ made: body }),
  },
  {
    method: 'DELETE',
    path: '/tokens/:id',
    needs: 'signed-in',
    summary: 'End a token',
    handle: async () => null,
  },
  {
    method: 'POST',
    path: '/sign-in',
    needs: 'public',
    summary: 'Sign in',
    body: Type.Object({ name: Type.String() }),
    handle: async ({ principal }) => ({
      reply: { status: 201, headers: { 'set-cookie': ['a=b'] }, body: principal.kind },
    }),
  },
  {
    method: 'GET',
    path: '/broken',
    needs: 'public',
    summary: 'A defect',
    async handle() {
      throw new Error('the password is 1234');
    },
  },
];

function caller(name: string, ...permissions: readonly Permission[]): Principal {
  const rest = { permissions: new Set(permissions), repositories: [] };
  return { kind: 'user', id: name, name, ...rest };
}

const NOBODY: Principal = { ...caller('anonymous'), kind: 'anonymous' };
const ALL: readonly Permission[] = ['overview.read', 'decisions.read', 'users.manage'];
const PRINCIPALS: Readonly<Record<string, Principal>> = {
  nobody: NOBODY,
  // Whoever makes an anonymous principal with permissions has made a mistake, and gets nothing by it.
  'nobody with permissions': { ...NOBODY, permissions: new Set(ALL) },
  viewer: caller('viewer', 'overview.read', 'decisions.read'),
  auditor: caller('auditor', 'decisions.read', 'record.read'),
  admin: caller('admin', ...ALL),
  'nobody known': caller('new'),
};

const authenticate: Authenticate = async (request) => {
  const name = request.header('authorization') ?? request.header('cookie') ?? 'nobody';
  const found = PRINCIPALS[name];
  if (found === undefined) throw new TrustFault('access.credentials-invalid', 'unknown');
  return found;
};

function open(parts: Partial<ApiParts> = {}, routes = ROUTES): Door {
  const info = { title: 'Bulla', version: '0.1.0' };
  return apiDoor(routes, { authenticate, log: createLog('silent'), info, ...parts });
}

/** The answer, with faults in the form of the door. */
async function ask(door: Door, pieces: RequestPieces) {
  try {
    return await door.handle(requestOf(pieces));
  } catch (error) {
    return door.refuse(asFault(error));
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };
const CALLS: Readonly<Record<string, RequestPieces>> = {
  overview: { path: '/overview' },
  decision: { path: '/decisions/d1' },
  'new user': { method: 'POST', path: '/users', body: '{"name":"a"}', headers: JSON_TYPE },
  'end token': { method: 'DELETE', path: '/tokens/t1' },
  'sign in': { method: 'POST', path: '/sign-in', body: '{"name":"a"}', headers: JSON_TYPE },
};

/** Status of each call for each principal, in the order of CALLS. */
const EXPECTED: Readonly<Record<string, readonly number[]>> = {
  nobody: [401, 401, 401, 401, 201],
  'nobody with permissions': [401, 401, 401, 401, 201],
  viewer: [200, 200, 403, 204, 201],
  auditor: [403, 200, 403, 204, 201],
  admin: [200, 200, 200, 204, 201],
  'nobody known': [403, 403, 403, 204, 201],
  'a stranger': [401, 401, 401, 401, 201],
};

for (const [name, statuses] of Object.entries(EXPECTED)) {
  for (const [index, [call, pieces]] of Object.entries(CALLS).entries()) {
    test(`${call} by ${name} is ${statuses[index]}`, async () => {
      const headers = { ...pieces.headers, authorization: name };
      const { status, headers: answered, body } = await ask(open(), { ...pieces, headers });
      assert.equal(status, statuses[index], String(body));
      if (status < 400) return;
      const problem = JSON.parse(String(body));
      assert.deepEqual(Object.keys(problem), ['status', 'code', 'message', 'remedy']);
      assert.equal(answered?.['content-type'], 'application/problem+json');
      assert.equal(answered?.['www-authenticate'] !== undefined, status === 401);
    });
  }
}

test('sign-in with a session that has ended is by nobody', async () => {
  const headers = { ...JSON_TYPE, authorization: 'a stranger' };
  const { body } = await ask(open(), { ...CALLS['sign in'], headers });
  assert.equal(body, 'anonymous');
});

test('a route is not run before its caller was checked', async () => {
  let runs = 0;
  const counted = ROUTES.map((route) => ({
    ...route,
    async handle() {
      runs++;
      return null;
    },
  }));
  for (const pieces of Object.values(CALLS).slice(0, 4)) await ask(open({}, counted), pieces);
  assert.equal(runs, 0);
});

const REFUSED: readonly {
  readonly name: string;
  readonly pieces: RequestPieces;
  readonly expect: Code;
}[] = [
  { name: 'an unknown path', pieces: { path: '/nothing' }, expect: 'http.not-found' },
  { name: 'the root', pieces: {}, expect: 'http.not-found' },
  { name: 'a slash at the end', pieces: { path: '/overview/' }, expect: 'http.not-found' },
  { name: 'an empty parameter', pieces: { path: '/decisions/' }, expect: 'http.not-found' },
  { name: 'a path below', pieces: { path: '/overview/x' }, expect: 'http.not-found' },
  {
    name: 'another method',
    pieces: { method: 'PUT', path: '/overview' },
    expect: 'http.method-unsupported',
  },
  {
    name: 'a method of every object',
    pieces: { method: 'constructor', path: '/overview' },
    expect: 'http.method-unsupported',
  },
  {
    name: 'a query that the route does not know',
    pieces: { path: '/overview?x=1' },
    expect: 'http.request-invalid',
  },
  {
    name: 'a query of another value',
    pieces: { path: '/decisions/d?tree=tall' },
    expect: 'http.request-invalid',
  },
  {
    name: 'a query given twice',
    pieces: { path: '/decisions/d?tree=full&tree=full' },
    expect: 'http.request-invalid',
  },
  {
    name: 'a query of every object',
    pieces: { path: '/decisions/d?__proto__=x' },
    expect: 'http.request-invalid',
  },
  {
    name: 'a body where none is taken',
    pieces: { method: 'DELETE', path: '/tokens/t', body: '{}', headers: JSON_TYPE },
    expect: 'http.request-invalid',
  },
  {
    name: 'no body where one is needed',
    pieces: { method: 'POST', path: '/users', headers: JSON_TYPE },
    expect: 'json.malformed',
  },
  {
    name: 'a form',
    pieces: {
      method: 'POST',
      path: '/users',
      body: 'name=a',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    expect: 'http.media-type',
  },
  {
    name: 'JSON of no type',
    pieces: { method: 'POST', path: '/users', body: '{"name":"a"}' },
    expect: 'http.media-type',
  },
  {
    name: 'a member too many',
    pieces: {
      method: 'POST',
      path: '/users',
      body: '{"name":"a","role":"owner"}',
      headers: JSON_TYPE,
    },
    expect: 'http.request-invalid',
  },
  {
    name: 'a member of another type',
    pieces: { method: 'POST', path: '/users', body: '{"name":1}', headers: JSON_TYPE },
    expect: 'http.request-invalid',
  },
  {
    name: 'a member twice',
    pieces: { method: 'POST', path: '/users', body: '{"name":"a","name":"b"}', headers: JSON_TYPE },
    expect: 'json.duplicate-key',
  },
  {
    name: 'half of JSON',
    pieces: { method: 'POST', path: '/users', body: '{"name":', headers: JSON_TYPE },
    expect: 'json.malformed',
  },
  {
    name: 'JSON that is deep',
    pieces: { method: 'POST', path: '/users', body: '['.repeat(5000), headers: JSON_TYPE },
    expect: 'json.limit',
  },
  {
    name: 'a body over 1 MiB',
    pieces: {
      method: 'POST',
      path: '/users',
      body: Buffer.alloc(1048577, ' '),
      headers: JSON_TYPE,
    },
    expect: 'http.body-too-large',
  },
];

for (const { name, pieces, expect } of REFUSED) {
  test(`${name} is ${expect}`, async () => {
    const headers = { ...pieces.headers, authorization: 'admin' };
    await assert.rejects(
      async () => open().handle(requestOf({ ...pieces, headers })),
      faultOf(expect),
    );
  });
}

test('a wrong method is told the right ones', async () => {
  const { headers } = await ask(open(), { method: 'PUT', path: '/users' });
  assert.equal(headers?.['allow'], 'POST');
});

test('a problem names where the body is wrong', async () => {
  const headers = { ...JSON_TYPE, authorization: 'admin' };
  const pieces = { method: 'POST', path: '/users', body: '{"name":1}', headers };
  const { body } = await ask(open(), pieces);
  assert.match(JSON.parse(String(body)).message, /\/name.*string/);
});

test('a defect does not tell its message', async () => {
  const { status, body } = await ask(open(), { path: '/broken' });
  assert.equal(status, 500);
  assert.doesNotMatch(String(body), /1234/);
});

test('parameters and the query reach the route', async () => {
  const headers = { authorization: 'admin' };
  const { body } = await ask(open(), { path: '/decisions/d%2f1?tree=full', headers });
  assert.deepEqual(JSON.parse(String(body)), { id: 'd%2f1', tree: 'full' });
});

test('a HEAD is as its GET', async () => {
  const headers = { authorization: 'admin' };
  assert.equal((await ask(open(), { method: 'HEAD', path: '/overview', headers })).status, 200);
});

test('no answer is stored, framed, or read by another origin', () => {
  const { headers } = open();
  assert.equal(headers?.['cache-control'], 'no-store');
  assert.equal(headers?.['cross-origin-resource-policy'], 'same-origin');
  assert.match(String(headers?.['content-security-policy']), /default-src 'none'/);
});

test('changes are logged with who made them, and reads are not', async () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => lines.push(line) });
  const door = open({ log });
  const headers = { ...JSON_TYPE, authorization: 'admin' };
  await ask(door, { path: '/overview', headers });
  await ask(door, { ...CALLS['new user'], headers });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"by":"admin","method":"POST","path":"\/users"/);
});
