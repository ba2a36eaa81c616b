import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { NO_HISTORY } from '../../../src/gateway/ports.ts';
import type { UpstreamConfig } from '../../../src/gateway/upstream/config.ts';
import { startRegistry } from '../../../src/registry.ts';
import { ask, digestOf, manifestOf, OCI_INDEX, OCI_MANIFEST } from '../client.ts';
import { as, person, tableAccess } from '../people.ts';
import { startLiar, upstreamAt } from './kit.ts';

const LAYER = 'layer of some length';
const IMAGE = manifestOf({ layers: [LAYER] });
const DIGEST = digestOf(IMAGE);

/** An honest registry for what the test does not lie about. */
function honest({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
  const body = url.includes('/manifests/') ? IMAGE : url.endsWith(digestOf('{}')) ? '{}' : LAYER;
  response.setHeader('content-type', url.includes('/manifests/') ? OCI_MANIFEST : 'a/b');
  if (url.includes('/manifests/')) response.setHeader('docker-content-digest', DIGEST);
  response.setHeader('content-length', Buffer.byteLength(body));
  response.end(method === 'HEAD' ? undefined : body);
}

function startGateway(host: string, more: Partial<UpstreamConfig> = {}) {
  const upstreams = [upstreamAt(host, more)];
  return startRegistry({ storage: 'memory' }, { config: { upstreams, tagFreshnessMs: 0 } });
}

type Lie = (request: IncomingMessage, response: ServerResponse) => void;

const status =
  (code: number, headers: Record<string, string> = {}): Lie =>
  (_request, response) => {
    response.writeHead(code, headers).end();
  };

const LIES: readonly {
  readonly name: string;
  readonly lie: Lie;
  readonly reference?: string;
  readonly status: number;
  readonly error: string;
  readonly code: string;
}[] = [
  {
    name: 'a manifest of another digest',
    reference: digestOf('another'),
    lie: honest,
    status: 502,
    error: 'UNAVAILABLE',
    code: 'upstream.malformed',
  },
  {
    name: 'another media type than the document has',
    reference: DIGEST,
    lie: (_request, response) => {
      response.writeHead(200, { 'content-type': OCI_INDEX }).end(IMAGE);
    },
    status: 502,
    error: 'UNAVAILABLE',
    code: 'upstream.malformed',
  },
  {
    name: 'a web page',
    lie: (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    },
    status: 502,
    error: 'UNAVAILABLE',
    code: 'upstream.malformed',
  },
  {
    name: 'a manifest without end',
    reference: DIGEST,
    lie: (_request, response) => {
      response.writeHead(200, { 'content-type': OCI_MANIFEST });
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(1 << 20), () => setImmediate(more));
      };
      more();
    },
    status: 502,
    error: 'UNAVAILABLE',
    code: 'upstream.malformed',
  },
  {
    name: 'a redirect to the metadata service',
    reference: DIGEST,
    lie: status(307, { location: 'http://169.254.169.254/latest/meta-data/' }),
    status: 502,
    error: 'UNAVAILABLE',
    code: 'upstream.unreachable',
  },
  {
    name: 'no answer',
    lie: () => {},
    status: 504,
    error: 'UNAVAILABLE',
    code: 'upstream.timeout',
  },
  {
    name: 'a rate limit',
    lie: status(429, { 'retry-after': '3600' }),
    status: 429,
    error: 'TOOMANYREQUESTS',
    code: 'upstream.rate-limited',
  },
  {
    name: 'an error of its own',
    lie: status(500),
    status: 502,
    error: 'UNAVAILABLE',
    code: 'upstream.failed',
  },
  {
    name: 'credentials wanted',
    lie: status(401, { 'www-authenticate': 'Basic realm="there"' }),
    status: 403,
    error: 'DENIED',
    code: 'upstream.denied',
  },
  { name: 'a refusal', lie: status(403), status: 403, error: 'DENIED', code: 'upstream.denied' },
  {
    name: 'nothing',
    lie: status(404),
    status: 404,
    error: 'NAME_UNKNOWN',
    code: 'gateway.name-unknown',
  },
];

test('what an upstream answers is called what it is, and only a 404 is unknown', async (context) => {
  for (const { name, lie, reference = 'v1', ...expect } of LIES) {
    await context.test(name, async () => {
      await using upstream = await startLiar(lie);
      await using gateway = await startGateway(upstream.host);
      const answer = await ask(gateway.url, { path: `/v2/up/app/manifests/${reference}` });
      assert.equal(answer.status, expect.status, answer.body.toString());
      assert.equal(answer.error, expect.error);
      const { errors } = JSON.parse(answer.body.toString()) as {
        errors: [{ message: string; detail: { code: string } }];
      };
      assert.equal(errors[0].detail.code, expect.code);
      assert.equal(answer.headers['www-authenticate'], undefined, 'not the client’s to answer');
      assert.equal(answer.headers['docker-content-digest'], undefined);
    });
  }
});

const isBlob = ({ url = '' }: IncomingMessage) => url.endsWith(digestOf(LAYER));

const BLOB_LIES: readonly { readonly name: string; readonly lie: Lie }[] = [
  {
    name: 'other bytes of the same length',
    lie: (_request, response) => void response.end('x'.repeat(LAYER.length)),
  },
  { name: 'too few bytes', lie: (_request, response) => void response.end('x') },
  {
    name: 'too many bytes',
    lie: (_request, response) => void response.end(`${LAYER}${'x'.repeat(100_000)}`),
  },
  {
    name: 'a connection that breaks',
    lie: (_request, response) => {
      response.writeHead(200, { 'content-length': LAYER.length });
      response.write(LAYER.slice(0, 4), () => response.destroy());
    },
  },
];

test('a blob that is not what its digest says is never given whole, and never kept', async (context) => {
  for (const { name, lie } of BLOB_LIES) {
    await context.test(name, async () => {
      let lies = true;
      await using upstream = await startLiar((request, response) =>
        lies && isBlob(request) ? lie(request, response) : honest(request, response),
      );
      await using gateway = await startGateway(upstream.host);
      const { url } = gateway;
      assert.equal((await ask(url, { path: '/v2/up/app/manifests/v1' })).status, 200);
      const path = `/v2/up/app/blobs/${digestOf(LAYER)}`;
      const whole = await ask(url, { path }).then(
        ({ status: found, body }) => found === 200 && body.length === LAYER.length,
        () => false,
      );
      assert.equal(whole, false);
      lies = false;
      const answer = await ask(url, { path });
      assert.equal(answer.status, 200);
      assert.equal(answer.body.toString(), LAYER);
    });
  }
});

test('an upstream that nobody called private is not reached at a private address', async () => {
  await using upstream = await startLiar(honest);
  for (const host of [upstream.host, `localhost:${upstream.host.split(':')[1]}`]) {
    await using gateway = await startGateway(host, { privateAddresses: false });
    const answer = await ask(gateway.url, { path: '/v2/up/app/manifests/v1' });
    assert.equal(answer.status, 502);
    assert.match(answer.body.toString(), /"remedy":"[^"]*privateAddresses: true/);
  }
  assert.deepEqual(upstream.asked, []);
});

test('an upstream’s credentials serve those who were granted the prefix, and nobody else', async () => {
  await using upstream = await startLiar((request, response) => {
    if (request.headers.authorization === undefined) {
      status(401, { 'www-authenticate': 'Basic realm="there"' })(request, response);
    } else honest(request, response);
  });
  const rights = { repository: '**', actions: ['pull', 'push', 'delete'] } as const;
  const named = { repository: 'up/app', actions: ['pull'] } as const;
  const people = [
    person('nobody', rights),
    person('granted', rights),
    person('owner', rights),
    // What the token of a registry looks like: it names the repository that was asked for.
    person('narrow', named),
  ];
  const ports = {
    access: tableAccess(people),
    history: NO_HISTORY,
    verification: { kind: 'open' } as const,
  };
  const config = upstreamAt(upstream.host, {
    credentials: { kind: 'password', username: 'gateway', password: 'secret' },
    users: ['id-granted'],
  });
  await using gateway = await startRegistry(
    { storage: 'memory' },
    { ports, config: { upstreams: [config], tagFreshnessMs: 0 } },
  );
  const { url } = gateway;
  const paths = ['manifests/v1', `manifests/${DIGEST}`, `blobs/${digestOf(LAYER)}`, 'tags/list'];
  const refuseAll = async () => {
    for (const who of ['nobody', 'owner', 'narrow']) {
      for (const path of paths) {
        const answer = await ask(url, { path: `/v2/up/app/${path}`, headers: as(who) });
        assert.equal(answer.status, 403, `${who} ${path}`);
      }
      const { body } = await ask(url, { path: '/v2/_catalog', headers: as(who) });
      assert.deepEqual(JSON.parse(body.toString()), { repositories: [] });
    }
  };
  await refuseAll();
  // Who sent no credentials is asked for some: containerd and oras send them to nobody else.
  for (const path of paths) {
    const asked = await ask(url, { path: `/v2/up/app/${path}` });
    assert.equal(asked.status, 401, path);
    assert.match(asked.headers['www-authenticate'] ?? '', /"repository:up\/app:pull"$/);
  }
  assert.deepEqual(upstream.asked, []);
  const served = await ask(url, { path: '/v2/up/app/manifests/v1', headers: as('granted') });
  assert.equal(served.status, 200, served.body.toString());
  assert.ok(upstream.authorizations.some((header) => header.startsWith('Basic ')));
  const before = upstream.asked.length;
  // What was fetched with them neither.
  await refuseAll();
  assert.equal(upstream.asked.length, before);
  // Nor may it be carried out of the prefix.
  await ask(url, { path: `/v2/up/app/blobs/${digestOf(LAYER)}`, headers: as('granted') });
  for (const from of ['&from=up/app', '']) {
    const path = `/v2/mine/blobs/uploads/?mount=${digestOf(LAYER)}${from}`;
    assert.equal((await ask(url, { method: 'POST', path, headers: as('owner') })).status, 202);
  }
});
