import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayAccess } from '../../../src/gateway/ports.ts';
import { startRegistry } from '../../../src/registry.ts';
import { ask, digestOf, manifestOf, putManifest } from '../client.ts';
import { as, decisionTable, person, tableAccess, tablePorts } from '../people.ts';

const IMAGE = manifestOf({ layers: ['layer'] });
const ACCESS = tableAccess([
  person('nobody', { repository: '**', actions: ['pull'] }),
  person('pusher', { repository: '**', actions: ['pull', 'push'] }),
  person('signer', { repository: '**', actions: ['pull', 'sign'] }),
]);

/** A registry whose pulls are anonymous, with an image that its policies refuse. */
async function openRefusing(access: GatewayAccess = ACCESS) {
  const ports = tablePorts(decisionTable(), access);
  const registry = await startRegistry({ storage: 'memory' }, { ports });
  const headers = as('pusher');
  for (const body of ['{}', 'layer']) {
    const path = `/v2/app/blobs/uploads/?digest=${digestOf(body)}`;
    const posted = await ask(registry.url, { method: 'POST', path, headers, body });
    assert.equal(posted.status, 201);
  }
  assert.equal((await putManifest(registry.url, 'app', 'v1', IMAGE, headers)).status, 201);
  return registry;
}

const IMAGE_PATH = '/v2/app/manifests/v1';
const LAYER_PATH = `/v2/app/blobs/${digestOf('layer')}`;
const ABSENT_PATH = `/v2/app/blobs/${digestOf('absent')}`;

const REFUSALS = [
  { name: 'an image', path: IMAGE_PATH, plain: 403, error: 'DENIED' },
  { name: 'a withheld blob', path: LAYER_PATH, plain: 404, error: 'BLOB_UNKNOWN' },
  { name: 'an absent blob', path: ABSENT_PATH, plain: 404, error: 'BLOB_UNKNOWN' },
];

// containerd and oras send credentials only to who asks for them.
for (const { name, path, plain, error } of REFUSALS) {
  test(`who sent no credentials is asked for some before ${name} is refused`, async () => {
    await using registry = await openRefusing();
    for (const method of ['GET', 'HEAD']) {
      const asked = await ask(registry.url, { method, path });
      assert.equal(asked.status, 401);
      assert.match(asked.headers['www-authenticate'] ?? '', /^Bearer .*"repository:app:pull"$/);
      // A token for nobody is what a client without credentials comes back with.
      const refused = await ask(registry.url, { method, path, headers: as('nobody') });
      assert.equal(refused.status, plain);
      assert.equal(refused.headers['www-authenticate'], undefined);
      assert.equal(asked.headers['bulla-decision'], refused.headers['bulla-decision']);
      if (method === 'HEAD') continue;
      assert.equal(asked.error, error);
      assert.deepEqual(asked.body, refused.body);
    }
  });
}

test('a withheld blob is no less withheld from who says that it has it', async () => {
  await using registry = await openRefusing();
  const headers = { ...as('nobody'), 'if-none-match': `"${digestOf('layer')}"` };
  assert.equal((await ask(registry.url, { path: LAYER_PATH, headers })).status, 404);
});

test('who has more than nobody comes to it by being asked', async () => {
  await using registry = await openRefusing();
  const { url } = registry;
  assert.equal((await ask(url, { path: IMAGE_PATH, headers: as('signer') })).status, 200);
  const looks = { method: 'HEAD', headers: as('pusher') };
  assert.equal((await ask(url, { ...looks, path: IMAGE_PATH })).status, 404);
  assert.equal((await ask(url, { ...looks, path: LAYER_PATH })).status, 200);
  assert.equal((await ask(url, { path: LAYER_PATH, headers: as('pusher') })).status, 200);
});

test('where nobody can log in, a refusal is one at once', async () => {
  await using registry = await openRefusing({ ...ACCESS, challenge: () => null });
  for (const { path, plain } of REFUSALS) {
    assert.equal((await ask(registry.url, { path })).status, plain);
  }
});

test('what is neither tag nor digest is unknown to who reads, and wrong of who pushes', async () => {
  await using registry = await startRegistry({ storage: 'memory' });
  for (const reference of ['.INVALID', 'a%20b', 'x'.repeat(129)]) {
    const path = `/v2/app/manifests/${reference}`;
    const read = await ask(registry.url, { path });
    assert.equal(read.status, 404);
    assert.equal(read.error, 'MANIFEST_UNKNOWN');
    assert.equal((await ask(registry.url, { path, method: 'HEAD' })).status, 404);
    const pushed = await putManifest(registry.url, 'app', reference, IMAGE);
    assert.equal(pushed.status, 400);
  }
});
