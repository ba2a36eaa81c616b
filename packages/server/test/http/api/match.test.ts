import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchRoutes } from '../../../src/http/api/match.ts';
import type { ApiRoute } from '../../../src/http/api/route.ts';
import { faultOf } from '../../storage/expectations.ts';

type Plain = Pick<ApiRoute, 'method' | 'path'>;

const ROUTES: readonly Plain[] = [
  { method: 'GET', path: '/users/:name' },
  { method: 'GET', path: '/users/me' },
  { method: 'POST', path: '/users' },
  { method: 'DELETE', path: '/users/:name/tokens/:id' },
  { method: 'PUT', path: '/:kind/me' },
];

const CASES = [
  { ask: 'GET users/me', path: '/users/me', params: {} },
  { ask: 'GET users/you', path: '/users/:name', params: { name: 'you' } },
  { ask: 'GET users/__proto__', path: '/users/:name', params: { name: '__proto__' } },
  { ask: 'PUT users/me', path: '/:kind/me', params: { kind: 'users' } },
  {
    ask: 'DELETE users/a/tokens/b',
    path: '/users/:name/tokens/:id',
    params: { name: 'a', id: 'b' },
  },
] as const;

for (const { ask, path, params } of CASES) {
  test(`${ask} is for ${path}, in whatever order the routes are`, () => {
    const [method = '', target = ''] = ask.split(' ');
    for (const routes of [ROUTES, ROUTES.toReversed()]) {
      const found = matchRoutes(routes)(method, target.split('/'));
      assert.equal(found.route.path, path);
      assert.deepEqual({ ...found.params }, params);
    }
  });
}

const DEFECTS: readonly (readonly [string, readonly Plain[]])[] = [
  ['two routes alike', [ROUTES[0], { method: 'GET', path: '/users/:other' }] as Plain[]],
  ['an empty part', [{ method: 'GET', path: '/users//a' }]],
  ['a slash at the end', [{ method: 'GET', path: '/users/' }]],
  ['upper case', [{ method: 'GET', path: '/Users' }]],
];

for (const [name, routes] of DEFECTS) {
  test(`${name} is a defect`, () => {
    assert.throws(() => matchRoutes(routes), faultOf('internal.defect'));
  });
}
