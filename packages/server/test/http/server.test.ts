import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Door } from '../../src/http/exchange.ts';
import { HTTP_LIMITS } from '../../src/http/limits.ts';
import { type HttpServer, listen } from '../../src/http/server.ts';
import { faultOf } from '../storage/expectations.ts';

const DOOR: Door = {
  prefix: '/echo',
  async handle(request) {
    switch (request.segments[0]) {
      case 'defect':
        throw new Error('the password is 1234');
      case 'slow':
        await sleep(150);
        return { status: 200, body: 'slow' };
      case 'stream':
        return {
          status: 200,
          headers: { 'content-length': 6, 'content-type': 'application/octet-stream' },
          body: Readable.from([Buffer.from('str'), Buffer.from('eam')], { objectMode: false }),
        };
      case 'early':
        return { status: 413, body: 'no' };
      default: {
        let length = 0;
        for await (const chunk of request.body()) length += chunk.length;
        return { status: 200, body: `${request.method} ${length}` };
      }
    }
  },
  refuse: (fault) => ({ status: 499, body: fault.name }),
};

function start(limits: Partial<typeof HTTP_LIMITS> = {}): Promise<HttpServer> {
  return listen([DOOR], {}, { ...HTTP_LIMITS, ...limits });
}

async function raw(server: HttpServer, request: string): Promise<string> {
  const socket: Socket = connect(server.port, server.host);
  socket.write(request);
  return text(socket);
}

const CLOSE = 'host: x\r\nconnection: close\r\n';

test('it listens on loopback unless told otherwise', async () => {
  await using server = await start();
  assert.equal(server.host, '127.0.0.1');
});

test('a port that is taken is http.listen', async () => {
  await using server = await start();
  await assert.rejects(listen([DOOR], { port: server.port }), faultOf('http.listen'));
});

const ANSWERS = [
  {
    name: 'a body',
    request: `PUT /echo HTTP/1.1\r\n${CLOSE}content-length: 3\r\n\r\nabc`,
    expect: /^HTTP\/1\.1 200 [\s\S]*PUT 3$/,
  },
  {
    name: 'a chunked body',
    request: `PATCH /echo/ HTTP/1.1\r\n${CLOSE}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    expect: /PATCH 3$/,
  },
  {
    name: 'a DELETE without a body',
    request: `DELETE /echo/x HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /DELETE 0$/,
  },
  {
    name: 'a stream',
    request: `GET /echo/stream HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /\r\n\r\nstream$/,
  },
  {
    name: 'the HEAD of a stream',
    request: `HEAD /echo/stream HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /content-length: 6[\s\S]*\r\n\r\n$/,
  },
  {
    name: 'another path',
    request: `GET /echoes HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /^HTTP\/1\.1 404 [\s\S]*http\.not-found/,
  },
  {
    name: 'a climb out of the door',
    request: `GET /echo/../x HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /^HTTP\/1\.1 499 [\s\S]*TrustFault$/,
  },
  {
    name: 'a malformed escape',
    request: `GET /echo/%zz HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /^HTTP\/1\.1 4\d\d /,
  },
  {
    name: 'a Content-Type that is none',
    request: `PUT /echo HTTP/1.1\r\n${CLOSE}content-type: <script>\r\ncontent-length: 1\r\n\r\na`,
    expect: /^HTTP\/1\.1 499 /,
  },
  {
    name: 'an absolute target',
    request: `GET http://x/echo HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /^HTTP\/1\.1 200 [\s\S]*GET 0$/,
  },
  {
    name: 'an absolute target without a path',
    request: `GET http://x?a HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /^HTTP\/1\.1 404 /,
  },
  {
    name: 'an absolute target with two Host headers, which do not count',
    request: `GET http://x/echo HTTP/1.1\r\nhost: y\r\n${CLOSE}\r\n`,
    expect: /^HTTP\/1\.1 200 /,
  },
  {
    name: 'an absolute target of another scheme',
    request: `GET https://x/echo HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /^HTTP\/1\.1 400 [\s\S]*http\.path-invalid/,
  },
  {
    name: 'an absolute target with a name and a password',
    request: `GET http://a:b@x/echo HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /^HTTP\/1\.1 499 /,
  },
  {
    name: 'HTTP/1.0 without a host',
    request: 'GET /echo HTTP/1.0\r\n\r\n',
    expect: /^HTTP\/1\.1 200 [\s\S]*GET 0$/,
  },
  {
    name: 'HTTP/1.1 without a host',
    request: 'GET /nothing HTTP/1.1\r\nconnection: close\r\n\r\n',
    expect: /^HTTP\/1\.1 400 [\s\S]*nosniff[\s\S]*http\.host-invalid/,
  },
  {
    name: 'an expectation that nobody knows',
    request: `GET /echo HTTP/1.1\r\n${CLOSE}expect: 200-maybe\r\n\r\n`,
    expect: /^HTTP\/1\.1 200 /,
  },
  {
    name: 'a tunnel',
    request: `CONNECT x:443 HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /^HTTP\/1\.1 501 [\s\S]*nosniff[\s\S]*http\.request-invalid/,
  },
  {
    name: 'a method that nobody knows',
    request: `BREW /echo HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /^HTTP\/1\.1 501 [\s\S]*http\.request-invalid/,
  },
  {
    name: 'a tunnel after a request that is not answered yet',
    request: `GET /echo/stream HTTP/1.1\r\nhost: x\r\n\r\nCONNECT x:443 HTTP/1.1\r\n${CLOSE}\r\n`,
    expect: /^(?:$|HTTP\/1\.1 200 )/,
  },
  { name: 'no HTTP', request: 'hello\r\n\r\n', expect: /^HTTP\/1\.1 400 / },
  {
    name: 'two lengths',
    request: `PUT /echo HTTP/1.1\r\n${CLOSE}content-length: 1\r\ncontent-length: 2\r\n\r\nab`,
    expect: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'a length and chunks',
    request: `PUT /echo HTTP/1.1\r\n${CLOSE}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    expect: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'headers that are too large',
    request: `GET /echo HTTP/1.1\r\n${CLOSE}x: ${'a'.repeat(40_000)}\r\n\r\n`,
    expect: /^HTTP\/1\.1 431 /,
  },
];

for (const { name, request, expect } of ANSWERS) {
  test(`${name} is answered`, async () => {
    await using server = await start();
    const answer = await raw(server, request);
    assert.match(answer, expect);
    assert.doesNotMatch(answer, /content-type: text\/html/i);
  });
}

test('every answer has nosniff: a door’s, a 404, and what is no HTTP', async () => {
  await using server = await start();
  const lines = ['/echo', '/echo/defect', '/nothing', '/', '/%zz', 'no target'];
  for (const path of lines) {
    const answer = await raw(server, `GET ${path} HTTP/1.1\r\n${CLOSE}\r\n`);
    assert.match(answer, /x-content-type-options: nosniff/, path);
  }
});

test('a refusal keeps the connection, unless a body is still coming', async () => {
  await using server = await start();
  const refused = 'DELETE /echo/../x HTTP/1.1\r\nhost: x\r\n\r\n';
  const both = await raw(server, `${refused}GET /echo HTTP/1.1\r\n${CLOSE}\r\n`);
  assert.match(both, /^HTTP\/1\.1 499 [\s\S]*HTTP\/1\.1 200 /);
  const head = 'PUT /echo/early HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc';
  const socket = connect(server.port, server.host);
  socket.write(head);
  const [first] = (await once(socket, 'data')) as [Buffer];
  // The rest, for which the answer would wait a while before it ends.
  socket.write('defghi');
  assert.match(first.toString() + (await text(socket)), /^HTTP\/1\.1 413 [\s\S]*connection: close/);
});

test('a refusal reaches who goes on sending until all is sent', async () => {
  await using server = await start();
  const body = Buffer.alloc(32 << 20);
  const head = `PUT /echo/early HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
  const socket = connect({ port: server.port, host: server.host, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.write(Buffer.concat([Buffer.from(head), body]), () => resolve());
  });
  // Only now does the sender look whether there is an answer.
  assert.match(await text(socket), /^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*\r\n\r\nno$/);
  socket.destroy();
});

test('a sender that waits to be told to go on is told when its body is wanted', async () => {
  await using server = await start();
  const expecting =
    'host: x\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n';
  const socket = connect(server.port, server.host);
  socket.write(`PUT /echo HTTP/1.1\r\n${expecting}`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  assert.match(first.toString(), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  socket.write('abc');
  assert.match(await text(socket), /^HTTP\/1\.1 200 [\s\S]*PUT 3$/);
  const refused = await raw(server, `PUT /echo/early HTTP/1.1\r\n${expecting}`);
  assert.match(refused, /^HTTP\/1\.1 413 [\s\S]*connection: close/, 'not told to go on');
  const old = `PUT /echo HTTP/1.0\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nabc`;
  assert.match(await raw(server, old), /^HTTP\/1\.1 200 /, 'who speaks 1.0 does not wait');
});

test('a defect does not tell its message', async () => {
  await using server = await start();
  const answer = await raw(server, `GET /echo/defect HTTP/1.1\r\n${CLOSE}\r\n`);
  assert.doesNotMatch(answer, /1234/);
});

test('a connection on which nothing moves is closed', async () => {
  await using server = await start({ idleMs: 100 });
  const answer = await raw(server, 'PUT /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc');
  assert.doesNotMatch(answer, /200/);
});

test('headers that come a byte at a time are refused, and the connection ends', async () => {
  await using server = await start({ headersMs: 100 });
  const socket = connect(server.port, server.host);
  socket.on('error', () => {});
  const dribble = setInterval(() => socket.write('a'), 20);
  socket.write('GET /echo HTTP/1.1\r\nhost: x\r\nx: ');
  const answer = await text(socket);
  clearInterval(dribble);
  assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*nosniff/);
});

test('a kept connection is served to its end while the server closes, and told so', async () => {
  const server = await start();
  const socket = connect(server.port, server.host);
  socket.write('GET /echo/slow HTTP/1.1\r\nhost: x\r\n\r\n');
  await sleep(50);
  const closed = server.close();
  socket.write('GET /echo/after HTTP/1.1\r\nhost: x\r\n\r\n');
  const answer = await text(socket);
  await closed;
  assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*slow/);
});

test('close lets a request under way end, and takes no new one', async () => {
  const server = await start();
  const answer = raw(server, `GET /echo/slow HTTP/1.1\r\n${CLOSE}\r\n`);
  await sleep(50);
  await server.close();
  assert.match(await answer, /200[\s\S]*slow$/);
  await assert.rejects(raw(server, `GET /echo HTTP/1.1\r\n${CLOSE}\r\n`));
});

test('close does not wait for idle connections, nor for a stalled one past the drain', async () => {
  const server = await start({ drainMs: 200 });
  const idle = connect(server.port, server.host);
  idle.on('error', () => {});
  idle.write('GET /echo HTTP/1.1\r\nhost: x\r\n\r\n');
  const stalled = connect(server.port, server.host);
  stalled.on('error', () => {});
  stalled.write('PUT /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc');
  await sleep(50);
  const began = performance.now();
  await server.close();
  assert.ok(performance.now() - began < 3000);
});
