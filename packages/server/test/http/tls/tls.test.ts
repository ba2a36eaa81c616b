import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { Agent, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Door } from '../../../src/http/exchange.ts';
import { HTTP_LIMITS } from '../../../src/http/limits.ts';
import type { Observed } from '../../../src/http/observe.ts';
import { type HttpServer, listen, type ServerOptions } from '../../../src/http/server.ts';
import type { TlsFiles } from '../../../src/http/tls/credentials.ts';
import type { TlsReport } from '../../../src/http/tls/reload.ts';
import { faultOf } from '../../storage/expectations.ts';
import { type Minted, mint, pemFolder } from './mint.ts';

const DOOR: Door = {
  prefix: '/who',
  async handle({ secure, clientCertificate, segments }) {
    if (segments[0] === 'slow') await new Promise((resolve) => setTimeout(resolve, 100));
    return { status: 200, body: JSON.stringify({ secure, clientCertificate }) };
  },
  refuse: (fault) => ({ status: 499, body: fault.message }),
};

const ca = mint('server authority');
const first = mint('first', { by: ca, purpose: 'server' });
const second = mint('second', { by: ca, purpose: 'server' });
const clients = mint('client authority');
const alice = mint('alice', { by: clients, purpose: 'client' });

/** A server with a certificate in a folder, which tests then change. */
async function start(
  more: Partial<Record<'clientCa' | 'clientAuth', string>> = {},
  options: Pick<ServerOptions, 'observe'> = {},
) {
  const folder = await pemFolder();
  const reports: TlsReport[] = [];
  const tls: TlsFiles = {
    certificate: await folder.write('cert.pem', first.certificate),
    key: await folder.write('key.pem', first.key),
    ...(more.clientCa === undefined
      ? {}
      : { clientCa: await folder.write('ca.pem', more.clientCa) }),
    ...(more.clientAuth === 'optional' ? { clientAuth: 'optional' } : {}),
  };
  const server = await listen([DOOR], [{ url: 'https://127.0.0.1:0', tls }], HTTP_LIMITS, {
    ...options,
    tlsCheckMs: 0,
    onTls: (report) => reports.push(report),
  });
  return {
    server,
    folder,
    reports,
    async [Symbol.asyncDispose]() {
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

interface Asked {
  readonly body: string;
  /** The common name of the server's certificate. */
  readonly by: string;
}

function ask(
  { port }: HttpServer,
  options: ConnectionOptions & { agent?: Agent; path?: string } = {},
) {
  return new Promise<Asked>((resolve, reject) => {
    const { agent = new Agent({ maxCachedSessions: 0 }), path = '/who', ...tls } = options;
    const sent = request({ host: '127.0.0.1', port, path, agent, ca: ca.certificate, ...tls });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const socket = response.socket as TLSSocket;
      const by = new X509Certificate(socket.getPeerCertificate().raw).subject;
      text(response).then((body) => resolve({ body, by }), reject);
    });
    sent.end();
  });
}

function handshake(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca: ca.certificate, ...options });
    socket.on('secureConnect', () => {
      resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
      socket.destroy();
    });
    socket.on('error', () => resolve('refused'));
  });
}

/** One request of alice on a connection of its own, and the TLS session that it left. */
async function askOnce(port: number, session: Buffer | undefined) {
  const socket = connect({
    ...{ host: '127.0.0.1', port, ca: ca.certificate, cert: alice.certificate, key: alice.key },
    ...(session === undefined ? {} : { session }),
  });
  let left: Buffer | null = null;
  let resumed = false;
  socket.on('session', (given: Buffer) => {
    left = given;
  });
  socket.on('secureConnect', () => {
    resumed = socket.isSessionReused();
  });
  socket.write('GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  const answer = await text(socket).catch(() => '');
  return { resumed, status: answer.split('\r\n', 1)[0], session: left as Buffer | null };
}

const HANDSHAKES: readonly {
  readonly name: string;
  readonly options: ConnectionOptions;
  readonly expect: string;
}[] = [
  { name: 'TLS 1.3', options: { ALPNProtocols: ['http/1.1'] }, expect: 'TLSv1.3 http/1.1' },
  {
    name: 'TLS 1.2',
    options: { maxVersion: 'TLSv1.2', ALPNProtocols: ['h2', 'http/1.1'] },
    expect: 'TLSv1.2 http/1.1',
  },
  {
    name: 'TLS 1.1',
    options: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    expect: 'refused',
  },
  { name: 'HTTP/2 alone', options: { ALPNProtocols: ['h2'] }, expect: 'refused' },
  { name: 'no ALPN', options: {}, expect: 'TLSv1.3 false' },
];

for (const { name, options, expect } of HANDSHAKES) {
  test(`a handshake with ${name} is ${expect}`, async () => {
    await using setting = await start();
    assert.equal(await handshake(setting.server.port, options), expect);
  });
}

test('a door learns that a connection is TLS', async () => {
  await using setting = await start();
  const { body } = await ask(setting.server);
  assert.deepEqual(JSON.parse(body), { secure: true, clientCertificate: null });
  assert.match(setting.server.addresses[0]?.url ?? '', /^https:\/\/127\.0\.0\.1:\d+$/);
});

test('plain HTTP and garbage on a TLS port get no answer of HTTP, and others are served on', async () => {
  await using setting = await start();
  for (const bytes of [
    'GET /who HTTP/1.1\r\nhost: x\r\n\r\n',
    '\u0016\u0003\u0001garbage',
    '\0\0\0\0',
  ]) {
    const socket = connectPlain(setting.server.port, '127.0.0.1');
    socket.end(bytes);
    assert.doesNotMatch(await text(socket).catch(() => ''), /HTTP\/1\.1 200/);
  }
  assert.equal((await ask(setting.server)).by, 'CN=first');
});

const otherClients = mint('client authority');
const EXPIRED = { by: clients, purpose: 'client', days: [-2, -1] } as const;
const CLIENTS: readonly {
  readonly name: string;
  readonly shows: Minted | null;
  readonly required: 'served' | 'refused';
  readonly optional: 'known' | 'unknown';
}[] = [
  { name: 'a certificate of the authority', shows: alice, required: 'served', optional: 'known' },
  { name: 'no certificate', shows: null, required: 'refused', optional: 'unknown' },
  {
    name: 'a certificate of another authority of the same name',
    shows: mint('alice', { by: otherClients, purpose: 'client' }),
    required: 'refused',
    optional: 'unknown',
  },
  {
    name: 'a self-signed certificate',
    shows: mint('alice', { purpose: 'client' }),
    required: 'refused',
    optional: 'unknown',
  },
  {
    name: 'an expired certificate',
    shows: mint('alice', EXPIRED),
    required: 'refused',
    optional: 'unknown',
  },
  {
    name: 'a certificate for servers',
    shows: mint('alice', { by: clients, purpose: 'server' }),
    required: 'refused',
    optional: 'unknown',
  },
  {
    name: "a certificate of the server's own authority",
    shows: mint('alice', { by: ca, purpose: 'client' }),
    required: 'refused',
    optional: 'unknown',
  },
];

for (const { name, shows, required, optional } of CLIENTS) {
  const shown = shows === null ? {} : { cert: shows.certificate, key: shows.key };
  test(`${name} is ${required} where one is required`, async () => {
    await using setting = await start({ clientCa: clients.certificate });
    if (required === 'refused') {
      await assert.rejects(ask(setting.server, shown));
      return;
    }
    assert.ok(shows !== null);
    const { clientCertificate } = JSON.parse((await ask(setting.server, shown)).body);
    const sha256 = new X509Certificate(shows.certificate).fingerprint256.replaceAll(':', '');
    assert.deepEqual(clientCertificate, { subject: 'CN=alice', sha256: sha256.toLowerCase() });
  });

  test(`${name} is ${optional} where one is optional`, async () => {
    await using setting = await start({ clientCa: clients.certificate, clientAuth: 'optional' });
    const { clientCertificate } = JSON.parse((await ask(setting.server, shown)).body);
    assert.equal(clientCertificate?.subject ?? null, optional === 'known' ? 'CN=alice' : null);
  });
}

test('without a client authority a certificate is not even asked for', async () => {
  await using setting = await start();
  const { body } = await ask(setting.server, { cert: alice.certificate, key: alice.key });
  assert.equal(JSON.parse(body).clientCertificate, null);
});

test('a new certificate is served to new connections, and reported', async () => {
  await using setting = await start();
  const { server, folder, reports } = setting;
  assert.deepEqual(await server.reload(), []);
  await folder.write('key.pem', second.key);
  await folder.write('cert.pem', second.certificate);
  const [report] = await server.reload();
  assert.equal(report?.outcome, 'replaced');
  assert.deepEqual(reports, [report]);
  assert.equal((await ask(server)).by, 'CN=second');
});

const other = mint('other', { by: ca, purpose: 'server' });
const past = mint('past', { by: ca, purpose: 'server', days: [-2, -1] });
const future = mint('future', { by: ca, purpose: 'server', days: [1, 2] });
const BROKEN: readonly { readonly name: string; readonly cert: string; readonly key: string }[] = [
  { name: 'half a certificate', cert: second.certificate.slice(0, 200), key: second.key },
  { name: 'a certificate whose key is another', cert: second.certificate, key: other.key },
  { name: 'an empty file', cert: '', key: second.key },
  { name: 'no PEM', cert: 'hello', key: second.key },
  { name: 'half a key', cert: second.certificate, key: second.key.slice(0, 60) },
  { name: 'a certificate that is over', cert: past.certificate, key: past.key },
  { name: 'a certificate that is not valid yet', cert: future.certificate, key: future.key },
];

for (const { name, cert, key } of BROKEN) {
  test(`${name} keeps the old one, and is reported until it is mended`, async () => {
    await using setting = await start();
    const { server, folder, reports } = setting;
    await folder.write('cert.pem', cert);
    await folder.write('key.pem', key);
    for (let count = 0; count < 2; count++) {
      const [report] = await server.reload();
      assert.equal(report?.outcome, 'kept');
      assert.ok(report.fault !== null && report.fault.code === 'http.tls-invalid');
      assert.doesNotMatch(report.fault.message, /PRIVATE KEY/);
    }
    assert.equal(reports.length, 2);
    assert.equal((await ask(server)).by, 'CN=first');
    await folder.write('cert.pem', second.certificate);
    await folder.write('key.pem', second.key);
    assert.equal((await server.reload())[0]?.outcome, 'replaced');
  });
}

test('a client authority that is emptied admits nobody new', async () => {
  await using setting = await start({ clientCa: clients.certificate });
  const { server, folder } = setting;
  await folder.write('ca.pem', '');
  assert.equal((await server.reload())[0]?.outcome, 'kept');
  await folder.write('ca.pem', otherClients.certificate);
  assert.equal((await server.reload())[0]?.outcome, 'replaced');
  await assert.rejects(ask(server, { cert: alice.certificate, key: alice.key }));
});

test('a session that began under the former client authority is not resumed under the next', async () => {
  await using setting = await start({ clientCa: clients.certificate });
  const { server, folder } = setting;
  const first = await askOnce(server.port, undefined);
  assert.ok(first.session !== null);
  const again = await askOnce(server.port, first.session);
  assert.deepEqual([again.resumed, again.status], [true, 'HTTP/1.1 200 OK']);
  await folder.write('ca.pem', otherClients.certificate);
  assert.equal((await server.reload())[0]?.outcome, 'replaced');
  assert.notEqual((await askOnce(server.port, first.session)).status, 'HTTP/1.1 200 OK');
});

test('observers learn which certificate a request came with', async () => {
  const seen: Observed[] = [];
  await using setting = await start(
    { clientCa: clients.certificate, clientAuth: 'optional' },
    { observe: [(one) => seen.push(one)] },
  );
  await ask(setting.server, { cert: alice.certificate, key: alice.key });
  await ask(setting.server);
  await setting.server.close();
  const subjects = seen.map(({ clientCertificate }) => clientCertificate?.subject ?? null);
  assert.deepEqual(subjects, ['CN=alice', null]);
});

test('a start with a certificate that cannot be used is http.tls-invalid', async () => {
  await using folder = await pemFolder();
  const key = await folder.write('key.pem', first.key);
  const good = await folder.write('good.pem', first.certificate);
  const files: readonly TlsFiles[] = [
    { certificate: `${folder.path}/gone.pem`, key },
    { certificate: await folder.write('past.pem', past.certificate), key },
    { certificate: good, key: await folder.write('other.pem', other.key) },
    { certificate: good, key, clientCa: await folder.write('empty.pem', '') },
    {
      certificate: good,
      key,
      clientCa: await folder.write('cut.pem', ca.certificate.slice(0, 99)),
    },
  ];
  for (const tls of files) {
    const started = listen([DOOR], [{ url: 'https://127.0.0.1:0', tls }]);
    await assert.rejects(started, faultOf('http.tls-invalid'));
  }
});

test('reloading under load drops no request, on connections that are kept and on new ones', async () => {
  await using setting = await start();
  const { server, folder } = setting;
  const kept = new Agent({ keepAlive: true, maxSockets: 4, maxCachedSessions: 0 });
  const seen = new Set<string>();
  let going = true;
  const worker = async (agent: () => Agent) => {
    let served = 0;
    while (going) {
      const { by } = await ask(server, { agent: agent() });
      seen.add(by);
      served++;
    }
    return served;
  };
  const fresh = () => new Agent({ maxCachedSessions: 0 });
  const workers = [worker(() => kept), worker(() => kept), worker(fresh), worker(fresh)];
  for (let turn = 0; turn < 20; turn++) {
    const { certificate, key } = turn % 2 === 0 ? second : first;
    // A moment in which the two do not belong together is part of it.
    await folder.write('cert.pem', certificate);
    await server.reload();
    await folder.write('key.pem', key);
    await server.reload();
    // Both are to be seen, however slow the machine is.
    const wanted = turn % 2 === 0 ? 'CN=second' : 'CN=first';
    seen.delete(wanted);
    while (!seen.has(wanted)) await ask(server).then(({ by }) => seen.add(by));
  }
  going = false;
  const served = await Promise.all(workers);
  kept.destroy();
  assert.ok(served.every((count) => count > 0));
});

test('files that change are noticed without being told', async () => {
  await using folder = await pemFolder();
  const tls = {
    certificate: await folder.write('cert.pem', first.certificate),
    key: await folder.write('key.pem', first.key),
  };
  const { promise, resolve } = Promise.withResolvers<TlsReport>();
  const options = { tlsCheckMs: 5, onTls: resolve };
  await using server = await listen(
    [DOOR],
    [{ url: 'https://127.0.0.1:0', tls }],
    HTTP_LIMITS,
    options,
  );
  await folder.write('key.pem', second.key);
  await folder.write('cert.pem', second.certificate);
  const report = await promise;
  assert.ok(report.outcome === 'replaced' || report.fault !== null);
  while ((await ask(server)).by !== 'CN=second');
});

test('close ends a TLS server with a handshake that never comes to its end', async () => {
  await using setting = await start();
  const { port } = setting.server;
  const stalled = connectPlain(port, '127.0.0.1');
  stalled.on('error', () => {});
  await new Promise((resolve) => stalled.once('connect', resolve));
  const slow = ask(setting.server, { path: '/who/slow' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await setting.server.close();
  assert.match((await slow).body, /"secure":true/);
});
