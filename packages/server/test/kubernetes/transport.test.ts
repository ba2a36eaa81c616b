import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { type KubernetesApi, kubernetesApi } from '../../src/kubernetes/api.ts';
import { connectCluster } from '../../src/kubernetes/connect.ts';
import { callCluster } from '../../src/kubernetes/transport.ts';
import { startTestApiServer } from './api-server.ts';
import { thrownBy } from './thrown.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An API server that answers each request in one way, behind a kubeconfig that trusts it. */
async function hostile(answer: Answer) {
  await using opened = new AsyncDisposableStack();
  const trusted = opened.use(await startTestApiServer());
  const pem = (name: string) => readFile(join(trusted.folder, 'tls', name));
  const files = { cert: await pem('server.pem'), key: await pem('server-key.pem') };
  const server = createServer(files, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const choice = { kubeconfig: trusted.kubeconfig, context: null };
  const access = {
    ...(await connectCluster(choice, {})),
    server: new URL(`https://127.0.0.1:${address.port}`),
  };
  const life = opened.move();
  return {
    access,
    api: kubernetesApi(access, 'a'),
    trusted,
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

const OBJECT = { metadata: { name: 'a', resourceVersion: '1' } };
const SECRET = '/api/v1/namespaces/a/secrets/b';
const get = (api: KubernetesApi) => api.get(SECRET);
const watch = async (api: KubernetesApi) => {
  for await (const event of api.watch('/x', '1', new AbortController().signal)) void event;
};

const ANSWERS: readonly {
  readonly name: string;
  readonly answer: Answer;
  readonly ask?: (api: KubernetesApi) => Promise<unknown>;
  readonly code: string;
}[] = [
  { name: 'no JSON', answer: (_, to) => to.end('<html>'), code: 'kubernetes.answer-invalid' },
  { name: 'no object', answer: (_, to) => to.end('[]'), code: 'kubernetes.answer-invalid' },
  {
    name: 'an object without a state',
    answer: (_, to) => to.end('{"metadata":{"name":"a"}}'),
    code: 'kubernetes.answer-invalid',
  },
  {
    name: 'one name twice',
    answer: (_, to) => to.end('{"metadata":{"name":"a","name":"b","resourceVersion":"1"}}'),
    code: 'kubernetes.answer-invalid',
  },
  {
    name: 'more than is taken',
    answer: (_, to) => to.end(JSON.stringify({ ...OBJECT, x: 'x'.repeat(9 << 20) })),
    code: 'kubernetes.answer-invalid',
  },
  {
    name: 'half of an answer',
    answer: (_, to) => {
      to.writeHead(200, { 'content-length': '100' });
      to.write('{');
      setImmediate(() => to.destroy());
    },
    code: 'kubernetes.unreachable',
  },
  {
    name: 'a way elsewhere, with the credentials',
    answer: (_, to) => to.writeHead(302, { location: 'https://elsewhere.example/' }).end('{}'),
    code: 'kubernetes.answer-invalid',
  },
  {
    name: 'a watch of no events',
    answer: (_, to) => to.end('{"type":"NEWS","object":{}}\n'),
    ask: watch,
    code: 'kubernetes.answer-invalid',
  },
  {
    name: 'a watch of a line without end',
    answer: (_, to) => to.end('x'.repeat(9 << 20)),
    ask: watch,
    code: 'kubernetes.answer-invalid',
  },
  {
    name: 'a watch that is refused',
    answer: (_, to) => to.writeHead(403).end('{"message":"no"}'),
    ask: watch,
    code: 'kubernetes.refused',
  },
];

for (const { name, answer, ask = get, code } of ANSWERS) {
  test(`an API server that answers ${name}: ${code}`, async () => {
    await using cluster = await hostile(answer);
    assert.equal((await thrownBy(ask(cluster.api))).code, code);
  });
}

test('what cannot be read of a Secret is not shown', async () => {
  await using cluster = await hostile((_, to) => to.end('{"data":{"password":"hunter2"'));
  const fault = await thrownBy(cluster.api.get(SECRET));
  assert.equal(fault.code, 'kubernetes.answer-invalid');
  assert.doesNotMatch(inspect(fault, { depth: 10 }), /hunter2/);
});

test('a list without end is ended', async () => {
  await using cluster = await hostile((_, to) => {
    const items = Array.from({ length: 250 }, () => OBJECT);
    to.end(JSON.stringify({ metadata: { resourceVersion: '1', continue: 'more' }, items }));
  });
  const fault = await thrownBy(cluster.api.list('/x'));
  assert.equal(fault.code, 'kubernetes.answer-invalid');
});

test('a server that says nothing is left at the deadline', async () => {
  await using cluster = await hostile(() => undefined);
  const asked = { method: 'GET', path: '/x', timeoutMs: 50 } as const;
  const fault = await thrownBy(callCluster(cluster.access, asked, 1000));
  assert.equal(fault.code, 'kubernetes.unreachable');
});
