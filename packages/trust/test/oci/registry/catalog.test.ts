import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { listRepositories } from '@bulla/trust/oci/registry/catalog';
import { options, scripted } from './scripted.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

test('the repositories of all pages, each once, in order', async () => {
  await using server = await scripted((request, response) => {
    const isLast = request.url.includes('last=');
    const link = isLast ? {} : { link: '</v2/_catalog?last=team/b>; rel="next"' };
    const repositories = isLast ? ['team/a'] : ['team/b', 'team/a'];
    response.writeHead(200, { ...JSON_TYPE, ...link }).end(JSON.stringify({ repositories }));
  });
  assert.deepEqual(await listRepositories(server.host, options()), ['team/a', 'team/b']);
});

const REFUSED = [
  { name: 'no list', status: 200, body: '{"repositories":{}}', code: 'registry.malformed-answer' },
  { name: 'no JSON', status: 200, body: '<html>', code: 'registry.malformed-answer' },
  {
    // It would stand in an address.
    name: 'a name that is none',
    status: 200,
    body: '{"repositories":["../../api"]}',
    code: 'registry.malformed-answer',
  },
  { name: 'a registry that lists none', status: 404, body: '{}', code: null },
] as const;

for (const { name, status, body, code } of REFUSED) {
  test(`refused: ${name}`, async () => {
    await using server = await scripted((_, response) => {
      response.writeHead(status, JSON_TYPE).end(body);
    });
    await assert.rejects(listRepositories(server.host, options()), (error) => {
      assert.ok(error instanceof TrustFault && error.code.startsWith('registry.'), String(error));
      return code === null || error.code === code;
    });
  });
}
