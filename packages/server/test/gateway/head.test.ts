// What the distribution specification and RFC 9110 §9.3.2 ask of HEAD: the answer of GET without its body.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { type Registry, startRegistry } from '../../src/registry.ts';
import { ask, digestOf, manifestOf, OCI_MANIFEST, putManifest } from './client.ts';
import { as, decisionTable, person, tableAccess, tablePorts } from './people.ts';

const LAYER = 'the layer';
const ADMITTED = manifestOf({ layers: [LAYER] });
const REFUSED = manifestOf({ layers: [LAYER], annotations: { signed: 'no' } });
const NONE = digestOf('nothing has these bytes');
const PEOPLE = [
  person('reader', { repository: 'app', actions: ['pull'] }),
  person('pusher', { repository: 'app', actions: ['pull', 'push'] }),
];

let registry: Registry;

before(async () => {
  const table = decisionTable();
  table.admits.add(digestOf(ADMITTED));
  table.warnings.set(digestOf(ADMITTED), ['a warning', 'another']);
  registry = await startRegistry(
    { storage: 'memory' },
    { ports: tablePorts(table, tableAccess(PEOPLE)) },
  );
  const headers = as('pusher');
  for (const blob of ['{}', LAYER]) {
    const path = `/v2/app/blobs/uploads/?digest=${digestOf(blob)}`;
    await ask(registry.url, { method: 'POST', path, headers, body: blob });
  }
  for (const [tag, body] of [
    ['admitted', ADMITTED],
    ['refused', REFUSED],
  ] as const) {
    const answer = await putManifest(registry.url, 'app', tag, body, {
      ...headers,
      'content-type': OCI_MANIFEST,
    });
    assert.equal(answer.status, 201);
  }
});

after(() => registry.close());

const manifest = (reference: string) => `/v2/app/manifests/${reference}`;
const blob = (digest: string) => `/v2/app/blobs/${digest}`;

const SAME: readonly {
  readonly name: string;
  readonly path: string;
  /** Absent: without credentials. */
  readonly who?: 'reader' | 'pusher';
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
}[] = [
  { name: 'the probe', path: '/v2/', who: 'reader', status: 200 },
  { name: 'an admitted tag', path: manifest('admitted'), who: 'reader', status: 200 },
  { name: 'an admitted digest', path: manifest(digestOf(ADMITTED)), who: 'reader', status: 200 },
  { name: 'an admitted tag, for a pusher', path: manifest('admitted'), who: 'pusher', status: 200 },
  {
    name: 'a digest that is known',
    path: manifest('admitted'),
    who: 'reader',
    headers: { 'if-none-match': `"${digestOf(ADMITTED)}"` },
    status: 304,
  },
  { name: 'a refused tag', path: manifest('refused'), who: 'reader', status: 403 },
  { name: 'a refused digest', path: manifest(digestOf(REFUSED)), who: 'reader', status: 403 },
  { name: 'a tag without credentials', path: manifest('admitted'), status: 401 },
  { name: 'another repository', path: '/v2/b/manifests/v1', who: 'reader', status: 403 },
  { name: 'an unknown tag', path: manifest('none'), who: 'reader', status: 404 },
  { name: 'an unknown digest', path: manifest(NONE), who: 'pusher', status: 404 },
  { name: 'no digest', path: manifest('sha256:1'), who: 'reader', status: 400 },
  { name: 'a blob', path: blob(digestOf(LAYER)), who: 'reader', status: 200 },
  { name: 'an unknown blob', path: blob(NONE), who: 'reader', status: 404 },
  { name: 'a blob without credentials', path: blob(digestOf(LAYER)), status: 401 },
  { name: 'tags', path: '/v2/app/tags/list', who: 'reader', status: 200 },
  { name: 'referrers', path: `/v2/app/referrers/${NONE}`, who: 'reader', status: 200 },
  { name: 'the catalogue', path: '/v2/_catalog', who: 'reader', status: 200 },
];

/** Of the request and the connection, not of the answer. */
const OWN = new Set(['date', 'x-request-id', 'connection', 'keep-alive']);

function lasting(headers: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.has(name)));
}

for (const { name, path, who, headers, status } of SAME) {
  test(`HEAD of ${name} has the headers of its GET, ${status}, and no body`, async () => {
    const asked = { path, headers: { ...(who === undefined ? {} : as(who)), ...headers } };
    const got = await ask(registry.url, asked);
    const head = await ask(registry.url, { ...asked, method: 'HEAD' });
    assert.deepEqual([got.status, head.status], [status, status]);
    assert.deepEqual(lasting(head.headers), lasting(got.headers));
    if (status !== 304) assert.equal(head.headers['content-length'], String(got.body.length));
    // Not by a parser of HTTP, which never reads a body that HEAD must not have.
    assert.equal(await bytesAfterHead(path, asked.headers), '');
  });
}

async function bytesAfterHead(
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const { host, port } = new URL(registry.url);
  const lines = Object.entries({ host, connection: 'close', ...headers });
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    `HEAD ${path} HTTP/1.1\r\n${lines.map((line) => `${line.join(': ')}\r\n`).join('')}\r\n`,
  );
  const answer = await text(socket);
  assert.match(answer, /^HTTP\/1\.1 \d{3} /);
  return answer.slice(answer.indexOf('\r\n\r\n') + 4);
}

test('HEAD of an admitted manifest has digest, length, type, decision and warnings', async () => {
  const asked = { path: manifest('admitted'), method: 'HEAD', headers: as('reader') };
  const { headers } = await ask(registry.url, asked);
  assert.equal(headers['docker-content-digest'], digestOf(ADMITTED));
  assert.equal(headers['content-length'], String(Buffer.byteLength(ADMITTED)));
  assert.equal(headers['content-type'], OCI_MANIFEST);
  assert.match(headers['bulla-decision'] ?? '', /^[0-9A-Z]{26}$/);
  assert.equal(headers['warning'], '299 - "a warning", 299 - "another"');
});

test('only to who may push is HEAD of what is refused another answer than GET', async () => {
  const asked = { path: manifest('refused'), headers: as('pusher') };
  const head = await ask(registry.url, { ...asked, method: 'HEAD' });
  const got = await ask(registry.url, asked);
  assert.deepEqual([head.status, got.status, got.error], [404, 403, 'DENIED']);
  assert.equal(head.headers['docker-content-digest'], undefined);
  assert.equal(head.headers['bulla-decision'], got.headers['bulla-decision']);
});
