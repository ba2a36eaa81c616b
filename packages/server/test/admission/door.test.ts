import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { budgetOf } from '@bulla/server/admission/routes';
import { TrustFault } from '@bulla/trust/fault/fault';
import { mint } from '../http/tls/mint.ts';
import { CallFailure } from './api-server.ts';
import { openDoor } from './door.ts';
import { deployment, objectOf, pod, reviewOf } from './reviews.ts';
import { digestOf, openWorld } from './world.ts';

const TAG = 'registry.example/app:1';
const APP = `${TAG}@${digestOf(TAG)}`;
const BAD = 'registry.example/bad:1';

test('an API server is answered over TLS: a tag is pinned and admitted, what is unsigned refused', async () => {
  const world = await openWorld({ images: { [BAD]: { outcome: 'deny' } } });
  await using door = await openDoor(world);
  const good = await door.api.admit(reviewOf({ object: deployment([TAG]) }));
  assert.equal(good.allowed, true);
  assert.match(JSON.stringify(good.object), new RegExp(`"image":"${APP}"`));
  assert.match(good.auditAnnotations['decisions'] ?? '', /=admit$/);
  const bad = await door.api.admit(reviewOf({ object: deployment([TAG, BAD]) }));
  assert.deepEqual([bad.allowed, bad.code], [false, 403]);
  assert.ok(
    bad.message.startsWith('admission webhook "validate.bulla.dev" denied the request: 1 image'),
  );
  assert.equal(world.kept[0]?.request.object?.cluster, 'test');
  assert.equal(world.kept[0]?.request.userAgent, 'kube-apiserver-admission');
  const metrics = await door.metrics();
  assert.match(metrics, /reviews_total\{hook="mutate",operation="CREATE",outcome="pinned"\} 2/);
  assert.match(metrics, /reviews_total\{hook="validate",operation="CREATE",outcome="refused"\} 1/);
});

test('a server by another name, or without the SAN, is not called', async () => {
  await using door = await openDoor(await openWorld());
  const other = door.caller({ service: { name: 'other', namespace: 'trust' } });
  await assert.rejects(other.call('validate', reviewOf({ object: pod([APP]) })), CallFailure);
});

const REQUESTS: readonly {
  readonly name: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly expect: readonly [number, string];
}[] = [
  {
    name: 'a path that is none',
    path: '/admission/other',
    expect: [404, 'http.not-found'],
  },
  { name: 'the registry', path: '/v2/', expect: [404, 'http.not-found'] },
  { name: 'a path below', path: '/admission/validate/x', expect: [404, 'http.not-found'] },
  { name: 'a name of every object', path: '/constructor', expect: [404, 'http.not-found'] },
  { name: 'a GET', method: 'GET', body: '', expect: [405, 'http.method-unsupported'] },
  { name: 'a PUT', method: 'PUT', expect: [405, 'http.method-unsupported'] },
  { name: 'text', headers: { 'content-type': 'text/plain' }, expect: [415, 'http.media-type'] },
  { name: 'no JSON', body: '{"kind":', expect: [400, 'admission.review-malformed'] },
  { name: 'no body', body: '', expect: [400, 'admission.review-malformed'] },
  {
    name: 'v1beta1',
    body: JSON.stringify({ ...reviewOf({}), apiVersion: 'admission.k8s.io/v1beta1' }),
    expect: [400, 'admission.version-unsupported'],
  },
  {
    name: 'more than a review may have',
    body: `{"kind":"${'x'.repeat(9 << 20)}"}`,
    expect: [413, 'http.body-too-large'],
  },
];

for (const { name, path = '/admission/validate', body = '{}', expect, ...more } of REQUESTS) {
  test(`${name} is a Status of ${expect[1]}, and the next request is answered`, async () => {
    await using door = await openDoor(await openWorld());
    const answer = await door.api.raw(path, body, more);
    const status = JSON.parse(answer.body);
    assert.equal(answer.status, expect[0]);
    assert.deepEqual([status.kind, status.apiVersion, status.code], ['Status', 'v1', expect[0]]);
    assert.ok(status.message.startsWith(`${expect[1]}: `), status.message);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    const next = await door.api.call('validate', reviewOf({ object: pod([APP]) }));
    assert.equal(next.allowed, true);
  });
}

test('a body that comes in pieces without a length is read, and refused once it is too long', async () => {
  await using door = await openDoor(await openWorld());
  const small = JSON.stringify(reviewOf({ object: pod([APP]) }));
  const send = (body: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: door.port, rejectUnauthorized: false });
      let said = '';
      socket.on('data', (data) => {
        said += data.toString();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(said));
      socket.write(
        'POST /admission/validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n' +
          'connection: close\r\ntransfer-encoding: chunked\r\n\r\n',
      );
      for (let at = 0; at < body.length; at += 65_536) {
        const piece = body.slice(at, at + 65_536);
        socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      }
      socket.end('0\r\n\r\n');
    });
  assert.match(await send(small), /"allowed":true/);
  assert.match(await send(`"${'x'.repeat(10 << 20)}"`), /^HTTP\/1\.1 413 /);
});

test('an object of 3 MiB and its former self are one review, and are judged', async () => {
  await using door = await openDoor(await openWorld());
  const metadata = { annotations: { blob: 'x'.repeat(3 << 20) } };
  const of = (image: string) =>
    objectOf('Deployment', { containers: [{ name: 'a', image }] }, metadata);
  const review = reviewOf({ operation: 'UPDATE', object: of(TAG), oldObject: of('other:1') });
  const admitted = await door.api.admit(review);
  assert.equal(admitted.allowed, true);
});

test('500 images in one CronJob, of which one is unsigned', async () => {
  await using door = await openDoor(await openWorld({ images: { [BAD]: { outcome: 'deny' } } }));
  const containers = Array.from({ length: 500 }, (_, at) => ({
    name: `c${at}`,
    image: at === 333 ? BAD : `registry.example/app:${at}`,
  }));
  const object = objectOf('CronJob', { containers });
  const { allowed, message } = await door.api.admit(reviewOf({ object }));
  assert.equal(allowed, false);
  assert.match(message, /1 image is refused:\n- registry\.example\/bad:1 \(container c333\)/);
});

test('a registry that hangs is denied before the API server gives up', async () => {
  const world = await openWorld({ images: { [TAG]: { hangs: true } } });
  await using door = await openDoor(world, { timeoutSeconds: 1 });
  const { allowed, message, auditAnnotations } = await door.api.call(
    'validate',
    reviewOf({ object: pod([APP]) }),
  );
  assert.equal(allowed, false);
  assert.equal(auditAnnotations['codes'], 'admission.deadline');
  assert.ok(message.includes(APP));
  const { allowed: unpatched, patch } = await door.api.call(
    'mutate',
    reviewOf({ object: pod([TAG]) }),
  );
  assert.deepEqual([unpatched, patch], [true, []]);
});

test('what the query says of the time is believed within bounds', () => {
  const budgets: readonly (readonly [string, number])[] = [
    ['?timeout=10s', 9500],
    ['?timeout=1s', 500],
    ['?timeout=30s', 29_500],
    ['?timeout=9999s', 29_500],
    ['?timeout=0s', 500],
    ['?a=b&timeout=5s', 4500],
    ['?timeout=5s&a=b', 4500],
    ['?timeout=-5s', 9500],
    ['?timeout=5m', 9500],
    ['?timeout=5', 9500],
    ['?xtimeout=5s', 9500],
    ['', 9500],
  ];
  for (const [query, expect] of budgets) assert.equal(budgetOf(query, 500), expect, query);
  assert.equal(budgetOf('?timeout=10s', 10_000), 5000);
});

test('with an authority of clients, who shows no certificate of it is refused, and probes are answered', async () => {
  const clients = mint('client authority');
  const api = mint('kube-apiserver', { by: clients, purpose: 'client' });
  const stranger = mint('stranger', { by: mint('another'), purpose: 'client' });
  const world = await openWorld();
  await using door = await openDoor(world, { clientCa: clients.certificate });
  const review = reviewOf({ object: pod([APP]) });
  const pair = ({ certificate, key }: typeof api) => ({
    clientCertificate: { cert: certificate, key },
  });
  assert.equal((await door.caller(pair(api)).call('validate', review)).allowed, true);
  for (const caller of [door.caller(), door.caller(pair(stranger))]) {
    await assert.rejects(caller.call('validate', review), (error) => {
      assert.ok(error instanceof CallFailure);
      assert.equal(error.status, 401);
      assert.match(error.message, /admission\.caller-unknown/);
      return true;
    });
    const probe = await caller.raw('/healthz', '', { method: 'GET' });
    assert.equal(probe.status, 200);
  }
  assert.equal(world.asked.length, 1);
});

test('probes: alive while the process answers, ready while its checks pass', async () => {
  let ready = true;
  const check = {
    name: 'policies',
    check: async () => {
      if (!ready) throw new Error('none');
    },
  };
  await using door = await openDoor(await openWorld(), { checks: [check] });
  const get = (path: string) => door.api.raw(path, '', { method: 'GET' });
  assert.equal((await get('/healthz')).status, 200);
  assert.equal((await get('/readyz')).status, 200);
  ready = false;
  // An answer serves those who ask next for half a second.
  let last = await get('/readyz');
  while (last.status === 200) last = await get('/readyz');
  assert.deepEqual([last.status, JSON.parse(last.body).failing], [503, ['policies']]);
  assert.equal((await door.api.raw('/healthz', '', { method: 'POST' })).status, 405);
});

test('certificates that are replaced while it serves drop no request', async () => {
  const world = await openWorld();
  await using door = await openDoor(world);
  let going = true;
  let answered = 0;
  const lane = async (fresh: boolean) => {
    const kept = door.caller();
    while (going) {
      const caller = fresh ? door.caller() : kept;
      const { allowed } = await caller.call('validate', reviewOf({ object: pod([APP]) }));
      assert.equal(allowed, true);
      answered += 1;
      if (fresh) caller.close();
    }
  };
  const lanes = [lane(false), lane(false), lane(true)];
  for (let round = 0; round < 5; round++) {
    const before = answered;
    await door.renew();
    while (answered < before + 10) await new Promise((resolve) => setImmediate(resolve));
  }
  going = false;
  await Promise.all(lanes);
  assert.equal(door.lines.filter((line) => line.includes('certificate replaced')).length, 5);
});

test('a certificate that has expired is not taken up: the one before goes on, and the log says so', async () => {
  await using door = await openDoor(await openWorld());
  await door.renew([-10, -1]);
  assert.match(door.lines.join(''), /http\.tls-invalid/);
  const { allowed } = await door.caller().call('validate', reviewOf({ object: pod([APP]) }));
  assert.equal(allowed, true);
});

test('bodies that wait together are bounded; who comes too many is told to try again', async () => {
  const world = await openWorld();
  await using door = await openDoor(world, { section: { maxBodyBytes: 32 << 20 } });
  const half: (() => void)[] = [];
  const opened = Array.from(
    { length: 6 },
    () =>
      new Promise<string>((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port: door.port, rejectUnauthorized: false });
        let said = '';
        socket.on('data', (data) => {
          said += data.toString();
          socket.destroy();
        });
        socket.on('error', reject);
        socket.on('close', () => resolve(said));
        const size = 31 << 20;
        socket.write(
          `POST /admission/validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`,
        );
        socket.write(Buffer.alloc(size - 1, 0x20));
        half.push(() => socket.destroy());
      }),
  );
  const first = await Promise.race(opened);
  assert.match(first, /^HTTP\/1\.1 503 [\s\S]*admission\.overloaded/);
  for (const end of half) end();
  await Promise.all(opened);
  const { allowed } = await door.api.call('validate', reviewOf({ object: pod([APP]) }));
  assert.equal(allowed, true);
});

test('a fault of the server itself says no more than its code to the caller, and all to the log', async () => {
  const world = await openWorld({
    images: { [BAD]: { fault: new TrustFault('internal.defect', 'a secret place') } },
  });
  await using door = await openDoor(world);
  const { allowed, message } = await door.api.call('validate', reviewOf({ object: pod([BAD]) }));
  assert.equal(allowed, false);
  assert.match(message, /internal\.defect/);
  assert.doesNotMatch(message, /secret place/);
  assert.match(door.lines.join(''), /secret place/);
});
