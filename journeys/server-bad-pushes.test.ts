// Pushes that are wrong, cut, hostile, or at the same time: refused or whole, and nothing between.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { cutOff, portOf } from './raw-request.ts';
import {
  assertUnharmed,
  basic,
  type RunningServer,
  signedPolicy,
  signInOwner,
  startUp,
  until,
} from './server.ts';
import { makeKey, openStage, type Stage } from './stage.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const D = `sha256:${'0'.repeat(64)}`;

let stage: Stage;
let server: RunningServer;
/** Of one who reads what is not admitted. */
let signToken: string;

before(async () => {
  stage = await openStage();
  const { pub } = await makeKey(stage, 'release');
  const policy = await stage.write('policy.yaml', signedPolicy({ name: 'release-only', pub }));
  server = await startUp(stage, { policies: [policy] });
  const owner = await signInOwner(server);
  const actions = ['pull', 'push', 'sign'] as const;
  signToken = await owner.makeToken({ name: 'signs', repository: '**', actions });
});

// After each test, whatever it pushed.
afterEach(() => assertUnharmed(server));

after(async () => {
  await server.stop();
  await stage[Symbol.asyncDispose]();
});

/** A manifest whose config is there; with further members. */
async function manifestOf(more: object = {}): Promise<string> {
  const answer = await fetch(
    `${server.origin}/v2/team/app/blobs/uploads/?digest=${digestOf('{}')}`,
    {
      method: 'POST',
      headers: { ...basic(server.pushToken), 'content-type': 'application/octet-stream' },
      body: '{}',
    },
  );
  assert.equal(answer.status, 201);
  const config = { mediaType: 'application/json', digest: digestOf('{}'), size: 2 };
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config,
    layers: [],
    ...more,
  });
}

function digestOf(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function put(
  body: string | ReadableStream,
  type: string | null,
  tag = 'bad',
): Promise<number> {
  const answer = await fetch(`${server.origin}/v2/team/app/manifests/${tag}`, {
    method: 'PUT',
    headers: { ...basic(server.pushToken), ...(type === null ? {} : { 'content-type': type }) },
    body,
    ...(typeof body === 'string' ? {} : { duplex: 'half' as const }),
  });
  const text = await answer.text();
  assert.doesNotMatch(text, /\n\s+at /);
  return answer.status;
}

/** Neither a tag nor a manifest of these bytes is there, not even for who may read all. */
async function assertNothing(tag: string, body: string): Promise<void> {
  for (const reference of [tag, digestOf(body)]) {
    const answer = await fetch(`${server.origin}/v2/team/app/manifests/${reference}`, {
      headers: basic(signToken),
    });
    assert.equal(answer.status, 404, await answer.text());
  }
}

test('a manifest that is too large is refused, whether it tells its length or not', async () => {
  const large = await manifestOf({ annotations: { filler: 'x'.repeat(5 << 20) } });
  assert.equal(await put(large, OCI_MANIFEST), 413);
  assert.equal(await put(new Blob([large]).stream(), OCI_MANIFEST), 413);
  await assertNothing('bad', large);
});

const BODIES: readonly {
  readonly name: string;
  readonly body: string;
  /** By default 400. */
  readonly expect?: number;
}[] = [
  { name: 'no JSON', body: 'manifest' },
  { name: 'half of it', body: '{"schemaVersion":2,' },
  { name: 'an array', body: '[]' },
  { name: 'a member twice', body: `{"schemaVersion":2,"schemaVersion":2,"config":{}}` },
  { name: 'depth', body: `${'['.repeat(100_000)}${']'.repeat(100_000)}`, expect: 413 },
  { name: 'NULs', body: '\0'.repeat(1000) },
  {
    name: 'an image that is an index as well',
    body: JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, manifests: [], layers: [] }),
  },
  {
    name: 'a layer of another place',
    body: JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: 'a/b', digest: `sha256:${'../'.repeat(20)}`, size: 2 },
      layers: [],
    }),
  },
  {
    name: 'a size that is none',
    body: JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: 'a/b', digest: D, size: -1 },
      layers: [],
    }),
  },
];

for (const { name, body, expect = 400 } of BODIES) {
  test(`a manifest with ${name} is refused, and not kept`, async () => {
    assert.equal(await put(body, OCI_MANIFEST), expect);
    await assertNothing('bad', body);
  });
}

/** Of a PUT whose document is an image's of OCI; 201 only for that type (distribution-spec 1.1). */
const TYPES: readonly { readonly type: string | null; readonly expect: number }[] = [
  { type: null, expect: 400 },
  { type: '', expect: 400 },
  { type: 'text/html', expect: 400 },
  { type: 'application/json', expect: 400 },
  { type: 'application/vnd.oci.image.index.v1+json', expect: 400 },
  { type: 'application/vnd.docker.distribution.manifest.v1+prettyjws', expect: 400 },
  { type: `application/${'x'.repeat(10_000)}`, expect: 400 },
  { type: `${OCI_MANIFEST}, text/html`, expect: 400 },
  { type: '*/*', expect: 400 },
  // A parameter changes no type, and bytes are JSON in UTF-8 whatever it says (RFC 8259 §8.1, §11).
  { type: 'application/vnd.oci.image.manifest.v1+json; charset=utf-16', expect: 201 },
  { type: 'Application/VND.oci.image.manifest.v1+JSON', expect: 201 },
];

for (const [at, { type, expect }] of TYPES.entries()) {
  test(`a manifest of the content type ${JSON.stringify(type)?.slice(0, 80)} is ${expect}, and served as no other`, async () => {
    const body = await manifestOf({ annotations: { type: String(at) } });
    assert.equal(await put(body, type, `type-${at}`), expect);
    if (expect !== 201) return assertNothing(`type-${at}`, body);
    const answer = await fetch(`${server.origin}/v2/team/app/manifests/type-${at}`, {
      headers: basic(signToken),
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), OCI_MANIFEST);
    assert.equal(digestOf(await answer.text()), digestOf(body));
  });
}

test('stored markup is served as bytes that no browser runs', async () => {
  const page = '<html><script>alert(1)</script>';
  const uploads = `${server.origin}/v2/team/app/blobs/uploads/?digest=${digestOf(page)}`;
  const headers = { ...basic(server.pushToken), 'content-type': 'text/html' };
  assert.equal((await fetch(uploads, { method: 'POST', headers, body: page })).status, 201);
  const answer = await fetch(`${server.origin}/v2/team/app/blobs/${digestOf(page)}`, {
    headers: basic(server.pushToken),
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/);
});

test('an upload that is cut in the middle goes on from where it is, and ends whole', async () => {
  const content = randomBytes(300_000);
  const headers = basic(server.pushToken);
  const begun = await fetch(`${server.origin}/v2/team/app/blobs/uploads/`, {
    method: 'POST',
    headers,
  });
  assert.equal(begun.status, 202);
  const location = new URL(begun.headers.get('location') ?? '', server.origin);
  const head = [
    `PATCH ${location.pathname}${location.search} HTTP/1.1`,
    `Host: ${location.host}`,
    `Authorization: ${headers.authorization}`,
    'Content-Type: application/octet-stream',
    `Content-Length: ${content.length}`,
    '',
    '',
  ].join('\r\n');
  await cutOff(
    portOf(server.origin),
    Buffer.concat([Buffer.from(head), content.subarray(0, 100_000)]),
  );
  const sizeNow = async () => {
    const status = await fetch(location, { headers });
    assert.equal(status.status, 204);
    const range = /^0-(\d+)$/.exec(status.headers.get('range') ?? '')?.[1] ?? '0';
    return range === '0' ? 0 : Number(range) + 1;
  };
  const from = await sizeNow();
  assert.ok(from <= 100_000, String(from));
  for (;;) {
    const at = await sizeNow();
    const answer = await fetch(location, {
      method: 'PATCH',
      headers: {
        ...headers,
        'content-type': 'application/octet-stream',
        'content-range': `${at}-${content.length - 1}`,
      },
      body: content.subarray(at),
    });
    // While the server has not seen the end of the cut one, it may still take its bytes.
    if (answer.status === 202) break;
    assert.ok([409, 416].includes(answer.status), `${answer.status} ${await answer.text()}`);
  }
  const separator = location.search === '' ? '?' : '&';
  const done = await fetch(`${location.href}${separator}digest=${digestOf(content)}`, {
    method: 'PUT',
    headers,
  });
  assert.equal(done.status, 201, await done.text());
  const stored = await fetch(`${server.origin}/v2/team/app/blobs/${digestOf(content)}`, {
    headers,
  });
  assert.equal(digestOf(Buffer.from(await stored.arrayBuffer())), digestOf(content));
});

/** A push that breaks off: its head, and as much of its body as was sent. */
interface Cut {
  readonly name: string;
  readonly line: string;
  readonly headers: string;
  readonly sent: string | Buffer;
}

const WHOLE = randomBytes(300_000);
const UPLOAD = `/v2/team/app/blobs/uploads/?digest=${digestOf(WHOLE)}`;
const CUTS: readonly Cut[] = [
  {
    name: 'a blob in one request',
    line: `POST ${UPLOAD}`,
    headers: `Content-Length: ${WHOLE.length}\r\n`,
    sent: WHOLE.subarray(0, 200_000),
  },
  {
    name: 'a blob in one request, all but its last byte',
    line: `POST ${UPLOAD}`,
    headers: `Content-Length: ${WHOLE.length}\r\n`,
    sent: WHOLE.subarray(0, -1),
  },
  {
    name: 'a blob in chunks, all of it but the end that says so',
    line: `POST ${UPLOAD}`,
    headers: 'Transfer-Encoding: chunked\r\n',
    sent: Buffer.concat([Buffer.from(`${WHOLE.length.toString(16)}\r\n`), WHOLE]),
  },
];

/** The bytes of a push in the name of the token. */
function requestOf(line: string, headers: string, body: string | Buffer): Buffer {
  const { authorization } = basic(server.pushToken);
  const { host } = new URL(server.origin);
  const head = `${line} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\n${headers}\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

for (const { name, line, headers, sent } of CUTS) {
  test(`a push of ${name} that is cut leaves nothing`, async () => {
    await cutOff(portOf(server.origin), requestOf(line, headers, sent), () =>
      until('it is under way', async () => (await staged()).length === 1),
    );
    await until('nothing is staged any more', async () => (await staged()).length === 0);
    const blob = await fetch(`${server.origin}/v2/team/app/blobs/${digestOf(WHOLE)}`, {
      headers: basic(signToken),
    });
    assert.equal(blob.status, 404);
  });
}

test('a push of a manifest that is cut after all its bytes but the last leaves nothing', async () => {
  const body = await manifestOf({ annotations: { cut: 'whole but for a space' } });
  const headers = `Content-Type: ${OCI_MANIFEST}\r\nContent-Length: ${body.length + 1}\r\n`;
  const request = requestOf('PUT /v2/team/app/manifests/cut', headers, body);
  await cutOff(portOf(server.origin), request);
  // A request that came after it and was answered.
  assert.equal(await put(body, OCI_MANIFEST, 'after'), 201);
  const answer = await fetch(`${server.origin}/v2/team/app/manifests/cut`, {
    headers: basic(signToken),
  });
  assert.equal(answer.status, 404);
});

/** The files of uploads under way. */
async function staged(): Promise<readonly string[]> {
  const entries = await readdir(join(server.data, 'objects'), {
    recursive: true,
    withFileTypes: true,
  });
  return entries
    .filter((entry) => entry.isFile() && /\bstaged\b/.test(entry.parentPath))
    .map(({ name }) => name);
}

test('an upload that is not what it claims is refused, and nothing of it is kept', async () => {
  const content = randomBytes(10_000);
  const headers = { ...basic(server.pushToken), 'content-type': 'application/octet-stream' };
  const uploads = `${server.origin}/v2/team/app/blobs/uploads/?digest=${D}`;
  const answer = await fetch(uploads, { method: 'POST', headers, body: content });
  assert.equal(answer.status, 400);
  for (const digest of [D, digestOf(content)]) {
    const blob = await fetch(`${server.origin}/v2/team/app/blobs/${digest}`, { headers });
    assert.equal(blob.status, 404);
  }
});

test('a push that is cut takes nothing from another of the same digest at the same time', async () => {
  const content = randomBytes(2_000_000);
  const digest = digestOf(content);
  const headers = { ...basic(server.pushToken), 'content-type': 'application/octet-stream' };
  const path = `/v2/team/app/blobs/uploads/?digest=${digest}`;
  const length = `Content-Length: ${content.length}\r\n`;
  const cuts = Array.from({ length: 4 }, (_, n) =>
    cutOff(
      portOf(server.origin),
      requestOf(`POST ${path}`, length, content.subarray(0, 400_000 * (n + 1))),
    ),
  );
  const whole = Array.from({ length: 4 }, async () => {
    const answer = await fetch(`${server.origin}${path}`, {
      method: 'POST',
      headers,
      body: content,
    });
    return answer.status;
  });
  await Promise.all(cuts);
  assert.deepEqual(await Promise.all(whole), [201, 201, 201, 201]);
  const blob = await fetch(`${server.origin}/v2/team/app/blobs/${digest}`, { headers });
  assert.equal(digestOf(Buffer.from(await blob.arrayBuffer())), digest);
});

test('pushes of one digest at once all succeed, and leave it whole', async () => {
  const content = randomBytes(200_000);
  const headers = { ...basic(server.pushToken), 'content-type': 'application/octet-stream' };
  const digest = digestOf(content);
  const statuses = await Promise.all(
    Array.from({ length: 8 }, async (_, n) => {
      const uploads = `${server.origin}/v2/team/app${n % 2}/blobs/uploads/?digest=${digest}`;
      return (await fetch(uploads, { method: 'POST', headers, body: content })).status;
    }),
  );
  assert.deepEqual(new Set(statuses), new Set([201]));
  for (const repository of ['team/app0', 'team/app1']) {
    const blob = await fetch(`${server.origin}/v2/${repository}/blobs/${digest}`, { headers });
    assert.equal(digestOf(Buffer.from(await blob.arrayBuffer())), digest);
  }
  const image = await manifestOf({ annotations: { one: 'digest' } });
  const manifests = await Promise.all(Array.from({ length: 8 }, () => put(image, OCI_MANIFEST)));
  assert.deepEqual(new Set(manifests), new Set([201]));
});
