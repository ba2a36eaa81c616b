import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { createLog } from '@bulla/server/http/log';
import { openGatekeeper } from '@bulla/server/wiring/gatekeeper';
import { mint, pemFolder } from '../http/tls/mint.ts';
import { askOf, DIGEST } from './kit.ts';

const ca = mint('server authority');
const own = mint('bulla', { by: ca, purpose: 'server' });
const gatekeeperCa = mint('gatekeeper-ca');
const webhook = mint('gatekeeper-webhook-service', { by: gatekeeperCa, purpose: 'client' });

/** The provider as a server opens it, before images that are signed, and one that is not. */
async function open() {
  const folder = await pemFolder();
  const ask = askOf(({ reference }) => (reference.includes('bad') ? { outcome: 'deny' } : {}));
  const http = await openGatekeeper(
    {
      listen: 'https://127.0.0.1:0',
      certificate: await folder.write('cert.pem', own.certificate),
      key: await folder.write('key.pem', own.key),
      clientCa: await folder.write('ca.pem', gatekeeperCa.certificate),
      reference: 'tag-and-digest',
      deadlineMs: 2000,
    },
    {
      ask,
      registry: 'gateway.example',
      limits: { connections: 100, drainMs: 100 },
      log: createLog('silent'),
      telling: {},
      clock: () => new Date(),
      now: () => performance.now(),
    },
  );
  return {
    port: http.port,
    ask,
    async [Symbol.asyncDispose]() {
      await http.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly type?: string;
  readonly body?: string;
  readonly shows?: { readonly certificate: string; readonly key: string } | null;
}

function send(port: number, sent: Sent) {
  const { method = 'POST', path = '/gatekeeper/verify', type = 'application/json', body } = sent;
  const { shows = webhook } = sent;
  return new Promise<{ status: number; json: Answer }>((resolve, reject) => {
    const asking = request({
      ...{ host: '127.0.0.1', port, path, method, ca: ca.certificate },
      agent: new Agent({ maxCachedSessions: 0 }),
      headers: { 'content-type': type },
      ...(shows === null ? {} : { cert: shows.certificate, key: shows.key }),
    });
    asking.on('error', reject);
    asking.on('response', (response) => {
      text(response).then(
        (found) => resolve({ status: response.statusCode ?? 0, json: JSON.parse(found) as Answer }),
        reject,
      );
    });
    asking.end(body);
  });
}

interface Answer {
  readonly apiVersion: string;
  readonly kind: string;
  readonly response: {
    readonly idempotent: boolean;
    readonly systemError: string;
    readonly items: readonly {
      readonly key: string;
      readonly error: string;
      readonly value: { readonly succeeded: boolean } | string;
    }[];
  };
}

function asking(keys: readonly string[], version = 'v1beta1'): string {
  const apiVersion = `externaldata.gatekeeper.sh/${version}`;
  return JSON.stringify({ apiVersion, kind: 'ProviderRequest', request: { keys } });
}

test('Gatekeeper asks about images by TLS 1.3 with its certificate, and is answered', async () => {
  await using provider = await open();
  const body = asking([`[prod]app:v1@${DIGEST}`, `bad@${DIGEST}`]);
  const { status, json } = await send(provider.port, { body });
  assert.equal(status, 200);
  assert.equal(json.apiVersion, 'externaldata.gatekeeper.sh/v1beta1');
  assert.equal(json.kind, 'ProviderResponse');
  assert.equal(json.response.systemError, '');
  assert.deepEqual(
    json.response.items.map(({ key, value }) => [key, Object(value).succeeded]),
    [
      [`[prod]app:v1@${DIGEST}`, true],
      [`bad@${DIGEST}`, false],
    ],
  );
});

test('an old Gatekeeper is answered in its version', async () => {
  await using provider = await open();
  const { json } = await send(provider.port, { body: asking([], 'v1alpha1') });
  assert.equal(json.apiVersion, 'externaldata.gatekeeper.sh/v1alpha1');
});

test('a mutator is answered with texts', async () => {
  await using provider = await open();
  const { json } = await send(provider.port, {
    path: '/gatekeeper/mutate',
    body: asking(['app:v1', 'bad:v1']),
  });
  assert.equal(json.response.idempotent, true);
  const [pinned, refused] = json.response.items;
  assert.equal(pinned?.value, `app:v1@${DIGEST}`);
  assert.equal(refused?.value, '');
  assert.match(refused?.error ?? '', /refused by policy prod/);
});

const REFUSED: readonly { readonly name: string; readonly sent: Sent; readonly status: number }[] =
  [
    { name: 'no JSON', sent: { body: '{' }, status: 400 },
    { name: 'no body', sent: {}, status: 400 },
    { name: 'another media type', sent: { type: 'text/plain', body: asking([]) }, status: 415 },
    { name: 'GET', sent: { method: 'GET' }, status: 405 },
    { name: 'another path', sent: { path: '/gatekeeper/else', body: asking([]) }, status: 404 },
    { name: 'a longer path', sent: { path: '/gatekeeper/verify/', body: asking([]) }, status: 404 },
    { name: 'a large body', sent: { body: asking(['x'.repeat(1 << 20)]) }, status: 413 },
  ];

for (const { name, sent, status } of REFUSED) {
  test(`a request that cannot be read is a system error: ${name}`, async () => {
    await using provider = await open();
    const found = await send(provider.port, sent);
    assert.equal(found.status, status);
    assert.equal(found.json.kind, 'ProviderResponse');
    assert.notEqual(found.json.response.systemError, '');
    assert.deepEqual(found.json.response.items, []);
    assert.equal(provider.ask.asked.length, 0);
  });
}

const STRANGERS = {
  nobody: null,
  'somebody of another authority': mint('gatekeeper-webhook-service', {
    by: mint('gatekeeper-ca'),
    purpose: 'client',
  }),
  'a server of its authority': mint('x', { by: gatekeeperCa, purpose: 'server' }),
} as const;

for (const [name, shows] of Object.entries(STRANGERS)) {
  test(`${name} is not answered`, async () => {
    await using provider = await open();
    await assert.rejects(send(provider.port, { body: asking(['a']), shows }));
    assert.equal(provider.ask.asked.length, 0);
  });
}

test('nothing older than TLS 1.3 is spoken', async () => {
  await using provider = await open();
  const socket = connect({
    ...{ host: '127.0.0.1', port: provider.port, ca: ca.certificate, maxVersion: 'TLSv1.2' },
    ...{ cert: webhook.certificate, key: webhook.key },
  });
  const outcome = await new Promise<string>((resolve) => {
    socket.once('secureConnect', () => resolve('spoken'));
    socket.once('error', () => resolve('refused'));
  });
  socket.destroy();
  assert.equal(outcome, 'refused');
});
