import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRegistryStore } from '@bulla/trust/oci/registry/registry-store';
import { image, sample } from '../sample.ts';
import { answer, options, scripted } from './scripted.ts';

const TIMEOUT_MS = 250;
const { manifest } = image('layer');

/** Writes `piece` every 20 ms for as long as somebody listens. */
function drip(write: (piece: string) => void, response: ServerResponse, piece: string): void {
  const timer = setInterval(() => {
    if (response.destroyed || response.socket?.destroyed !== false) clearInterval(timer);
    else write(piece);
  }, 20);
}

describe('an answer that never ends', () => {
  const cases = [
    {
      name: 'in its headers',
      script: (response: ServerResponse) => {
        response.socket?.write('HTTP/1.1 200 OK\r\n');
        drip((piece) => response.socket?.write(piece), response, 'x-a: b\r\n');
      },
    },
    {
      name: 'in its body',
      script: (response: ServerResponse) => {
        response.writeHead(200, { 'content-type': manifest.mediaType });
        drip((piece) => response.write(piece), response, ' ');
      },
    },
    {
      name: 'in its body, after a fast start',
      script: (response: ServerResponse) => {
        response.writeHead(200, { 'content-type': manifest.mediaType });
        response.write(' '.repeat(2 << 20));
        drip((piece) => response.write(piece), response, ' ');
      },
    },
  ];
  for (const { name, script } of cases) {
    it(`${name} is late by the timeout, not by the largest size`, async () => {
      await using server = await scripted((_, response) => script(response));
      const started = Date.now();
      const store = server.store({ timeoutMs: TIMEOUT_MS });
      await assert.rejects(store.manifest('v1'), { code: 'registry.timeout' });
      assert.ok(Date.now() - started < 8 * TIMEOUT_MS);
    });
  }
});

describe('a slow exchange', () => {
  it('may take longer than the timeout while bytes move', async () => {
    const blob = sample(Buffer.alloc(40 * 16_000, 1), 'application/octet-stream');
    await using server = await scripted((_, response) => {
      response.writeHead(200);
      let at = 0;
      const timer = setInterval(() => {
        response.write(blob.bytes.subarray(at, at + 16_000));
        at += 16_000;
        if (at < blob.size) return;
        clearInterval(timer);
        response.end();
      }, 20);
    });
    const bytes = await server.store({ timeoutMs: TIMEOUT_MS }).blob(blob);
    assert.equal(bytes?.length, blob.size);
  });
  it('is not the connection’s fault when the reader of a stream is slow', async () => {
    const blob = sample(Buffer.alloc(1 << 20, 1), 'application/octet-stream');
    await using server = await scripted((_, response) => answer(response, 200, {}, blob.bytes));
    const stream = await server.store({ timeoutMs: TIMEOUT_MS }).blobStream(blob);
    let size = 0;
    for await (const chunk of stream ?? []) {
      if (size === 0) await sleep(2 * TIMEOUT_MS);
      size += chunk.length;
    }
    assert.equal(size, blob.size);
  });
});

describe('a registry that keeps requests waiting', () => {
  it('is not asked ten thousand times', async () => {
    await using server = await scripted(() => {});
    const store = server.store({ timeoutMs: 50 });
    for (let asked = 0; asked < 20; asked++) {
      await assert.rejects(store.manifest(`v${asked}`), { code: 'registry.timeout' });
    }
    assert.equal(server.seen.length, 4);
  });
  it('is asked again after a while', async () => {
    let nowMs = 0;
    await using server = await scripted((_, response, at) => {
      if (at >= 4) answer(response, 200, { 'content-type': manifest.mediaType }, manifest.bytes);
    });
    const store = server.store({ timeoutMs: 50, now: () => nowMs });
    for (let asked = 0; asked < 5; asked++) {
      await assert.rejects(store.manifest('v1'), { code: 'registry.timeout' });
    }
    nowMs = 120_000;
    assert.equal((await store.manifest('v1'))?.digest, manifest.digest);
  });
  it('of one repository does not keep the others of its registry from being asked', async () => {
    await using server = await scripted(({ url }, response) => {
      // The attacker publishes an image whose manifest never comes.
      if (url.startsWith('/v2/slow/')) return;
      answer(response, 200, { 'content-type': manifest.mediaType }, manifest.bytes);
    });
    const shared = options({ timeoutMs: 50 });
    const open = (repository: string) =>
      openRegistryStore({ kind: 'registry', registry: server.host, repository }, shared);
    for (let asked = 0; asked < 6; asked++) {
      await assert.rejects(open('slow').manifest('v1'), { code: 'registry.timeout' });
    }
    assert.equal(server.seen.length, 4, 'it is not waited for again and again');
    assert.equal((await open('app').manifest('v1'))?.digest, manifest.digest);
  });
  it('by Retry-After is not waited for beyond the timeout', async () => {
    await using server = await scripted((_, response) =>
      answer(response, 503, { 'retry-after': '15' }),
    );
    const store = server.store({ timeoutMs: 50 });
    await assert.rejects(store.manifest('v1'), { code: 'registry.server-error' });
    assert.equal(server.seen.length, 1);
  });
});
