import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dsseEnvelopeJson } from '@bulla/trust/envelopes/dsse';
import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import type { TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { rightsOfRole } from '../../src/access/roles.ts';
import { exceptionRoutes } from '../../src/exceptions/routes.ts';
import { apiDoor } from '../../src/http/api/door.ts';
import { createLog } from '../../src/http/log.ts';
import type { Permission, Role } from '../../src/http/principal.ts';
import { listen } from '../../src/http/server.ts';
import { approved, glass, openRoom, type RoomUnderTest, request } from './room.ts';

/** Who asks, by a header that stands for their credentials. */
const CALLERS: Readonly<Record<string, { readonly user: string; readonly role: Role | null }>> = {
  ann: { user: 'u-ann', role: 'member' },
  bob: { user: 'u-bob', role: 'admin' },
  cat: { user: 'u-cat', role: 'member' },
  auditor: { user: 'u-aud', role: 'auditor' },
  viewer: { user: 'u-view', role: 'viewer' },
  scoped: { user: 'u-ann', role: null },
};

interface Call {
  readonly as: keyof typeof CALLERS;
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function serve(room: RoomUnderTest) {
  const routes = exceptionRoutes(
    room.service,
    async () => new Map(),
    () => new Date(room.time.ms),
  );
  const door = apiDoor(routes, {
    authenticate: async (incoming) => {
      const name = incoming.header('x-caller') ?? '';
      const { user, role } = CALLERS[name] ?? { user: '', role: null };
      // A token that may do something else entirely.
      const permissions: ReadonlySet<Permission> =
        role === null ? new Set(['metrics.read']) : rightsOfRole(role).permissions;
      return { kind: 'user', id: `s-${name}`, name, user, permissions, repositories: [] };
    },
    log: createLog('silent'),
    info: { title: 'Bulla', version: '0' },
  });
  const server = await listen([door]);
  const origin = `http://127.0.0.1:${server.port}`;
  return {
    async call({ as, method = 'GET', path, body, headers = {} }: Call) {
      const answer = await fetch(`${origin}/api/bulla/v1${path}`, {
        method,
        headers: { 'content-type': 'application/json', origin, 'x-caller': as, ...headers },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, json: text === '' ? null : JSON.parse(text) };
    },
    schemaOf: (method: string, path: string): TSchema | undefined =>
      routes.find((route) => route.method === method && route.path === path)?.answer,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function bodyOf({ request: asked, approval }: ExceptionDocument): object {
  return { envelope: dsseEnvelopeJson(approval?.envelope ?? asked) };
}

const post = { method: 'POST' } as const;

test('from the request to the revocation through the API, in the shapes that it says', async () => {
  await using room = await openRoom();
  await using api = await serve(room);
  const fits = (method: string, path: string, value: unknown) => {
    const schema = api.schemaOf(method, path);
    assert.ok(schema !== undefined && Check(schema, value), JSON.stringify(value));
  };
  const asked = await request();
  const made = await api.call({ ...post, as: 'ann', path: '/exceptions', body: bodyOf(asked) });
  fits('POST', '/exceptions', made.json);
  assert.deepEqual(made.json.lifts, asked.exception.lifts);
  const path = `/exceptions/${asked.id}`;
  const body = bodyOf(await approved(asked));
  const own = await api.call({ ...post, as: 'ann', path: `${path}/approval`, body });
  assert.deepEqual([own.status, own.json.code], [403, 'exception.self-approved']);
  const done = await api.call({ ...post, as: 'bob', path: `${path}/approval`, body });
  assert.equal(done.json.state, 'in-force');
  fits('POST', '/exceptions/:id/approval', done.json);
  const listed = await api.call({ as: 'auditor', path: '/exceptions?state=in-force' });
  fits('GET', '/exceptions', listed.json);
  assert.deepEqual([listed.json.exceptions.length, listed.json.counts.inForce], [1, 1]);
  // An approval that is replayed after the revocation gives nothing back.
  const reason = { reason: 'over' };
  await api.call({ ...post, as: 'ann', path: `${path}/revocation`, body: reason });
  const again = await api.call({ ...post, as: 'bob', path: `${path}/approval`, body });
  assert.deepEqual([again.status, again.json.code], [409, 'exception.state']);
  const whole = await api.call({ ...post, as: 'bob', path: '/exceptions', body });
  assert.equal(whole.json.state, 'revoked');
});

test('semantics 17: an approval counts for its own request alone, whatever the path says', async () => {
  await using room = await openRoom();
  await using api = await serve(room);
  const [one, other] = [await request(), await request({ name: 'other' })];
  for (const asked of [one, other]) await room.service.handIn(asked, clerk('ann'));
  const signed = await approved(one);
  const swapped = await api.call({
    ...{ ...post, as: 'bob', path: `/exceptions/${other.id}/approval` },
    body: bodyOf(signed),
  });
  assert.deepEqual([swapped.status, swapped.json.code], [409, 'exception.state']);
  // The other request's envelope under the signature of the approval of the first.
  const { envelope } = JSON.parse(JSON.stringify(bodyOf(signed)));
  const payload = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
  payload.spec.request = dsseEnvelopeJson(other.request);
  envelope.payload = Buffer.from(JSON.stringify(payload)).toString('base64');
  const forged = await api.call({
    ...{ ...post, as: 'bob', path: `/exceptions/${other.id}/approval` },
    body: { envelope },
  });
  assert.deepEqual([forged.status, forged.json.code], [403, 'exception.signature']);
  assert.equal((await room.service.get(other.id)).state, 'requested');
});

function clerk(name: 'ann' | 'bob') {
  return { kind: 'user', id: `s-${name}`, name, user: `u-${name}` } as const;
}

test('semantics 17: one member alone hands in no request and its approval in one', async () => {
  await using room = await openRoom();
  await using api = await serve(room);
  const asked = await request();
  const whole = { ...post, path: '/exceptions', body: bodyOf(await approved(asked)) };
  const alone = await api.call({ ...whole, as: 'ann' });
  assert.deepEqual([alone.status, alone.json.code], [403, 'access.denied']);
  assert.deepEqual(room.acts, []);
  await api.call({ ...whole, as: 'ann', body: bodyOf(asked) });
  const own = await api.call({ ...whole, as: 'ann' });
  assert.equal(own.json.code, 'exception.self-approved');
  // With two of them, or by who manages exceptions, it holds.
  assert.equal((await api.call({ ...whole, as: 'cat' })).json.state, 'in-force');
  const other = bodyOf(await approved(await request({ name: 'other' })));
  assert.equal((await api.call({ ...whole, as: 'bob', body: other })).json.state, 'in-force');
});

describe('who may not is refused, and nothing is changed or recorded', () => {
  const cases = [
    ['auditor', 'exceptions', 403],
    ['viewer', 'exceptions', 403],
    ['scoped', 'exceptions', 403],
    ['auditor', 'break-glass', 403],
    ['scoped', 'break-glass', 403],
  ] as const;
  for (const [as, path, status] of cases) {
    test(`${as} at POST /${path}`, async () => {
      await using room = await openRoom();
      await using api = await serve(room);
      const body = bodyOf(path === 'break-glass' ? await glass() : await request());
      const answer = await api.call({ ...post, as, path: `/${path}`, body });
      assert.deepEqual([answer.status, answer.json.code], [status, 'access.denied']);
      assert.deepEqual([room.acts, (await room.service.list({})).exceptions], [[], []]);
    });
  }

  test('a token of another scope does not even read', async () => {
    await using room = await openRoom();
    await using api = await serve(room);
    const { id } = await room.service.handIn(await request(), clerk('ann'));
    for (const path of ['/exceptions', `/exceptions/${id}`]) {
      assert.equal((await api.call({ as: 'scoped', path })).status, 403);
      assert.equal((await api.call({ as: 'auditor', path })).status, 200);
    }
  });

  test('a member revokes what is their own, closes no review, and an auditor neither', async () => {
    await using room = await openRoom();
    await using api = await serve(room);
    const { id } = await room.service.handIn(await request(), clerk('ann'));
    const revocation = { ...post, path: `/exceptions/${id}/revocation`, body: { reason: 'no' } };
    assert.equal((await api.call({ ...revocation, as: 'cat' })).status, 403);
    assert.equal((await api.call({ ...revocation, as: 'auditor' })).status, 403);
    const broken = await room.service.breakGlass(await glass(), clerk('ann'));
    room.time.ms += 2 * 3600_000;
    const review = { ...post, path: `/exceptions/${broken.id}/review`, body: { found: 'fine' } };
    for (const as of ['ann', 'cat', 'auditor'] as const) {
      assert.equal((await api.call({ ...review, as })).status, 403, as);
    }
    assert.equal((await room.service.counts()).openReviews, 1);
    assert.equal((await api.call({ ...revocation, as: 'ann' })).json.state, 'revoked');
    assert.equal((await api.call({ ...review, as: 'bob' })).json.review, 'closed');
  });
});

test('semantics 20: another site cannot make an owner’s browser approve or break the glass', async () => {
  await using room = await openRoom();
  await using api = await serve(room);
  const asked = await request();
  await room.service.handIn(asked, clerk('ann'));
  const body = bodyOf(await approved(asked));
  const cookie = '__Host-bulla=s';
  const attempts = [
    { cookie, origin: 'https://evil.example' },
    { cookie, 'sec-fetch-site': 'cross-site' },
    { cookie, 'content-type': 'text/plain' },
  ];
  for (const headers of attempts) {
    for (const path of [`/exceptions/${asked.id}/approval`, '/exceptions', '/break-glass']) {
      const answer = await api.call({ ...post, as: 'bob', path, body, headers });
      assert.ok(answer.status === 403 || answer.status === 415, `${path} ${answer.status}`);
    }
  }
  assert.equal((await room.service.get(asked.id)).state, 'requested');
  assert.equal(room.acts.length, 1);
});

test('documents that are huge, deep or nothing are refused as such', async () => {
  await using room = await openRoom();
  await using api = await serve(room);
  const body = JSON.parse(JSON.stringify(bodyOf(await request())));
  const payload = Buffer.alloc(300 << 10, ' ').toString('base64');
  const cases: readonly (readonly [string, object | string])[] = [
    ['larger than any', { envelope: { ...body.envelope, payload } }],
    ['far larger', { envelope: { ...body.envelope, payload: 'A'.repeat(8 << 20) } }],
    ['deep', `{"envelope":${'{"a":'.repeat(2000)}1${'}'.repeat(2001)}`],
    ['many signatures', { envelope: { ...body.envelope, signatures: Array(1000).fill({}) } }],
    ['no envelope', {}],
    ['an array', '[]'],
    ['no JSON', 'envelope'],
  ];
  for (const [name, document] of cases) {
    for (const path of ['/exceptions', '/break-glass']) {
      const { status } = await api.call({ ...post, as: 'bob', path, body: document });
      assert.ok(status >= 400 && status < 500, `${name} ${path} ${status}`);
    }
  }
  assert.deepEqual(room.acts, []);
});
