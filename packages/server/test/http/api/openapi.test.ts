import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { apiDoor } from '../../../src/http/api/door.ts';
import { openApiDocument } from '../../../src/http/api/openapi.ts';
import type { ApiRoute } from '../../../src/http/api/route.ts';
import { createLog } from '../../../src/http/log.ts';
import { requestOf } from '../request.ts';

const handle = async () => null;
const ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/decisions/:id',
    needs: 'decisions.read',
    summary: 'One decision',
    query: Type.Object({ tree: Type.String(), page: Type.Optional(Type.String()) }),
    answer: Type.Object({ id: Type.String() }),
    handle,
  },
  {
    method: 'PATCH',
    path: '/decisions/:id',
    needs: 'signed-in',
    summary: 'Change it',
    body: Type.Object({ note: Type.String() }),
    handle,
  },
  { method: 'POST', path: '/sign-in', needs: 'public', summary: 'Sign in', handle },
];
const INFO = { title: 'Bulla', version: '1.2.3' };

test('the document has each route, its inputs, and what it needs', () => {
  const document = JSON.parse(JSON.stringify(openApiDocument(ROUTES, INFO)));
  assert.equal(document.openapi, '3.1.0');
  assert.deepEqual(document.info, INFO);
  assert.deepEqual(Object.keys(document.paths), ['/decisions/{id}', '/sign-in']);
  const { get, patch } = document.paths['/decisions/{id}'];
  assert.equal(get.operationId, 'getDecisionsById');
  assert.equal(get['x-bulla-needs'], 'decisions.read');
  assert.deepEqual(get.parameters, [
    { name: 'id', in: 'path', required: true, schema: { type: 'string', minLength: 1 } },
    { name: 'tree', in: 'query', required: true, schema: { type: 'string' } },
    { name: 'page', in: 'query', required: false, schema: { type: 'string' } },
  ]);
  assert.deepEqual(get.responses[200].content['application/json'].schema, {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'string' } },
  });
  assert.deepEqual(patch.requestBody.content['application/json'].schema.required, ['note']);
  assert.equal(patch.security.length, 2);
  assert.deepEqual(document.paths['/sign-in'].post.security, []);
});

test('the order of the routes does not matter', () => {
  const one = JSON.stringify(openApiDocument(ROUTES, INFO));
  const [first, second, third] = ROUTES;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.equal(JSON.stringify(openApiDocument([third, second, first], INFO)), one);
});

test('each reference and each operation id of the document is its own', () => {
  const text = JSON.stringify(openApiDocument(ROUTES, INFO));
  const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ROUTES.length);
  for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
    assert.match(text, new RegExp(`"${name}":\\{"type":"object"`));
  }
});

test('the API serves it to everybody', async () => {
  const door = apiDoor(ROUTES, {
    info: INFO,
    log: createLog('silent'),
    authenticate: async () => {
      const none = { permissions: new Set<never>(), repositories: [] };
      return { kind: 'anonymous', id: 'anonymous', name: 'anonymous', ...none };
    },
  });
  const { status, body } = await door.handle(requestOf({ path: '/openapi.json' }));
  assert.equal(status, 200);
  assert.ok(body instanceof Uint8Array);
  const served = JSON.parse(Buffer.from(body).toString());
  assert.deepEqual(served, JSON.parse(JSON.stringify(openApiDocument(ROUTES, INFO))));
});
