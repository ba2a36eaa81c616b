import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import test from 'node:test';
import { callService, type ServiceRequest } from '@bulla/trust/clients/service-request';
import { reply, scriptedService } from './scripted-service.ts';

function requestTo(url: string, changes: Partial<ServiceRequest> = {}): ServiceRequest {
  return {
    url,
    contentType: 'text/plain',
    accept: 'text/plain',
    body: Buffer.from('question'),
    maxBytes: 100,
    timeoutMs: 5000,
    ...changes,
  };
}

const NOW = { 'Retry-After': '0' };

test('the question arrives whole, and the answer too', async (t) => {
  const { url, seen } = await scriptedService(t, [reply(201, 'answer', { 'X-Log-Index': '7' })]);
  const answer = await callService(requestTo(`${url}/path?a=b`));
  assert.equal(answer.status, 201);
  assert.equal(Buffer.from(answer.body).toString(), 'answer');
  assert.equal(answer.headers['x-log-index'], '7');
  const [request] = seen;
  assert.equal(request?.method, 'POST');
  assert.equal(request?.path, '/path?a=b');
  assert.equal(Buffer.from(request?.body ?? []).toString(), 'question');
  assert.equal(request?.headers['content-type'], 'text/plain');
  assert.equal(request?.headers['content-length'], '8');
});

test('a busy service is asked again, four times at most', async (t) => {
  const calm = await scriptedService(t, [
    reply(429, '', NOW),
    reply(503, '', NOW),
    reply(200, 'ok'),
  ]);
  assert.equal((await callService(requestTo(calm.url))).status, 200);
  assert.equal(calm.seen.length, 3);
  const busy = await scriptedService(t, [reply(503, '', NOW)]);
  await assert.rejects(callService(requestTo(busy.url)), { code: 'service.busy' });
  assert.equal(busy.seen.length, 4);
});

test('a service that failed is not asked again, because it may have acted', async (t) => {
  const { url, seen } = await scriptedService(t, [reply(500, 'no')]);
  assert.equal((await callService(requestTo(url))).status, 500);
  assert.equal(seen.length, 1);
});

test('a wait that the service asks for ends at the deadline', async (t) => {
  const { url } = await scriptedService(t, [reply(503, '', { 'Retry-After': '600' })]);
  const call = callService(requestTo(url, { timeoutMs: 200 }));
  await assert.rejects(call, { code: 'service.timeout' });
});

const BROKEN = [
  {
    name: 'redirects',
    answer: reply(307, '', { Location: 'http://127.0.0.1:1/' }),
    expect: 'service.redirect',
  },
  { name: 'answers too much', answer: reply(200, 'x'.repeat(101)), expect: 'service.answer-limit' },
] as const;

for (const { name, answer, expect } of BROKEN) {
  test(`a service that ${name}: ${expect}`, async (t) => {
    const { url, seen } = await scriptedService(t, [answer]);
    await assert.rejects(callService(requestTo(url)), { code: expect });
    assert.equal(seen.length, 1);
  });
}

test('a service that never ends its answer is left at the limit', async (t) => {
  const { url } = await scriptedService(t, [
    (response) => {
      const timer = setInterval(() => response.write('x'.repeat(50)), 5);
      response.on('close', () => clearInterval(timer));
    },
  ]);
  await assert.rejects(callService(requestTo(url)), { code: 'service.answer-limit' });
});

for (const stage of ['head', 'body'] as const) {
  test(`a service that stalls before its ${stage} is left at the deadline`, async (t) => {
    const { url } = await scriptedService(t, [
      (response) => {
        if (stage === 'body') response.writeHead(200).write('x');
      },
    ]);
    const call = callService(requestTo(url, { timeoutMs: 200 }));
    await assert.rejects(call, { code: 'service.timeout' });
  });
}

test('the caller can give up', async (t) => {
  const { url } = await scriptedService(t, [() => undefined]);
  const abort = new AbortController();
  const call = callService(requestTo(url, { signal: abort.signal }));
  setTimeout(() => abort.abort(), 50);
  await assert.rejects(call, { code: 'service.cancelled' });
  const late = callService(requestTo(url, { signal: abort.signal }));
  await assert.rejects(late, { code: 'service.cancelled' });
});

test('a connection that breaks or is refused is an unreachable service', async (t) => {
  const broken = await scriptedService(t, [(response) => void response.socket?.destroy()]);
  await assert.rejects(callService(requestTo(broken.url)), { code: 'service.unreachable' });
  const cut = await scriptedService(t, [
    (response) => {
      response.writeHead(200, { 'Content-Length': '50' }).write('x');
      setTimeout(() => response.socket?.destroy(), 20);
    },
  ]);
  await assert.rejects(callService(requestTo(cut.url)), { code: 'service.unreachable' });
  // Port 1 is nobody's.
  await assert.rejects(callService(requestTo('http://127.0.0.1:1')), {
    code: 'service.unreachable',
  });
});

test('what answers and speaks no HTTP is an unreachable service', async (t) => {
  const server = createServer((socket) => socket.end('SSH-2.0-none\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const call = callService(requestTo(`http://127.0.0.1:${port}`));
  await assert.rejects(call, { code: 'service.unreachable' });
});

for (const url of ['', 'log.example', 'ftp://log.example', 'https://user:secret@log.example']) {
  test(`${JSON.stringify(url)} is no address of a service`, async () => {
    await assert.rejects(
      callService(requestTo(url)),
      (error: { code: string; message: string }) => {
        assert.equal(error.code, 'service.url');
        assert.ok(!error.message.includes('secret'));
        return true;
      },
    );
  });
}
