import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import { openRegistryStore } from '@bulla/trust/oci/registry/registry-store';
import { image } from '../sample.ts';
import { answer, options, type Script, scripted } from './scripted.ts';

const { manifest } = image('layer');
const STATED = {
  'content-type': MEDIA_TYPES.ociManifest,
  'docker-content-digest': manifest.digest,
};
const good: Script = (_, response) => answer(response, 200, STATED, manifest.bytes);

describe('redirects to another origin', () => {
  it('go without credentials, and what is there is checked all the same', async () => {
    await using other = await scripted(good);
    await using server = await scripted((_, r) =>
      answer(r, 307, { location: `${other.origin}/elsewhere` }),
    );
    const found = await server.store({ token: 'secret' }).manifest('v1');
    assert.equal(found?.digest, manifest.digest);
    assert.equal(server.seen[0]?.headers.authorization, 'Bearer secret');
    assert.equal(other.seen[0]?.headers.authorization, undefined);
  });
  it('that ask for credentials get none', async () => {
    await using other = await scripted((_, r) =>
      answer(r, 401, { 'www-authenticate': 'Basic realm="x"' }),
    );
    await using server = await scripted((_, r) =>
      answer(r, 307, { location: `${other.origin}/elsewhere` }),
    );
    const store = server.store({ username: 'u', password: 'p' });
    await assert.rejects(store.manifest('v1'), { code: 'registry.unauthorized' });
    assert.deepEqual(
      other.seen.map(({ headers }) => headers.authorization),
      [undefined],
    );
  });
});

describe('a call that is given up', () => {
  it('before it began', async () => {
    await using server = await scripted(good);
    const signal = AbortSignal.abort();
    await assert.rejects(server.store().manifest('v1', { signal }), { code: 'registry.cancelled' });
  });
  it('while it waits', async () => {
    await using server = await scripted(() => {});
    const signal = AbortSignal.timeout(50);
    await assert.rejects(server.store().manifest('v1', { signal }), { code: 'registry.cancelled' });
  });
  it('while it waits to try again', async () => {
    await using server = await scripted((_, r) => answer(r, 503, { 'retry-after': '1' }));
    const signal = AbortSignal.timeout(50);
    await assert.rejects(server.store().manifest('v1', { signal }), { code: 'registry.cancelled' });
  });
});

describe('a host where nothing listens', () => {
  it('is unreachable at once', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      }),
    );
    await new Promise((resolve) => server.close(resolve));
    const reference = {
      kind: 'registry',
      registry: `127.0.0.1:${port}`,
      repository: 'app',
    } as const;
    const started = Date.now();
    await assert.rejects(openRegistryStore(reference, options()).manifest('v1'), {
      code: 'registry.unreachable',
    });
    assert.ok(Date.now() - started < 1_500);
  });
});

describe('connections', () => {
  it('are kept alive and shared by the stores of one object of options', async () => {
    const ports = new Set<number | undefined>();
    await using server = await scripted((one, response, at) => {
      ports.add(response.socket?.remotePort);
      return good(one, response, at);
    });
    const shared = options();
    const reference = { kind: 'registry', registry: server.host, repository: 'app' } as const;
    for (let at = 0; at < 5; at++) await openRegistryStore(reference, shared).manifest('v1');
    assert.equal(ports.size, 1);
  });
});
