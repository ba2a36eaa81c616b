import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Code } from '@bulla/trust/fault/codes';
import type { Door, HttpRequest } from '../../src/http/exchange.ts';
import { HTTP_LIMITS } from '../../src/http/limits.ts';
import type { Listener } from '../../src/http/listener.ts';
import type { Observed } from '../../src/http/observe.ts';
import { plainRefusal } from '../../src/http/reply.ts';
import { listen, type ServerOptions } from '../../src/http/server.ts';
import { faultOf } from '../storage/expectations.ts';

const FREE: Listener = { url: 'http://127.0.0.1:0' };

function facts({ id, remoteAddress, secure, host, listener, segments }: HttpRequest) {
  return { id, remoteAddress, secure, host, listener, segments };
}

const DOOR: Door = {
  prefix: '/facts',
  headers: { 'content-security-policy': 'sandbox', 'x-kind': 'door' },
  async handle(request) {
    if (request.segments[0] === 'split') {
      return { status: 200, headers: { 'x-name': 'a\r\nx-forged: 1' }, body: 'x' };
    }
    if (request.segments[0] === 'own') {
      return { status: 200, headers: { 'x-kind': 'reply' }, body: '' };
    }
    return { status: 200, body: JSON.stringify(facts(request)) };
  },
  refuse: (fault) => ({ ...plainRefusal(fault), headers: { 'x-refused': 'by the door' } }),
};
const DEEP: Door = { ...DOOR, prefix: '/facts/deep/er' };

async function get(
  port: number,
  path: string,
  headers: readonly string[] = [],
  host = '127.0.0.1',
) {
  const socket = connect(port, host);
  socket.write([`GET ${path} HTTP/1.1`, ...headers, 'connection: close', '', ''].join('\r\n'));
  const answer = await text(socket);
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  return { status: Number(head.slice(9, 12)), head, body };
}

function start(options: ServerOptions = {}, limits: Partial<typeof HTTP_LIMITS> = {}) {
  return listen([DOOR, DEEP], [FREE, FREE], { ...HTTP_LIMITS, ...limits }, options);
}

test('every listener serves the same doors, and a request knows where it came in', async () => {
  await using server = await start();
  const [one, two] = server.addresses;
  assert.ok(one !== undefined && two !== undefined && one.port !== two.port);
  for (const { port, url } of [one, two]) {
    const { status, body } = await get(port, '/facts/a', [`host: LocalHost:${port}`]);
    assert.equal(status, 200);
    const { id, ...rest } = JSON.parse(body);
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      remoteAddress: '127.0.0.1',
      secure: false,
      host: `localhost:${port}`,
      listener: url,
      segments: ['a'],
    });
  }
});

test('the longer prefix decides, and its segments are left away', async () => {
  await using server = await start();
  const { body } = await get(server.port, '/facts/deep/er/x', ['host: x']);
  assert.deepEqual(JSON.parse(body).segments, ['x']);
});

const IDS = [
  { given: '4bf92f3577b34da6a3ce929d0e0e4736', kept: true },
  { given: 'a', kept: true },
  { given: 'a'.repeat(65), kept: false },
  { given: 'a b', kept: false },
  { given: '{"level":"error"}', kept: false },
  { given: '', kept: false },
] as const;

for (const { given, kept } of IDS) {
  test(`the request id ${given.slice(0, 20)} is ${kept ? 'kept' : 'replaced'}, and given back`, async () => {
    await using server = await start();
    const { head, body } = await get(server.port, '/facts', ['host: x', `x-request-id: ${given}`]);
    const { id } = JSON.parse(body);
    assert.equal(id === given, kept);
    assert.ok(head.toLowerCase().includes(`x-request-id: ${id.toLowerCase()}`));
  });
}

test('a door’s headers are on all its answers, and give way to the answer’s own', async () => {
  await using server = await start();
  for (const path of ['/facts', '/facts/../x', '/facts/%zz']) {
    const { head } = await get(server.port, path, ['host: x']);
    assert.match(head, /content-security-policy: sandbox/, path);
  }
  const { head } = await get(server.port, '/facts/own', ['host: x']);
  assert.match(head, /x-kind: reply/);
  assert.doesNotMatch(head, /x-kind: door/);
});

const REFUSED: readonly {
  readonly name: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly status: number;
  readonly byDoor: boolean;
}[] = [
  {
    name: 'a foreign Host',
    path: '/facts',
    headers: ['host: evil.example'],
    status: 421,
    byDoor: true,
  },
  {
    name: 'two Hosts',
    path: '/facts',
    headers: ['host: localhost', 'host: a'],
    status: 400,
    byDoor: true,
  },
  {
    name: 'an encoded slash',
    path: '/facts/a%2fb',
    headers: ['host: localhost'],
    status: 400,
    byDoor: true,
  },
  {
    name: 'an encoded backslash',
    path: '/facts/a%5Cb',
    headers: ['host: localhost'],
    status: 400,
    byDoor: true,
  },
  {
    name: 'a malformed escape',
    path: '/facts/%zz',
    headers: ['host: localhost'],
    status: 400,
    byDoor: true,
  },
  {
    name: 'an encoded prefix',
    path: '/%66acts',
    headers: ['host: localhost'],
    status: 404,
    byDoor: false,
  },
  { name: 'a page', path: '/', headers: ['host: localhost'], status: 404, byDoor: false },
  {
    name: 'a page of the console',
    path: '/decisions',
    headers: ['host: localhost'],
    status: 404,
    byDoor: false,
  },
  {
    name: 'a target with the host of another server',
    path: 'http://evil.example/facts',
    headers: ['host: localhost'],
    status: 421,
    byDoor: true,
  },
  {
    name: 'a target of another scheme',
    path: 'https://localhost/facts',
    headers: ['host: localhost'],
    status: 400,
    byDoor: false,
  },
];

for (const { name, path, headers, status, byDoor } of REFUSED) {
  test(`${name} is ${status}${byDoor ? ' in the form of the door' : ''}, and never HTML`, async () => {
    await using server = await start({ hosts: new Set(['bulla.example']) });
    const { head, status: found } = await get(server.port, path, headers);
    assert.equal(found, status);
    assert.equal(/x-refused: by the door/.test(head), byDoor);
    assert.match(head, /x-content-type-options: nosniff/);
    assert.doesNotMatch(head, /text\/html/i);
  });
}

const LISTENERS: readonly {
  readonly name: string;
  readonly listener: Listener;
  readonly expect: Code | null;
}[] = [
  { name: 'loopback', listener: FREE, expect: null },
  { name: 'another loopback', listener: { url: 'http://127.0.0.2:0' }, expect: null },
  {
    name: 'every address',
    listener: { url: 'http://0.0.0.0:0' },
    expect: 'http.plain-not-loopback',
  },
  {
    name: 'every IPv6 address',
    listener: { url: 'http://[::]:0' },
    expect: 'http.plain-not-loopback',
  },
  {
    name: 'another host',
    listener: { url: 'http://192.0.2.1:0' },
    expect: 'http.plain-not-loopback',
  },
  {
    name: 'IPv4 in IPv6',
    listener: { url: 'http://[::ffff:0.0.0.0]:0' },
    expect: 'http.plain-not-loopback',
  },
  { name: 'zero as a number', listener: { url: 'http://0:0' }, expect: 'http.plain-not-loopback' },
  { name: 'a path', listener: { url: 'http://127.0.0.1:0/v2' }, expect: 'http.listen' },
  { name: 'another scheme', listener: { url: 'ftp://127.0.0.1:0' }, expect: 'http.listen' },
  { name: 'no URL', listener: { url: '127.0.0.1:0' }, expect: 'http.listen' },
  {
    name: 'TLS without a certificate',
    listener: { url: 'https://127.0.0.1:0' },
    expect: 'http.tls-invalid',
  },
];

for (const { name, listener, expect } of LISTENERS) {
  test(`listening on ${name} ${expect === null ? 'is possible' : `is ${expect}`}`, async () => {
    if (expect === null) {
      await using server = await listen([DOOR], [listener]);
      const { status } = await get(server.port, '/facts', ['host: x'], server.host);
      assert.equal(status, 200);
      return;
    }
    await assert.rejects(listen([DOOR], [listener]), faultOf(expect));
  });
}

test('a listener that cannot be had closes those before it', async () => {
  await using server = await start();
  const { port } = server;
  const free = await listen([DOOR]);
  const taken = free.port;
  await free.close();
  const two = [{ url: `http://127.0.0.1:${taken}` }, { url: `http://127.0.0.1:${port}` }];
  await assert.rejects(listen([DOOR], two), faultOf('http.listen'));
  await using again = await listen([DOOR], { port: taken });
  assert.equal(again.port, taken);
});

test('no listener at all is http.listen', async () => {
  await assert.rejects(listen([DOOR], []), faultOf('http.listen'));
});

test('a caller over its rate gets 429 and Retry-After in the form of the door', async () => {
  const clock = { nowMs: 0 };
  const limits = { rate: { perSecond: 0.5, burst: 2 }, rateLoopback: true };
  await using server = await start({ nowMs: () => clock.nowMs }, limits);
  const statuses: number[] = [];
  // A path that cannot be read, or that is no door's, counts as well.
  for (const path of ['/facts/%zz', '/nothing', '/facts']) {
    const { status, head } = await get(server.port, path, ['host: x']);
    statuses.push(status);
    if (status === 429)
      assert.match(head, /retry-after: 2\r\n[\s\S]*x-refused|x-refused[\s\S]*retry-after: 2/);
  }
  assert.deepEqual(statuses, [400, 404, 429]);
  clock.nowMs = 2000;
  assert.equal((await get(server.port, '/facts', ['host: x'])).status, 200);
});

test('loopback is not counted unless told so', async () => {
  await using server = await start({ nowMs: () => 0 }, { rate: { perSecond: 1, burst: 1 } });
  for (let count = 0; count < 5; count++) {
    assert.equal((await get(server.port, '/facts', ['host: x'])).status, 200);
  }
});

test('a caller whose credentials were verified is counted by name', async () => {
  const limits = { rate: { perSecond: 1, burst: 1 }, rateLoopback: true };
  const callerOf = (request: HttpRequest) => request.header('x-user') ?? null;
  await using server = await start({ nowMs: () => 0, callerOf }, limits);
  const statusOf = async (...headers: string[]) =>
    (await get(server.port, '/facts', ['host: x', ...headers])).status;
  assert.equal(await statusOf('x-user: a'), 200);
  assert.equal(await statusOf('x-user: a'), 429);
  assert.equal(await statusOf('x-user: b'), 200);
  assert.equal(await statusOf(), 200);
  assert.equal(await statusOf(), 429);
});

test('an address has no more connections than it may, and others go on', async () => {
  await using server = await start({}, { callerConnections: 2 });
  const [one, two] = server.addresses;
  assert.ok(one !== undefined && two !== undefined);
  const held = [connect(one.port, '127.0.0.1'), connect(one.port, '127.0.0.1')];
  const ready = held.map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.once('data', () => resolve());
        socket.write('GET /facts HTTP/1.1\r\nhost: x\r\n\r\n');
      }),
  );
  await Promise.all(ready);
  assert.equal((await get(one.port, '/facts', ['host: x']).catch(() => ({ status: 0 }))).status, 0);
  // Each listener has a count of its own.
  assert.equal((await get(two.port, '/facts', ['host: x'])).status, 200);
  const gone = held.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  for (const socket of held) socket.end();
  await Promise.all(gone);
});

test('every request is told of once, with its door, status and fault, and without its query', async () => {
  const seen: Observed[] = [];
  await using server = await start({ observe: [(one) => seen.push(one)] });
  for (const path of ['/facts/a?token=1234', '/nothing?x', '/facts/%zz']) {
    await get(server.port, path, ['host: x', 'x-request-id: r1']);
  }
  await server.close();
  assert.deepEqual(
    seen.map(({ door, status, path, fault, id, cut }) => [
      door,
      status,
      path,
      fault?.code,
      id,
      cut,
    ]),
    [
      ['/facts', 200, '/facts/a', undefined, 'r1', false],
      [null, 404, '/nothing', 'http.not-found', 'r1', false],
      ['/facts', 400, '/facts/%zz', 'http.path-invalid', 'r1', false],
    ],
  );
});

test('a header that would split the answer is a defect in the form of the door, told of once', async () => {
  const seen: Observed[] = [];
  const server = await start({ observe: [(one) => seen.push(one)] });
  const { head } = await get(server.port, '/facts/split', ['host: x']);
  await server.close();
  assert.match(head, /^HTTP\/1\.1 500 /);
  assert.match(head, /x-refused: by the door/);
  assert.match(head, /x-content-type-options: nosniff/);
  assert.doesNotMatch(head, /x-forged|x-name/);
  assert.deepEqual(
    seen.map(({ status, fault }) => [status, fault?.code]),
    [[500, 'internal.defect']],
  );
});
