import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { createLog } from '../../src/http/log.ts';
import { startTelemetry } from '../../src/http/telemetry.ts';
import { faultOf } from '../storage/expectations.ts';
import { requestOf } from './request.ts';

const log = createLog('silent');

test('without the SDK installed it is config.telemetry-missing', async () => {
  const load = () => import('a-package-that-is-not-there' as '@opentelemetry/api');
  const started = startTelemetry({
    otlpEndpoint: 'http://127.0.0.1:1',
    version: '0',
    log,
    load: async () => {
      await load();
      throw new Error('it is there');
    },
  });
  await assert.rejects(started, faultOf('config.telemetry-missing'));
});

test('requests become spans at the collector, with codes and without messages', async () => {
  const received: Buffer[] = [];
  const collector = createServer((request, response) => {
    void buffer(request).then((body) => {
      received.push(Buffer.concat([Buffer.from(`${request.url} `), body]));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo;
  const otlpEndpoint = `http://127.0.0.1:${port}`;
  const telemetry = await startTelemetry({ otlpEndpoint, version: '1.2.3', log });
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const request = requestOf({ headers: { traceparent } });
  const reply = await telemetry.trace(request, '/v2', async () => ({ status: 200 }));
  assert.equal(reply.status, 200);
  const failed = telemetry.trace(request, '/v2', async () => {
    throw new TrustFault('http.not-found', 'a secret');
  });
  await assert.rejects(failed, faultOf('http.not-found'));
  await telemetry.close();
  const sent = Buffer.concat(received).toString('latin1');
  assert.match(sent, /^\/v1\/traces /);
  for (const part of ['GET /v2', 'bulla', '1.2.3', 'http.response.status_code', 'http.not-found']) {
    assert.ok(sent.includes(part), part);
  }
  assert.ok(sent.includes(Buffer.from(traceparent.split('-')[1] ?? '', 'hex').toString('latin1')));
  assert.ok(!sent.includes('a secret'));
  collector.close();
  await once(collector, 'close');
});
