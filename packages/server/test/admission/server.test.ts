import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ServerConfig } from '../../src/config/config.ts';
import { type Fortress, HOST, openFortress, sign } from '../attacks/fortress.ts';
import { type Owner, ownerOf } from '../attacks/owner.ts';
import { mint, pemFolder } from '../http/tls/mint.ts';
import { type ApiServer, apiServer } from './api-server.ts';
import { deployment, pod, reviewOf } from './reviews.ts';

interface Stage extends AsyncDisposable {
  readonly fortress: Fortress;
  readonly owner: Owner;
  readonly api: ApiServer;
}

/** A whole server, its record on, with one signed image and one that nobody signed. */
async function setStage(more: Partial<ServerConfig> = {}): Promise<Stage> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await pemFolder());
  const authority = mint('webhook authority');
  const leaf = mint('webhook', { by: authority, purpose: 'server', names: ['bulla.trust.svc'] });
  const admission = {
    listen: 'https://127.0.0.1:0',
    certificate: await folder.write('tls.crt', leaf.certificate),
    key: await folder.write('tls.key', leaf.key),
    clientCa: null,
    cluster: 'prod-eu',
    pin: 'tag-and-digest',
    nodesPullThrough: false,
    namespaces: null,
    exempt: [],
    kinds: [],
    marginMs: 500,
    maxBodyBytes: 8 << 20,
    denials: 'bulla',
  } as const;
  const fortress = opened.use(await openFortress({ more: { admission, ...more } }));
  const { host } = new URL(fortress.origin);
  await fortress.image('app', '1');
  await fortress.image('app', 'unsigned');
  const owner = await ownerOf(fortress);
  const signer = await owner.makeToken('release', 'app', ['pull', 'push', 'sign']);
  await sign(host, 'app:1', fortress.key, signer);
  const { port } = new URL(fortress.server.admission ?? '');
  const caller = { port: Number(port), caBundle: authority.certificate };
  const api = apiServer({ ...caller, timeoutSeconds: 2 });
  opened.defer(() => api.close());
  const life = opened.move();
  return { fortress, owner, api, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

test('a signed image is pinned, admitted and recorded; an unsigned one is refused by its clause', async () => {
  await using stage = await setStage();
  const { api } = stage;
  const good = await api.admit(reviewOf({ object: deployment([`${HOST}/app:1`]) }));
  assert.equal(good.allowed, true, good.message);
  assert.match(
    JSON.stringify(good.object),
    /"image":"registry\.example\/app:1@sha256:[0-9a-f]{64}"/,
  );
  const bad = await api.admit(reviewOf({ object: pod([`${HOST}/app:unsigned`, `${HOST}/app:1`]) }));
  assert.equal(bad.allowed, false);
  assert.match(bad.message, /registry\.example\/app:unsigned \(container c0\)/);
  assert.match(bad.message, /policy prod: signature\.none/);
  const [id] = (bad.auditAnnotations['decisions'] ?? '').split('=');
  assert.ok(bad.message.includes(`decision ${id}`));
  const decision = await stage.owner.ask('GET', `/decisions/${id}`);
  assert.deepEqual(
    [decision.surface, decision.namespace, decision.outcome, decision.actor.name],
    ['admission', 'shop', 'deny', 'alice'],
  );
  assert.deepEqual(decision.request.object, {
    cluster: 'prod-eu',
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: 'shop',
    name: 'web',
    operation: 'CREATE',
  });
});

test('semantics 19: an image of a host that nothing names is refused unasked', async () => {
  await using stage = await setStage();
  const { allowed, message } = await stage.api.admit(
    reviewOf({ object: pod(['other.invalid/app:1']) }),
  );
  assert.equal(allowed, false);
  assert.match(message, /reach\.host-unnamed/);
});

test('policies that are exchanged while API servers ask decide from then on', async () => {
  await using stage = await setStage();
  const { fortress, api } = stage;
  const review = () => reviewOf({ object: pod([`${HOST}/app:1`]) });
  assert.equal((await api.admit(review())).allowed, true);
  const file = join(fortress.folder, 'policies/prod.yaml');
  const head = 'apiVersion: bulla.dev/v1\nkind: TrustPolicy\nmetadata: { name: other }\nspec:';
  await writeFile(
    file,
    `${head}
  images: [{ glob: "elsewhere.example/**" }]
  authorities: { release: { key: { ref: ../k.pub } } }
  require: { signed: { of: [release] } }
`,
  );
  const asking = Array.from({ length: 20 }, () => api.admit(review()));
  await fortress.server.reload();
  // Each is decided by one set or by the other, and none is dropped.
  await Promise.all(asking);
  const { allowed, message } = await api.admit(review());
  assert.equal(allowed, false);
  assert.match(message, /policy\.no-match/);
});

test('a registry that takes a connection and says nothing: refused in time, and recorded', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  try {
    const address = silent.address();
    assert.ok(typeof address === 'object' && address !== null);
    const registry = `127.0.0.1:${address.port}`;
    const reached = { plainHttp: true, privateAddresses: true, ownHosts: [], ca: null };
    await using stage = await setStage({
      registries: [{ registry, credentials: null, timeoutMs: 3000, ...reached }],
    });
    const image = `${registry}/app@sha256:${'0'.repeat(64)}`;
    const { allowed, message, auditAnnotations } = await stage.api.call(
      'validate',
      reviewOf({ object: pod([image, `${HOST}/app:1`]) }),
    );
    assert.equal(allowed, false);
    assert.ok(message.includes(image), message);
    const [id] = (auditAnnotations['decisions'] ?? '').split('=');
    assert.match(message, /decision\.timeout/);
    const decision = await stage.owner.ask('GET', `/decisions/${id}`);
    assert.deepEqual([decision.outcome, decision.reference], ['deny', image]);
    // What was begun goes on until then.
    for (const socket of sockets) socket.destroy();
  } finally {
    silent.close();
  }
});
