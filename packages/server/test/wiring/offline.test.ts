import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { actorOf, OPERATOR, OPERATOR_CALLER } from '../../src/access/actor.ts';
import type { ServerConfig } from '../../src/config/config.ts';
import { defaultConfig } from '../../src/config/parse.ts';
import { openStore } from '../../src/store.ts';
import { SYSTEM_CLOCKS } from '../../src/wiring/clocks.ts';
import { openOffline } from '../../src/wiring/offline.ts';

async function configOf(t: TestContext): Promise<ServerConfig> {
  const data = await mkdtemp(join(tmpdir(), 'bulla-offline-'));
  t.after(() => rm(data, { recursive: true }));
  return { ...defaultConfig(data), data };
}

const call = (method: string, segments: readonly string[], body: object | null = null) => {
  return { method, segments, query: {}, body };
};

test('a folder without data, and a store in memory, are refused and stay as they are', async (t) => {
  const config = await configOf(t);
  const missing = { code: 'server.data-missing' };
  await assert.rejects(openOffline(config, SYSTEM_CLOCKS), missing);
  assert.deepEqual(await readdir(config.data), []);
  const storage = { ...config.storage, tables: 'memory' } as const;
  await assert.rejects(openOffline({ ...config, storage }, SYSTEM_CLOCKS), missing);
});

test('users are administered also where the record has no key, and none is made', async (t) => {
  const config = await configOf(t);
  await (await openStore({ store: 'embedded', folder: config.data }, SYSTEM_CLOCKS))[
    Symbol.asyncDispose
  ]();
  await using offline = await openOffline(config, SYSTEM_CLOCKS);
  const added = await offline.call(call('POST', ['users'], { name: 'ann', role: 'owner' }));
  assert.equal(added.status, 200);
  await assert.rejects(offline.call(call('GET', ['decisions'])), { code: 'record.head-missing' });
  await assert.rejects(offline.prune(new Date()), { code: 'record.head-missing' });
  assert.ok(!(await readdir(config.data)).includes('record.key'));
  for (const [segments, code] of [
    [['session'], 'http.not-found'],
    [['nothing'], 'http.not-found'],
  ] as const) {
    await assert.rejects(offline.call(call('GET', segments)), { code });
  }
  await assert.rejects(offline.call(call('POST', ['users'], { name: 'x' })), {
    code: 'http.request-invalid',
  });
});

test('a folder that is open already is storage.locked', async (t) => {
  const config = await configOf(t);
  await using _store = await openStore({ store: 'embedded', folder: config.data }, SYSTEM_CLOCKS);
  await assert.rejects(openOffline(config, SYSTEM_CLOCKS), { code: 'storage.locked' });
});

test('the operator is known by being that object, never by what a caller says', () => {
  assert.equal(actorOf(OPERATOR_CALLER), OPERATOR);
  assert.throws(() => actorOf({ ...OPERATOR_CALLER }), { code: 'access.unauthenticated' });
  const { permissions, repositories, ...claimed } = actorOf({ ...OPERATOR_CALLER, user: 'u' });
  assert.deepEqual(claimed, { kind: 'user', id: 'operator', name: OPERATOR.name, user: 'u' });
  assert.ok(permissions.size > 0 && repositories.length > 0);
});
