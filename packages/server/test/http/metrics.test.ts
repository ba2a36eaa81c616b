import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Door } from '../../src/http/exchange.ts';
import { HTTP_LIMITS } from '../../src/http/limits.ts';
import { createMetrics, type Labelled, measureRequests } from '../../src/http/metrics.ts';
import { type MetricsReaders, metricsDoor } from '../../src/http/metrics-door.ts';
import type { Principal } from '../../src/http/principal.ts';
import { plainRefusal } from '../../src/http/reply.ts';
import { listen } from '../../src/http/server.ts';
import { faultOf } from '../storage/expectations.ts';
import { type RequestPieces, requestOf } from './request.ts';

function principal(...permissions: readonly 'metrics.read'[]): Principal {
  const known = { id: 'u1', name: 'ops', repositories: [] };
  return { ...known, kind: 'token', permissions: new Set(permissions) };
}

const TOKEN = 'a-token-that-is-long-enough';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const REMOTE = { remoteAddress: '192.0.2.1' };
const READERS: MetricsReaders = {
  token: TOKEN,
  async authenticate(request) {
    switch (request.header('authorization')) {
      case 'Bearer reader':
        return principal('metrics.read');
      case 'Bearer other':
        return principal();
      case undefined:
        return { ...principal(), kind: 'anonymous', id: 'anonymous', name: 'anonymous' };
      default:
        throw new TrustFault('access.credentials-invalid', 'wrong');
    }
  },
};

const CASES: readonly {
  readonly name: string;
  readonly request: RequestPieces;
  readonly readers?: MetricsReaders;
  readonly expect: Code | null;
}[] = [
  { name: 'loopback', request: {}, expect: null },
  { name: 'IPv6 loopback', request: { remoteAddress: '::1' }, expect: null },
  { name: 'another machine', request: REMOTE, expect: 'access.unauthenticated' },
  {
    name: 'another machine, with no readers',
    request: REMOTE,
    readers: {},
    expect: 'access.unauthenticated',
  },
  { name: 'the token', request: { ...REMOTE, headers: bearer(TOKEN) }, expect: null },
  {
    name: 'a token that begins like it',
    request: { ...REMOTE, headers: bearer(TOKEN.slice(0, -1)) },
    expect: 'access.credentials-invalid',
  },
  {
    name: 'an empty token where none is configured',
    request: { ...REMOTE, headers: bearer('x') },
    readers: { token: '' },
    expect: 'access.unauthenticated',
  },
  {
    name: 'a caller with the permission',
    request: { ...REMOTE, headers: bearer('reader') },
    expect: null,
  },
  {
    name: 'a caller without it',
    request: { ...REMOTE, headers: bearer('other') },
    expect: 'access.denied',
  },
  {
    name: 'loopback with credentials that do not suffice',
    request: { headers: bearer('other') },
    expect: 'access.denied',
  },
  {
    name: 'another machine through a proxy on this one',
    request: { headers: { 'x-forwarded-for': '192.0.2.1' } },
    expect: 'access.unauthenticated',
  },
  { name: 'a path below', request: { path: '/x' }, expect: 'http.not-found' },
  { name: 'a POST', request: { method: 'POST' }, expect: 'http.method-unsupported' },
];

for (const { name, request, readers = READERS, expect } of CASES) {
  test(`metrics for ${name}: ${expect ?? 'answered'}`, async () => {
    const answer = metricsDoor(createMetrics(), readers).handle(requestOf(request));
    if (expect !== null) return assert.rejects(answer, faultOf(expect));
    assert.equal((await answer).status, 200);
  });
}

test('metrics hold the process, its event loop, and what services register', async () => {
  const metrics = createMetrics();
  const counted = metrics.counter({ name: 'bulla_test_total', help: 'Tests.', labels: ['kind'] });
  counted.add({ kind: 'a' });
  counted.add({ kind: 'a' }, 2);
  metrics.gauge({ name: 'bulla_level', help: 'A level.' }, () => 7);
  const sizes = metrics.histogram({ name: 'bulla_size', help: 'Sizes.', buckets: [1, 10] });
  sizes.observe(5);
  const { text, contentType } = await metrics.render();
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  for (const line of [
    /^process_resident_memory_bytes \d/m,
    /^nodejs_eventloop_lag_seconds \d/m,
    /^bulla_test_total\{kind="a"\} 3$/m,
    /^bulla_level 7$/m,
    /^bulla_size_bucket\{le="10"\} 1$/m,
  ]) {
    assert.match(text, line);
  }
});

test('two sets of metrics share nothing', async () => {
  const spec = { name: 'bulla_test_total', help: 'Tests.' };
  createMetrics().counter(spec).add();
  const other = createMetrics();
  other.counter(spec);
  assert.match((await other.render()).text, /^bulla_test_total 0$/m);
});

test('requests are counted by door and class of status, and a path makes no label', async () => {
  const metrics = createMetrics();
  const door: Door = {
    prefix: '/v2',
    name: 'registry',
    handle: async ({ segments }) => ({ status: segments[0] === 'no' ? 404 : 200 }),
    refuse: plainRefusal,
  };
  const observe = [measureRequests(metrics)];
  const server = await listen([door], {}, HTTP_LIMITS, { observe });
  const [{ url } = { url: '' }] = server.addresses;
  for (const path of ['/v2/a', '/v2/b', '/v2/no', '/elsewhere/1', '/elsewhere/2']) {
    await (await fetch(`${url}${path}`)).arrayBuffer();
  }
  await server.close();
  const { text } = await metrics.render();
  const counts = [...text.matchAll(/^bulla_http_requests_total(\{.*\}) (\d+)$/gm)].map(
    ([, labels, count]) => `${labels} ${count}`,
  );
  assert.deepEqual(counts.sort(), [
    '{door="none",status="4xx"} 2',
    '{door="registry",status="2xx"} 2',
    '{door="registry",status="4xx"} 1',
  ]);
  assert.match(
    text,
    /^bulla_http_request_duration_seconds_count\{door="registry",status="2xx"\} 2$/m,
  );
});

test('a gauge with labels tells what there is, and nothing of what there was', async () => {
  const metrics = createMetrics();
  let levels: Labelled = [
    [{ of: 'a' }, 1],
    [{ of: 'b' }, 2],
  ];
  metrics.gauge({ name: 'bulla_levels', help: 'Levels.', labels: ['of'] }, () => levels);
  const lines = async () =>
    (await metrics.render()).text.split('\n').filter((line) => line.startsWith('bulla_levels'));
  assert.deepEqual(await lines(), ['bulla_levels{of="a"} 1', 'bulla_levels{of="b"} 2']);
  levels = [[{ of: 'b' }, 0]];
  assert.deepEqual(await lines(), ['bulla_levels{of="b"} 0']);
});
