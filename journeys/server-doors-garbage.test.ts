// Garbage, requests in two readings and requests that never end, at the TLS ports of admission and Gatekeeper;
// and bodies that are none at Gatekeeper's port, the door for nodes and that for push events.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { pod, reviewOf } from '../packages/server/test/admission/reviews.ts';
import { type AllDoors, openAllDoors } from './all-doors.ts';
import { garbageFor } from './garbage.ts';
import { type Port, sendGarbage, statusOf } from './raw-request.ts';
import { assertUnharmed, until } from './server.ts';

let doors: AllDoors;
let nodeToken: string;

before(async () => {
  doors = await openAllDoors();
  const wanted = { name: 'nodes', permissions: ['node.ask'] };
  nodeToken = (await doors.owner.ask('POST', '/tokens', wanted)).json.secret;
});

const review = (image: string) => reviewOf({ object: pod([image]) });

// After each test, whatever it sent, honest callers of every door are answered.
afterEach(async () => {
  await assertUnharmed(doors.server);
  const { signed, unsigned } = doors.images;
  const { allowed } = await doors.api.call('validate', review(signed));
  assert.equal(allowed, true);
  const { text } = await doors.gatekeeper('/gatekeeper/verify', question([signed, unsigned]));
  const { items } = JSON.parse(text).response;
  assert.deepEqual(
    items.map(({ value }: { readonly value: { readonly succeeded: boolean } }) => value.succeeded),
    [true, false],
  );
});

after(() => doors[Symbol.asyncDispose]());

function question(keys: unknown): string {
  const apiVersion = 'externaldata.gatekeeper.sh/v1beta1';
  return JSON.stringify({ apiVersion, kind: 'ProviderRequest', request: { keys } });
}

const portOfDoor = (port: number, tls = true): Port => ({ host: '127.0.0.1', port, tls });

for (const { name, bytes, expect } of garbageFor(
  () => 'Host: x\r\n',
  '/admission/validate',
  '/admission/validate',
)) {
  test(`${name} at the ports of TLS is hung up on, or told so once`, async () => {
    const answer = await sendGarbage(portOfDoor(doors.ports.admission), bytes());
    const status = statusOf(answer);
    // Who names no host is a caller of admission as others are; a GET is none.
    const wanted = name.includes('host') ? [400, 405] : [expect];
    assert.ok(wanted.includes(status), answer);
    assert.equal(answer.split('HTTP/1.1 ').length, expect === null ? 1 : 2, answer);
    // Without TLS, and without a certificate of Gatekeeper's authority.
    for (const port of [
      portOfDoor(doors.ports.admission, false),
      portOfDoor(doors.ports.gatekeeper, false),
      portOfDoor(doors.ports.gatekeeper),
    ]) {
      const said = statusOf(await sendGarbage(port, bytes()));
      assert.ok(said === null || said === 400, `${said}`);
    }
  });
}

/** Connections that begin a request, or a handshake, and leave it at that. */
async function hangOn(count: number, begin: string): Promise<AsyncDisposable> {
  const { admission, gatekeeper } = doors.ports;
  const opened = Array.from({ length: count }, (_, n) => {
    if (n % 3 === 0)
      return connectPlain({ host: '127.0.0.1', port: n % 2 === 0 ? admission : gatekeeper });
    const socket = connectTls({ host: '127.0.0.1', port: admission, rejectUnauthorized: false });
    socket.once('secureConnect', () => socket.write(begin));
    return socket;
  });
  for (const socket of opened) socket.on('error', () => undefined);
  await Promise.all(opened.map((socket) => once(socket, 'connect')));
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of opened) socket.destroy();
    },
  };
}

const HEAD = 'POST /admission/validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
const HANGING = [
  { name: 'half a line', begin: 'POST /admis' },
  { name: 'half its headers', begin: HEAD },
  { name: 'no body', begin: `${HEAD}Content-Length: 100000\r\n\r\n{` },
  { name: 'no end of its chunks', begin: `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":` },
  { name: 'a wait to go on', begin: `${HEAD}Content-Length: 10\r\nExpect: 100-continue\r\n\r\n` },
] as const;

for (const { name, begin } of HANGING) {
  test(`300 that hang with ${name} hold up nobody`, async () => {
    await using _hanging = await hangOn(300, begin);
    for (const { image, allowed } of [
      { image: doors.images.signed, allowed: true },
      { image: doors.images.unsigned, allowed: false },
    ]) {
      assert.equal((await doors.api.call('validate', review(image))).allowed, allowed);
    }
  });
}

/** Whether a port shakes hands with an address. */
function isGreeted(port: number, localAddress: string): Promise<boolean> {
  return new Promise((resolve) => {
    const to = { port, host: '127.0.0.1', localAddress, rejectUnauthorized: false };
    const socket = connectTls(to, () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(false));
  });
}

test('one address cannot take the port of admission or Gatekeeper from others', async () => {
  await using small = await openAllDoors({ limits: ', connections: 40' });
  for (const port of [small.ports.admission, small.ports.gatekeeper]) {
    const held = Array.from({ length: 60 }, () => connectPlain({ host: '127.0.0.1', port }));
    for (const socket of held) socket.on('error', () => undefined).resume();
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    // As soon as the server has hung up on what is over one address's share.
    await until('another address is greeted', () => isGreeted(port, '127.0.0.2'));
    assert.ok(
      held.some((socket) => !socket.destroyed),
      'and not because all others were hung up on',
    );
    for (const socket of held) socket.destroy();
  }
});

test('who speaks an older TLS, or none, to Gatekeeper’s port gets nothing', async () => {
  const to = { port: doors.ports.gatekeeper, host: '127.0.0.1', rejectUnauthorized: false };
  for (const more of [{ maxVersion: 'TLSv1.2' }, {}] as const) {
    const socket = connectTls({ ...to, ...more });
    let said = '';
    socket.on('data', (part) => {
      said += part.toString();
    });
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('POST /gatekeeper/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    await closed;
    assert.equal(said, '');
  }
});

const KEYS: readonly {
  readonly name: string;
  readonly body: () => string;
  readonly headers?: object;
  readonly expect: number;
}[] = [
  { name: 'nothing', body: () => '', expect: 400 },
  { name: 'null', body: () => 'null', expect: 400 },
  { name: 'keys that are no texts', body: () => question([5]), expect: 400 },
  { name: 'keys that are no list', body: () => question({ 0: 'a' }), expect: 400 },
  {
    name: '2001 keys',
    body: () => question(Array.from({ length: 2001 }, (_, n) => `a/b:${n}`)),
    expect: 400,
  },
  {
    name: 'keys twice',
    body: () => question(['a']).replace('"keys"', '"keys":[],"keys"'),
    expect: 400,
  },
  { name: 'depth', body: () => '['.repeat(200_000), expect: 400 },
  { name: 'a mebibyte and one', body: () => ' '.repeat((1 << 20) + 1), expect: 413 },
  {
    name: 'text',
    body: () => question([]),
    headers: { 'content-type': 'text/plain' },
    expect: 415,
  },
  {
    name: 'names of prototypes',
    body: () => question(['__proto__', 'constructor', 'toString']),
    expect: 200,
  },
  {
    name: 'brackets',
    body: () => question(['[', '[]', '[a]', '[A]b', '[a]', '[a][b]c']),
    expect: 200,
  },
  {
    name: 'white space and NULs',
    body: () =>
      question(['', ' ', '\u0000', `${doors.images.signed}\n`, ` ${doors.images.signed}`]),
    expect: 200,
  },
  {
    name: 'a key of a megabyte',
    body: () => question([`a/${'b'.repeat(1_000_000)}`]),
    expect: 200,
  },
];

for (const { name, body, headers, expect } of KEYS) {
  test(`Gatekeeper with ${name} is answered by a ProviderResponse that lets nothing in`, async () => {
    for (const path of ['/gatekeeper/verify', '/gatekeeper/mutate']) {
      const { status, text } = await doors.gatekeeper(path, body(), headers);
      const { kind, response } = JSON.parse(text);
      assert.deepEqual([status, kind], [expect, 'ProviderResponse'], text.slice(0, 400));
      if (expect !== 200) assert.notEqual(response.systemError, '');
      for (const { value, error } of response.items) {
        if (path.endsWith('verify')) assert.equal(value.succeeded, false);
        else assert.deepEqual([value, error === ''], ['', false]);
      }
    }
  });
}

interface Sent {
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

async function post(path: string, { body, headers = {} }: Sent) {
  const answer = await fetch(`${doors.server.origin}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

const DIGEST = `sha256:${'a'.repeat(64)}`;

const NODES: readonly (Omit<Sent, 'body'> & {
  readonly name: string;
  readonly body: () => string | Buffer;
  readonly expect: number;
})[] = [
  {
    name: 'nobody’s token',
    body: () => asked({}),
    headers: { authorization: 'Bearer nobody' },
    expect: 401,
  },
  { name: 'another member', body: () => asked({ dryRun: true }), expect: 400 },
  { name: 'a prototype', body: () => asked({}).replace('{', '{"__proto__":{},'), expect: 400 },
  { name: 'a name twice', body: () => asked({}).replace('{', '{"name":"b",'), expect: 400 },
  { name: 'no digest', body: () => asked({ digest: 'latest' }), expect: 400 },
  { name: 'a name of 10 MiB', body: () => asked({ name: 'a'.repeat(10 << 20) }), expect: 413 },
  {
    name: 'the digest of another',
    body: () => asked({ name: `${doors.images.signed}` }),
    expect: 403,
  },
  { name: 'bytes', body: () => Buffer.from([0xff, 0xfe]), expect: 400 },
  { name: 'text', body: () => asked({}), headers: { 'content-type': 'text/plain' }, expect: 415 },
  { name: 'a name with a control', body: () => asked({ name: 'a/b\n' }), expect: 200 },
  { name: 'the longest name', body: () => asked({ name: `a/${'b'.repeat(4094)}` }), expect: 200 },
];

function asked(more: object): string {
  return JSON.stringify({ name: `${doors.host}/team/none`, digest: DIGEST, ...more });
}

for (const { name, body, headers, expect } of NODES) {
  test(`a node that asks with ${name} is refused, by ${expect === 200 ? 'a decision' : expect}`, async () => {
    const authorization = `Bearer ${nodeToken}`;
    const sent = { body: body(), headers: { authorization, ...headers } };
    const { status, text } = await post('/api/bulla/v1/node/decisions', sent);
    assert.equal(status, expect, text.slice(0, 400));
    if (expect === 200) assert.equal(JSON.parse(text).outcome, 'deny');
    assert.doesNotMatch(text, /\n\s+at |internal\.defect/);
  });
}

test('a node’s token asks about images and does nothing else', async () => {
  for (const path of ['/decisions', '/users', '/tokens', '/exceptions', '/streams', '/rollouts']) {
    const headers = { authorization: `Bearer ${nodeToken}` };
    const { status } = await fetch(`${doors.server.origin}/api/bulla/v1${path}`, { headers });
    assert.equal(status, 403, path);
  }
});

const event = (target: object) => {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const pushed = { mediaType, repository: 'team/bad', tag: 'v1', digest: DIGEST, ...target };
  return JSON.stringify({
    events: [{ action: 'push', target: pushed, request: { host: doors.host } }],
  });
};

const EVENTS: readonly {
  readonly name: string;
  readonly path?: string;
  readonly body: () => string | Buffer;
  readonly authorization?: string;
  readonly expect: number;
}[] = [
  { name: 'no token', body: () => event({}), authorization: '', expect: 401 },
  {
    name: 'another token',
    body: () => event({}),
    authorization: 'Bearer a-token-of-the-hooks-1235',
    expect: 401,
  },
  { name: 'the token of another product', path: 'harbor', body: () => event({}), expect: 401 },
  { name: 'another path', path: '__proto__', body: () => event({}), expect: 404 },
  { name: '11 MiB', body: () => ' '.repeat(11 << 20), expect: 413 },
  { name: 'depth', body: () => '['.repeat(1_000_000), expect: 202 },
  { name: 'bytes', body: () => Buffer.alloc(1000, 0xff), expect: 202 },
  { name: 'a prototype', body: () => '{"__proto__":{},"events":[]}', expect: 202 },
  { name: 'a repository above', body: () => event({ repository: '../../etc' }), expect: 202 },
  {
    name: 'a repository with a digest',
    body: () => event({ repository: `team/signed@${DIGEST}` }),
    expect: 202,
  },
  { name: 'what is so', body: () => event({}), expect: 202 },
];

for (const { name, path = 'distribution', body, authorization, expect } of EVENTS) {
  test(`an event of ${name} is ${expect}, and lets nothing in`, async () => {
    const headers = { authorization: authorization ?? `Bearer ${doors.hooksToken}` };
    const { status, text } = await post(`/hooks/${path}`, { body: body(), headers });
    assert.equal(status, expect, text);
  });
}
