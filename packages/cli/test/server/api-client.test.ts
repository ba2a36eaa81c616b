import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Api } from '../../src/server/api.ts';
import { openApiClient } from '../../src/server/api-client.ts';

const TOKEN = 'bulla_token';

/** A server that answers as it is told, and counts. */
async function startAnswering(
  answer: (reply: ServerResponse, count: number, authorization: string) => void,
): Promise<AsyncDisposable & { readonly api: Api; readonly count: () => number }> {
  let count = 0;
  const server = createServer((request, reply) => {
    count += 1;
    answer(reply, count, request.headers.authorization ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    api: openApiClient({
      url: `http://127.0.0.1:${port}`,
      token: TOKEN,
      ca: null,
      signal: new AbortController().signal,
    }),
    count: () => count,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function problem(reply: ServerResponse, status: number, body: object): void {
  reply.writeHead(status, { 'content-type': 'application/problem+json' });
  reply.end(JSON.stringify({ status, message: 'm', remedy: 'r', ...body }));
}

const GET = { method: 'GET', path: ['users'], timeoutMs: 2000 } as const;

test('whatever answers, its faults have a code', async (t) => {
  const cases: readonly {
    name: string;
    answer: (reply: ServerResponse) => void;
    code: string;
  }[] = [
    {
      name: 'a problem',
      answer: (reply) => problem(reply, 403, { code: 'access.denied' }),
      code: 'access.denied',
    },
    {
      name: 'a problem of a newer server',
      answer: (reply) => problem(reply, 403, { code: 'access.novel' }),
      code: 'server.refused',
    },
    {
      name: 'a problem without a code',
      answer: (reply) => problem(reply, 403, {}),
      code: 'server.answer-malformed',
    },
    {
      name: 'a page of a proxy',
      answer: (reply) => reply.writeHead(502, { 'content-type': 'text/html' }).end('<h1>'),
      code: 'server.answer-malformed',
    },
    {
      name: 'a redirect, which is not followed',
      answer: (reply) => reply.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      code: 'server.answer-malformed',
    },
    {
      name: 'no JSON',
      answer: (reply) => reply.end('<h1>'),
      code: 'json.malformed',
    },
    {
      name: 'an answer that is too large',
      answer: (reply) => {
        reply.on('error', () => undefined);
        reply.end(Buffer.alloc((32 << 20) + 1, 0x20));
      },
      code: 'server.answer-malformed',
    },
    {
      name: 'a connection that breaks off',
      answer: (reply) => {
        reply.writeHead(200, { 'content-length': 100 });
        reply.write('{', () => reply.destroy());
      },
      code: 'server.unreachable',
    },
    { name: 'silence', answer: () => undefined, code: 'server.timeout' },
    {
      name: 'silence in the middle',
      answer: (reply) => void reply.write('{'),
      code: 'server.timeout',
    },
  ];
  for (const { name, answer, code } of cases) {
    for (const form of ['json', 'chunks'] as const) {
      // What is streamed has no form and no bound.
      if (form === 'chunks' && /no JSON|too large/.test(name)) continue;
      await t.test(`${name}, as ${form}`, async () => {
        await using server = await startAnswering(answer);
        const ask = async () => {
          if (form === 'json') return server.api.json(GET);
          const parts: Uint8Array[] = [];
          for await (const part of server.api.chunks(GET)) parts.push(part);
          return parts;
        };
        await assert.rejects(ask, (error) => {
          assert.ok(error instanceof TrustFault, String(error));
          assert.equal(error.code, code);
          assert.ok(!error.message.includes(TOKEN));
          return true;
        });
        assert.equal(server.count(), 1);
      });
    }
  }
});

test('a GET is tried again while the server is busy, a change never', async (t) => {
  const busyTwice = (reply: ServerResponse, count: number) => {
    if (count > 2) reply.end('{"ok":true}');
    else {
      reply.setHeader('retry-after', '0');
      problem(reply, 503, { code: 'access.busy' });
    }
  };
  await t.test('GET', async () => {
    await using server = await startAnswering(busyTwice);
    assert.deepEqual({ ...Object(await server.api.json(GET)) }, { ok: true });
    assert.equal(server.count(), 3);
  });
  await t.test('POST', async () => {
    await using server = await startAnswering(busyTwice);
    const post = { ...GET, method: 'POST', body: {} } as const;
    await assert.rejects(server.api.json(post), { code: 'access.busy' });
    assert.equal(server.count(), 1);
  });
});

test('the token goes to the server, and an answer without content is null', async () => {
  let seen = '';
  await using server = await startAnswering((reply, _, authorization) => {
    seen = authorization;
    reply.writeHead(204).end();
  });
  assert.equal(await server.api.json(GET), null);
  assert.equal(seen, `Bearer ${TOKEN}`);
});

test('the user’s interrupt ends a call', async () => {
  await using server = await startAnswering(() => undefined);
  const abort = new AbortController();
  const api = openApiClient({
    url: server.api.origin ?? '',
    token: TOKEN,
    ca: null,
    signal: abort.signal,
  });
  const asked = api.json({ ...GET, timeoutMs: 60_000 });
  abort.abort();
  await assert.rejects(asked, { code: 'usage.interrupted' });
});
