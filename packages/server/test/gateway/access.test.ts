import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_HISTORY } from '../../src/gateway/ports.ts';
import { startRegistry } from '../../src/registry.ts';
import { type Ask, ask, digestOf, manifestOf, OCI_MANIFEST, pushBlob } from './client.ts';
import { as, person, tableAccess } from './people.ts';
import { MISSING } from './step.ts';

const IMAGE = manifestOf({ layers: ['layer'] });
const DIGEST = digestOf(IMAGE);
const PEOPLE = [
  person('nobody', { repository: 'public/*', actions: ['pull'] }),
  person('reader', { repository: 'app', actions: ['pull'] }),
  person('pusher', { repository: 'app', actions: ['pull', 'push'] }),
  person('deleter', { repository: 'app', actions: ['delete'] }),
  person('stranger', { repository: 'other', actions: ['pull', 'push', 'delete'] }),
  person('all', { repository: '**', actions: ['pull', 'push', 'delete'] }),
];

async function openRegistry() {
  const access = tableAccess(PEOPLE);
  const ports = { access, history: NO_HISTORY, verification: { kind: 'open' } as const };
  const registry = await startRegistry({ storage: 'memory' }, { ports });
  for (const repository of ['app', 'public/app']) {
    for (const blob of ['{}', 'layer']) {
      const path = `/v2/${repository}/blobs/uploads/?digest=${digestOf(blob)}`;
      await ask(registry.url, { method: 'POST', path, headers: as('all'), body: blob });
    }
    const path = `/v2/${repository}/manifests/v1`;
    const headers = { ...as('all'), 'content-type': OCI_MANIFEST };
    const answer = await ask(registry.url, { method: 'PUT', path, headers, body: IMAGE });
    assert.equal(answer.status, 201);
  }
  return registry;
}

type Rights = Readonly<Record<'nobody' | 'reader' | 'pusher' | 'deleter' | 'stranger', number>>;

// Deny by default: what each route answers to those who have not its right.
const PULL: Rights = { nobody: 401, reader: 200, pusher: 200, deleter: 403, stranger: 403 };
const PUSH: Rights = { nobody: 401, reader: 403, pusher: 202, deleter: 403, stranger: 403 };
const ROUTES: readonly (Ask & { readonly name: string; readonly expect: Rights })[] = [
  { name: 'tag', path: '/v2/app/manifests/v1', expect: PULL },
  { name: 'HEAD', method: 'HEAD', path: '/v2/app/manifests/v1', expect: PULL },
  { name: 'digest', path: `/v2/app/manifests/${DIGEST}`, expect: PULL },
  { name: 'blob', path: `/v2/app/blobs/${digestOf('layer')}`, expect: PULL },
  { name: 'tags', path: '/v2/app/tags/list', expect: PULL },
  { name: 'referrers', path: `/v2/app/referrers/${DIGEST}`, expect: PULL },
  { name: 'upload', method: 'POST', path: '/v2/app/blobs/uploads/', expect: PUSH },
  {
    name: 'manifest',
    method: 'PUT',
    path: '/v2/app/manifests/v2',
    headers: { 'content-type': OCI_MANIFEST },
    body: IMAGE,
    expect: { ...PUSH, pusher: 201 },
  },
  {
    name: 'status of an upload',
    path: '/v2/app/blobs/uploads/00000000-0000-0000-0000-000000000000',
    expect: { ...PUSH, pusher: 404 },
  },
  {
    name: 'chunk',
    method: 'PATCH',
    path: '/v2/app/blobs/uploads/00000000-0000-0000-0000-000000000000',
    body: 'x',
    expect: { ...PUSH, pusher: 404 },
  },
  {
    name: 'deletion of a blob',
    method: 'DELETE',
    path: `/v2/app/blobs/${MISSING}`,
    expect: { nobody: 401, reader: 403, pusher: 403, deleter: 404, stranger: 403 },
  },
  {
    name: 'deletion of a manifest',
    method: 'DELETE',
    path: `/v2/app/manifests/${MISSING}`,
    expect: { nobody: 401, reader: 403, pusher: 403, deleter: 404, stranger: 403 },
  },
];

test('each route asks for its right', async (context) => {
  await using registry = await openRegistry();
  for (const { name, expect, ...route } of ROUTES) {
    for (const [who, status] of Object.entries(expect)) {
      await context.test(`${name}, ${who}`, async () => {
        const headers = { ...route.headers, ...as(who) };
        const answer = await ask(registry.url, { ...route, headers });
        assert.equal(answer.status, status, answer.body.toString());
        if (route.method === 'HEAD' || status < 400 || status === 404) return;
        assert.equal(answer.error, status === 401 ? 'UNAUTHORIZED' : 'DENIED');
      });
    }
  }
});

test('a 401 carries the challenge of its route, and a 403 does not', async () => {
  await using registry = await openRegistry();
  const { headers } = await ask(registry.url, { path: '/v2/app/manifests/v1' });
  assert.match(headers['www-authenticate'] ?? '', /^Bearer .*scope="repository:app:pull"$/);
  const refused = await ask(registry.url, {
    path: '/v2/app/manifests/v1',
    headers: as('stranger'),
  });
  assert.equal(refused.headers['www-authenticate'], undefined);
});

test('a name that one may not pull looks alike whether it is there or not', async () => {
  await using registry = await openRegistry();
  const asked = [
    '/v2/NAME/manifests/v1',
    `/v2/NAME/manifests/${DIGEST}`,
    `/v2/NAME/blobs/${digestOf('layer')}`,
    '/v2/NAME/tags/list',
    `/v2/NAME/referrers/${DIGEST}`,
  ];
  for (const who of ['stranger', 'nobody']) {
    for (const path of asked) {
      const [there, absent] = await Promise.all(
        ['app', 'abc'].map((name) =>
          ask(registry.url, { path: path.replace('NAME', name), headers: as(who) }),
        ),
      );
      assert.equal(there?.status, absent?.status);
      assert.equal(there?.body.toString(), absent?.body.toString());
    }
  }
});

test('the catalogue lists what the caller may pull, in pages of that', async () => {
  await using registry = await openRegistry();
  const list = async (who: string, query = '') => {
    const answer = await ask(registry.url, { path: `/v2/_catalog${query}`, headers: as(who) });
    return (JSON.parse(answer.body.toString()) as { repositories: string[] }).repositories;
  };
  assert.deepEqual(await list('nobody'), ['public/app']);
  assert.deepEqual(await list('reader'), ['app']);
  assert.deepEqual(await list('stranger'), []);
  assert.deepEqual(await list('all'), ['app', 'public/app']);
  assert.deepEqual(await list('all', '?n=1&last=app'), ['public/app']);
});

test('a mount takes nothing from a repository that the caller may not pull', async () => {
  await using registry = await openRegistry();
  const layer = digestOf('layer');
  const mount = (from: string) =>
    ask(registry.url, {
      method: 'POST',
      path: `/v2/other/blobs/uploads/?mount=${layer}${from}`,
      headers: as('stranger'),
    });
  // As if it were absent: the client goes on with an upload.
  assert.equal((await mount('&from=app')).status, 202);
  assert.equal((await mount('')).status, 202);
  assert.equal((await mount('&from=nowhere')).status, 202);
  const own = await ask(registry.url, {
    method: 'POST',
    path: `/v2/other/blobs/uploads/?mount=${layer}&from=app`,
    headers: as('all'),
  });
  assert.equal(own.status, 201);
});

test('a plain registry asks for nothing', async () => {
  await using registry = await startRegistry({ storage: 'memory' });
  await pushBlob(registry.url, 'app', 'layer');
});
