// What is sent to admission's port, whatever it is, gets an answer that an API server understands, lets
// nothing in, and holds up nobody.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { RawShape } from '../packages/server/test/admission/api-server.ts';
import {
  type KubeObject,
  objectOf,
  pod,
  reviewOf,
} from '../packages/server/test/admission/reviews.ts';
import { type AllDoors, openAllDoors } from './all-doors.ts';
import { assertUnharmed } from './server.ts';

let doors: AllDoors;

before(async () => {
  doors = await openAllDoors();
});

// The next honest request is served, after each test.
afterEach(async () => {
  await assertUnharmed(doors.server);
  const object = pod([doors.images.signed]);
  const { allowed, message } = await doors.api.call('validate', reviewOf({ object }));
  assert.equal(allowed, true, message);
});

after(() => doors[Symbol.asyncDispose]());

interface Sent {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked into as it came
  readonly json: any;
}

async function send(body: string | Uint8Array, path: string, more: RawShape = {}): Promise<Sent> {
  const { status, body: text } = await doors.api.raw(path, body, more);
  return { status, text, json: text === '' ? null : JSON.parse(text) };
}

/** A review of a Pod with an image that no policy admits, and what is changed in it. */
function bad(request: KubeObject = {}, review: KubeObject = {}): string {
  const whole = reviewOf({ object: pod([doors.images.unsigned]) });
  return JSON.stringify({
    ...whole,
    ...review,
    request: { ...(whole['request'] as object), ...request },
  });
}

function specced(spec: unknown): string {
  return bad({ object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec } });
}

const named = (image: string) => bad({ object: pod([image]) });
const unsigned = () => doors.images.unsigned;
const signedName = () => JSON.stringify(doors.images.signed);

/** Status of the answer to the validating call; 200 is a denial by an AdmissionReview. */
const REVIEWS: readonly {
  readonly name: string;
  readonly body: () => string | Uint8Array;
  readonly more?: RawShape;
  readonly expect: number;
  readonly says?: RegExp;
}[] = [
  { name: 'nothing', body: () => '', expect: 400 },
  { name: 'null', body: () => 'null', expect: 400 },
  { name: 'a list', body: () => '[]', expect: 400 },
  {
    name: 'v1beta1',
    body: () => bad({}, { apiVersion: 'admission.k8s.io/v1beta1' }),
    expect: 400,
    says: /admission\.version-unsupported/,
  },
  { name: 'another kind', body: () => bad({}, { kind: 'Pod' }), expect: 400 },
  { name: 'two reviews', body: () => bad() + bad(), expect: 400 },
  { name: 'a byte order mark', body: () => `\ufeff${bad()}`, expect: 400 },
  { name: 'no uid', body: () => bad({ uid: undefined }), expect: 400 },
  { name: 'a uid of a megabyte', body: () => bad({ uid: 'u'.repeat(1 << 20) }), expect: 400 },
  { name: 'an operation in lower case', body: () => bad({ operation: 'delete' }), expect: 400 },
  { name: 'an operation of a prototype', body: () => bad({ operation: '__proto__' }), expect: 400 },
  { name: 'a dry run that is a text', body: () => bad({ dryRun: 'true' }), expect: 400 },
  { name: 'an object that is a list', body: () => bad({ object: [] }), expect: 400 },
  {
    name: 'an object that is null',
    body: () => bad({ object: null }),
    expect: 200,
    says: /admission\.review-malformed/,
  },
  {
    name: 'no object',
    body: () => bad({ object: undefined }),
    expect: 200,
    says: /admission\.review-malformed/,
  },
  {
    name: 'the same image twice under one key',
    body: () => bad().replace('"image":', `"image":${signedName()},"image":`),
    expect: 400,
  },
  { name: 'the request twice', body: () => `{"request":{},${bad().slice(1)}`, expect: 400 },
  { name: 'depth', body: () => `{"a":${'['.repeat(100_000)}`, expect: 400 },
  {
    name: 'an object that is deep',
    body: () => specced({ deep: JSON.parse('['.repeat(600) + ']'.repeat(600)) }),
    expect: 400,
  },
  {
    name: 'bytes that are no UTF-8',
    body: () => Buffer.from(bad().replace('team/bad', 'team/\xff'), 'latin1'),
    expect: 400,
  },
  { name: 'half of a pair', body: () => bad().replace('team/bad', 'team/\\ud800bad'), expect: 200 },
  {
    name: 'a NUL in a name',
    body: () => bad().replace('team/bad', 'team/\\u0000bad'),
    expect: 200,
  },
  {
    name: 'an escaped key',
    body: () => bad().replace('"image":', '"\\u0069mage":'),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'a prototype',
    body: () => bad().replace('"spec":', '"__proto__":{"kind":"Event"},"spec":'),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'a prototype of a container',
    body: () => bad().replace('"image":', `"__proto__":{"image":${signedName()}},"image":`),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'a kind of a prototype',
    body: () => bad({ kind: { group: '', version: 'v1', kind: '__proto__' } }),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'a kind that has no images',
    body: () => bad({ kind: { group: '', version: 'v1', kind: 'ConfigMap' } }),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'a subresource of a prototype',
    body: () => bad({ subResource: '__proto__' }),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'a subresource like one that is let through',
    body: () => bad({ subResource: 'status/x' }),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'an update of nothing',
    body: () => bad({ operation: 'UPDATE', oldObject: null }),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'no user',
    body: () => bad({ userInfo: undefined }),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'a user of a megabyte',
    body: () => bad({ userInfo: { username: 'u'.repeat(1 << 20) } }),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'a namespace of a megabyte',
    body: () => bad({ namespace: 'n'.repeat(1 << 20) }),
    expect: 200,
  },
  {
    name: 'containers that are no list',
    body: () => specced({ containers: { a: { image: unsigned() } } }),
    expect: 200,
    says: /images\.manifest-malformed/,
  },
  {
    name: 'an image that is a list',
    body: () => specced({ containers: [{ image: [unsigned()] }] }),
    expect: 200,
    says: /images\.manifest-malformed/,
  },
  {
    name: 'a container that is null',
    body: () => specced({ containers: [null] }),
    expect: 200,
    says: /admission\.image-missing/,
  },
  {
    name: 'an image without a name',
    body: () => named(''),
    expect: 200,
    says: /admission\.image-missing/,
  },
  {
    name: 'an image of white space',
    body: () => named(' \t'),
    expect: 200,
    says: /admission\.image-missing/,
  },
  { name: 'an image with white space', body: () => named(`${unsigned()} `), expect: 200 },
  {
    name: 'a name of 3 MiB',
    body: () => named(`${doors.host}/${'a'.repeat(3 << 20)}`),
    expect: 200,
  },
  {
    name: 'an object of 3 MiB',
    body: () => specced({ x: 'x'.repeat(3 << 20), containers: [{ name: 'a', image: unsigned() }] }),
    expect: 200,
    says: /signature\.none/,
  },
  {
    name: 'a body of the most',
    body: () => bad().padEnd(8 << 20),
    expect: 200,
    says: /signature\.none/,
  },
  { name: 'a body of one more', body: () => bad().padEnd((8 << 20) + 1), expect: 413 },
  {
    name: 'what was compressed',
    body: () => gzipSync(bad()),
    more: { headers: { 'content-encoding': 'gzip' } },
    expect: 400,
  },
  {
    name: 'a bomb',
    body: () => gzipSync(Buffer.alloc(64 << 20)),
    more: { headers: { 'content-encoding': 'gzip' } },
    expect: 400,
  },
  {
    name: 'text',
    body: () => bad(),
    more: { headers: { 'content-type': 'text/plain' } },
    expect: 415,
  },
  {
    name: 'protobuf',
    body: () => bad(),
    more: { headers: { 'content-type': 'application/vnd.kubernetes.protobuf' } },
    expect: 415,
  },
  ...['GET', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'].map((method) => ({
    name: method,
    body: () => bad(),
    more: { method },
    expect: 405,
  })),
];

for (const { name, body, more, expect, says } of REVIEWS) {
  test(`a review with ${name} is ${expect === 200 ? 'denied' : expect}`, async () => {
    const sent = await send(body(), '/admission/validate?timeout=10s', more);
    assert.equal(sent.status, expect, sent.text.slice(0, 400));
    assert.doesNotMatch(sent.text, /\n\s+at |internal\.defect/);
    if (expect === 200) {
      assert.equal(sent.json.response.allowed, false);
      assert.equal(sent.json.apiVersion, 'admission.k8s.io/v1');
    } else {
      // What client-go reads of an answer that is none: a Status.
      assert.deepEqual([sent.json.kind, sent.json.code], ['Status', expect]);
    }
    const said = expect === 200 ? sent.json.response.status.message : sent.json.message;
    if (says !== undefined) assert.match(said, says);
    // The mutating call leaves it as it is, or refuses it alike.
    const mutated = await send(body(), '/admission/mutate?timeout=10s', more);
    assert.equal(mutated.status, expect);
    assert.equal(mutated.json.response?.patch, undefined);
  });
}

const TIMES = ['0s', '-1s', '1000000000s', '10ms', '1e3s', '%31s', '1s&timeout=30s', '', '\u0000'];

test('whatever the query says of the time, an unsigned image is denied', async () => {
  for (const time of TIMES) {
    const path = `/admission/validate?timeout=${encodeURI(time)}`;
    const { status, json } = await send(bad(), path);
    assert.deepEqual([status, json.response.allowed], [200, false], time);
  }
});

const PATHS = ['/', '/metrics', '/v2/', '/api/bulla/v1/users', '/gatekeeper/verify', '/__proto__'];
const NEAR = [
  '/admission/validate/',
  '//admission/validate',
  '/admission/VALIDATE',
  '/admission/%76alidate',
  '/admission/mutate/../validate',
];

test('there is nothing else on this port, and no other way to write a path', async () => {
  for (const path of [...PATHS, ...NEAR]) {
    const { status, json } = await send(bad(), path);
    assert.deepEqual([status, json.kind], [404, 'Status'], path);
  }
});

/** So many different images, none of which is there. */
const names = (count: number) =>
  Array.from({ length: count }, (_, n) => `${doors.host}/team/none-${n}:v1`);

test('500 images in one CronJob are denied by name, 100,000 in a Pod at once and unasked', async () => {
  const containers = names(500).map((image, n) => ({ name: `c${n}`, image }));
  const many = objectOf('CronJob', { containers });
  const denied = await doors.api.call('validate', reviewOf({ object: many }));
  assert.equal(denied.allowed, false);
  for (const image of names(500)) assert.ok(denied.message.includes(image), image);
  const before = (await doors.owner.ask('GET', '/record/head')).json.seq;
  const flood = await doors.api.call('validate', reviewOf({ object: pod(names(100_000)) }));
  assert.match(flood.message, /admission\.too-many-images/);
  assert.ok(flood.message.length < 1000);
  const mutated = await doors.api.call('mutate', reviewOf({ object: pod(names(100_000)) }));
  assert.deepEqual([mutated.allowed, mutated.patch], [true, []]);
  assert.equal((await doors.owner.ask('GET', '/record/head')).json.seq, before, 'nobody was asked');
});

test('what is written into the record of a caller, an object or an image is bounded', async () => {
  const longest = 'x'.repeat(1 << 20);
  const spoofed = { namespace: longest, username: longest, more: { name: longest } };
  await doors.api.call(
    'validate',
    reviewOf({ object: pod([`${doors.host}/${longest}`]), ...spoofed }),
  );
  const { json } = await doors.owner.ask('GET', '/decisions?limit=1');
  const { text } = await doors.owner.ask('GET', `/decisions/${json.decisions[0].id}`);
  assert.ok(text.length < 20_000, `${text.length} characters`);
});
