// Whatever is sent to its ports, the server answers as its protocols say, keeps nothing of it, and goes on.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';
import { pushImage } from '../demo/image.ts';
import { openRepository } from './artifact.ts';
import { garbageFor, noise } from './garbage.ts';
import { type Port, portOf, sendGarbage, sendRaw, statusOf } from './raw-request.ts';
import {
  assertUnharmed,
  basic,
  type Owner,
  type RunningServer,
  signedPolicy,
  signInOwner,
  startUp,
} from './server.ts';
import { makeKey, openStage, type Stage } from './stage.ts';

const SEED = 20261121;

let stage: Stage;
let server: RunningServer;
let plain: Port;
let owner: Owner;
let ports: readonly Port[];

before(async () => {
  stage = await openStage();
  const { key, pub } = await makeKey(stage, 'release');
  const policy = await stage.write('policy.yaml', signedPolicy({ name: 'release-only', pub }));
  server = await startUp(stage, {
    listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'],
    policies: [policy],
  });
  ports = server.addresses.map(portOf);
  plain = ports[0] ?? assert.fail();
  owner = await signInOwner(server);
  const actions = ['pull', 'push', 'sign'] as const;
  const token = await owner.makeToken({ name: 'release', repository: 'team/app', actions });
  // Admitted: a path that is taken for another's would be answered, and not refused.
  const image = `${server.host}/team/app`;
  await pushImage(await openRepository(image, token), 'v1', 'app');
  const credentials = ['--registry-username', 'token', '--registry-password', token];
  await stage.succeeds(['sign', '--key', key, ...credentials, `${image}:v1`]);
});

// After each test, whatever it sent.
afterEach(() => assertUnharmed(server));

after(async () => {
  await server.stop();
  await stage[Symbol.asyncDispose]();
});

const host = () => `Host: ${plain.host}:${plain.port}\r\n`;
const end = 'Connection: close\r\n\r\n';

const GARBAGE = garbageFor(host, '/v2/', '/auth/token');

for (const { name, bytes, expect } of GARBAGE) {
  test(`${name} on every port is ${expect === null ? 'hung up on' : `one answer, ${expect}`}`, async () => {
    for (const port of ports) {
      const answer = await sendGarbage(port, bytes());
      assert.equal(statusOf(answer), expect, answer);
      assert.equal(answer.split('HTTP/1.1 ').length, expect === null ? 1 : 2, answer);
    }
    // And without the TLS that the second port speaks.
    const [, secure] = ports;
    assert.ok(secure !== undefined);
    const status = statusOf(await sendGarbage({ ...secure, tls: false }, bytes()));
    assert.ok(status === null || status === 400, `${name} without TLS: ${status}`);
  });
}

test('a name that is not this server’s gets nothing over plain HTTP, where no certificate tells it', async () => {
  for (const target of ['/v2/', 'http://evil.example/v2/', 'http://evil.example/api/bulla/v1/']) {
    const request = `GET ${target} HTTP/1.1\r\nHost: evil.example\r\n${end}`;
    assert.equal(statusOf(await sendRaw(plain, request)), 421, target);
  }
});

const D = `sha256:${'0'.repeat(64)}`;
const PATHS: readonly string[] = [
  '/../../etc/passwd',
  '/..%2f..%2fetc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/assets/../../../../etc/passwd',
  '/assets/..%2f..%2f..%2fpackage.json',
  '/assets/%2e%2e%5c%2e%2e%5cpackage.json',
  '/assets/..\\..\\package.json',
  '/assets/%252e%252e%252fpackage.json',
  '/assets/%c0%ae%c0%ae/package.json',
  '/assets/....//....//package.json',
  '/assets//etc/passwd',
  '/v2/../../etc/passwd',
  '/v2/%2e%2e/%2e%2e/etc/passwd/manifests/v1',
  '/v2/team%2fapp/manifests/v1',
  '/v2/team%2Fapp/manifests/v1',
  '/v2/team%252fapp/manifests/v1',
  '/v2/team%5capp/manifests/v1',
  '/v2/team/app%2fmanifests%2fv1',
  '/v2/team/./app/manifests/v1',
  '/v2/team/x/../app/manifests/v1',
  '/v2/team/app/manifests/v1/',
  '/v2/team/app/manifests/v1;a=b',
  '/v2/team/app/manifests/v1%20',
  '/V2/team/app/manifests/v1',
  '/v2/team/app/manifests/..%2f..%2fv1',
  '/v2/team/app/manifests/%2e%2e',
  '/v2/team/app/manifests/v1%00',
  '/v2/team/app/manifests/v1%0d%0aX-A:%20b',
  '/v2/team/app/manifests/%ff%fe',
  '/v2/team/app/manifests/%zz',
  '/v2/team/app/manifests/sha256:zz',
  '/v2/team/app/manifests/sha256:../../x',
  `/v2/team/app/manifests/${'a'.repeat(129)}`,
  `/v2/team/app/blobs/${D}/../../../../etc/passwd`,
  `/v2/team/app/blobs/sha512:${'0'.repeat(64)}`,
  `/v2/team/app/blobs/..%2f..%2f${D}`,
  '/v2/team/app/blobs/uploads/..%2f..%2fx',
  '/v2/team/app/blobs/uploads/%2e%2e',
  `/v2/${'a/'.repeat(200)}a/manifests/v1`,
  '/v2//app/manifests/v1',
  '/v2/Team/App/manifests/v1',
  '/v2/~evil.example/app/manifests/v1',
  '/v2/_catalog/../team/app/manifests/v1',
  `/v2/team/app/referrers/..%2f..%2f${D}`,
  `/v2/team/app/blobs/${D}%2f..%2f..%2fmanifests%2fv1`,
  '/api/bulla/v1/../../v2/',
  '/api/bulla/v1/decisions/..%2f..%2fusers',
  '//evil.example/v2/',
];

const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'POST'] as const;

for (const path of PATHS) {
  test(`${path.slice(0, 60)} leads nowhere`, async () => {
    const { authorization } = basic(server.pushToken);
    const tries = METHODS.flatMap((method) =>
      ['', `Authorization: ${authorization}\r\n`].map((who) => ({ method, who })),
    );
    await Promise.all(
      tries.map(async ({ method, who }) => {
        const body = method === 'GET' || method === 'HEAD' ? '' : 'Content-Length: 0\r\n';
        const request = `${method} ${path} HTTP/1.1\r\n${host()}${who}${body}${end}`;
        const answer = await sendRaw(plain, request);
        // Not 403: what a policy or a token refuses was found.
        const status = statusOf(answer) ?? 0;
        assert.ok([400, 404, 405].includes(status) || (status === 401 && who === ''), answer);
        assert.doesNotMatch(answer, /root:|"name": "bulla|\nX-A: b|<script/i);
      }),
    );
  });
}

test('nothing was made by what leads nowhere', async () => {
  const headers = basic(server.pushToken);
  const pulled = await fetch(`${server.origin}/v2/team/app/manifests/v1`, { headers });
  assert.equal(pulled.status, 200, 'the path that the others are not');
  const { json } = await owner.ask('GET', '/repositories');
  assert.deepEqual(
    json.repositories.map(({ name }: { readonly name: string }) => name),
    ['team/app'],
  );
  const tags = await fetch(`${server.origin}/v2/team/app/tags/list`, { headers });
  const { tags: names } = (await tags.json()) as { readonly tags: readonly string[] };
  assert.ok(names.includes('v1'));
  assert.ok(
    names.every((name) => name === 'v1' || name.startsWith('sha256-')),
    names.join(),
  );
  const beside = await readdir(stage.folder);
  assert.deepEqual(beside.toSorted(), ['data', 'policy.yaml', 'release.key', 'release.pub']);
});

const API: readonly {
  readonly name: string;
  readonly body: string | Buffer;
  readonly type: string;
}[] = [
  { name: 'no JSON', body: 'hello', type: 'application/json' },
  { name: 'another type', body: '{}', type: 'text/plain' },
  { name: 'depth', body: '['.repeat(100_000), type: 'application/json' },
  { name: 'a prototype', body: '{"__proto__":{"role":"owner"}}', type: 'application/json' },
  { name: 'ten megabytes', body: Buffer.alloc(10 << 20, ' '), type: 'application/json' },
  { name: 'noise', body: noise(5000, SEED), type: 'application/json' },
];

const API_PATHS = [
  ...['/session', '/session/link', '/users', '/tokens'],
  ...['/exceptions', '/break-glass', '/rollouts', '/node/decisions', '/node/stand-ins'],
];

for (const { name, body, type } of API) {
  test(`the product API refuses ${name}, whoever sends it`, async () => {
    for (const path of API_PATHS) {
      for (const who of [{}, owner.headers()]) {
        const answer = await fetch(`${server.origin}/api/bulla/v1${path}`, {
          method: 'POST',
          headers: { origin: server.origin, 'content-type': type, ...who },
          body,
        });
        const text = await answer.text();
        assert.ok([400, 401, 403, 413, 415].includes(answer.status), `${path}: ${text}`);
        assert.doesNotMatch(text, /\n\s+at /);
      }
    }
    assert.equal((await owner.ask('GET', '/users')).json.users.length, 1, 'and nothing was made');
  });
}
