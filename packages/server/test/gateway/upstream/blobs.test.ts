import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { GATEWAY_CONFIG } from '../../../src/gateway/config.ts';
import { OPEN_PORTS } from '../../../src/gateway/ports.ts';
import { createGateway } from '../../../src/gateway/service.ts';
import { startRegistry } from '../../../src/registry.ts';
import { openMemory } from '../../../src/storage/memory/open.ts';
import { ask, digestOf, EMPTY, OCI_MANIFEST } from '../client.ts';
import { person } from '../people.ts';
import { startLiar, upstreamAt } from './kit.ts';

/** More than waits in memory for a reader, and than sockets swallow. */
const LARGE = randomBytes(40 << 20);
const DIGEST = digestOf(LARGE);
const IMAGE = JSON.stringify({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: { mediaType: EMPTY, digest: digestOf('{}'), size: 2 },
  layers: [{ mediaType: 'application/octet-stream', digest: DIGEST, size: LARGE.length }],
});
const PATH = `/v2/up/app/blobs/${DIGEST}`;

/** An upstream whose blob comes when the test says so. */
async function openUpstream(t: TestContext, send: (response: ServerResponse, n: number) => void) {
  let blobs = 0;
  const upstream = await startLiar(({ url = '', method }, response) => {
    if (url.endsWith(DIGEST)) {
      response.setHeader('content-length', LARGE.length);
      send(response, blobs++);
      return;
    }
    response.setHeader('content-type', OCI_MANIFEST);
    response.setHeader('docker-content-digest', digestOf(IMAGE));
    response.setHeader('content-length', IMAGE.length);
    response.end(method === 'HEAD' ? undefined : IMAGE);
  });
  t.after(() => upstream[Symbol.asyncDispose]());
  return { host: upstream.host, blobs: () => blobs };
}

async function openGateway(t: TestContext, host: string, maxBytes?: number) {
  const store = openMemory(maxBytes === undefined ? {} : { maxBytes });
  const upstreams = [upstreamAt(host, { timeoutMs: 30_000 })];
  const gateway = await startRegistry({ storage: 'opened', store }, { config: { upstreams } });
  t.after(() => gateway.close());
  assert.equal((await ask(gateway.url, { path: '/v2/up/app/manifests/v1' })).status, 200);
  return gateway.url;
}

/** The answer to a GET of the blob, its body not yet read. */
async function begin(url: string) {
  const sent = request(`${url}${PATH}`).end();
  sent.on('error', () => {});
  const [response] = await once(sent, 'response');
  return { sent, response };
}

async function readWhole(url: string): Promise<void> {
  const { response } = await begin(url);
  assert.equal(response.statusCode, 200);
  assert.equal(digestOf(await buffer(response)), DIGEST);
}

test('pulls of one blob at the same time share one fetch', async (t) => {
  const gate = Promise.withResolvers<void>();
  const upstream = await openUpstream(t, (response) => {
    response.flushHeaders();
    void gate.promise.then(() => response.end(LARGE));
  });
  const config = { ...GATEWAY_CONFIG, upstreams: [upstreamAt(upstream.host)] };
  await using store = openMemory();
  const { objects, registers } = store;
  const clock = () => new Date();
  const gateway = createGateway({ objects, registers, config, ports: OPEN_PORTS, clock });
  const place = gateway.places.locate('up/app');
  const caller = {
    principal: person('nobody'),
    facts: { id: '', remoteAddress: '', userAgent: '' },
  };
  await gateway.pullManifest(place, { tag: 'v1' }, caller);
  const read = async () => {
    const blob = await gateway.pullBlob(place, DIGEST, caller, false);
    return blob.read({ from: 0, length: blob.size });
  };
  // The upstream has answered, and no byte of the content has come yet.
  const streams = await Promise.all([read(), read(), read()]);
  gate.resolve();
  const bodies = await Promise.all(
    streams.flatMap((one) => (one instanceof Readable ? [buffer(one)] : [])),
  );
  assert.deepEqual(bodies.map(digestOf), [DIGEST, DIGEST, DIGEST]);
  await read();
  assert.equal(upstream.blobs(), 1);
  await gateway.close();
});

test('a client that goes away leaves whole content behind', async (t) => {
  const gate = Promise.withResolvers<void>();
  const upstream = await openUpstream(t, (response) => {
    response.write(LARGE.subarray(0, 1 << 20));
    void gate.promise.then(() => response.end(LARGE.subarray(1 << 20)));
  });
  const url = await openGateway(t, upstream.host);
  const { sent, response } = await begin(url);
  await once(response, 'data');
  sent.destroy();
  gate.resolve();
  await readWhole(url);
  await readWhole(url);
});

test('a slow client holds up nobody, and gets the right bytes in the end', async (t) => {
  const upstream = await openUpstream(t, (response) => void response.end(LARGE));
  const url = await openGateway(t, upstream.host);
  const { response } = await begin(url);
  // Not read: its queue overflows, and the rest is to come from the store.
  const others = Array.from({ length: 3 }, () => readWhole(url));
  await Promise.all(others);
  assert.equal(digestOf(await buffer(response)), DIGEST);
});

test('who comes in the middle of a large fetch need not wait for its end', async (t) => {
  const gate = Promise.withResolvers<void>();
  const upstream = await openUpstream(t, (response, n) => {
    if (n > 0) {
      response.end(LARGE);
      return;
    }
    response.write(LARGE.subarray(0, 1 << 20));
    void gate.promise.then(() => response.end(LARGE.subarray(1 << 20)));
  });
  const url = await openGateway(t, upstream.host);
  const { response } = await begin(url);
  await once(response, 'data');
  response.pause();
  await readWhole(url);
  gate.resolve();
  response.resume();
  await once(response, 'end');
});

test('a store without room passes the content on all the same', async (t) => {
  const upstream = await openUpstream(t, (response) => void response.end(LARGE));
  const url = await openGateway(t, upstream.host, 1 << 20);
  await readWhole(url);
  await readWhole(url);
  assert.ok(upstream.blobs() >= 2, 'nothing was kept');
});

test('a range of what is not here yet is answered whole, and of what is, in part', async (t) => {
  const upstream = await openUpstream(t, (response) => void response.end(LARGE));
  const url = await openGateway(t, upstream.host);
  const part = () => ask(url, { path: PATH, headers: { range: 'bytes=5-9' } });
  const whole = await part();
  assert.equal(whole.status, 200);
  assert.equal(digestOf(whole.body), DIGEST);
  const some = await part();
  assert.equal(some.status, 206);
  assert.deepEqual(some.body, LARGE.subarray(5, 10));
});
