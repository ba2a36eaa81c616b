import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import type { Digest } from '@bulla/trust/oci/digest';
import { type TestKey, testKey } from '../../trust/test/tlog/synthetic-log.ts';
import { actorOf } from '../src/access/actor.ts';
import { ACCESS_CONFIG } from '../src/access/config.ts';
import { createAccess } from '../src/access/service.ts';
import { defaultConfig } from '../src/config/parse.ts';
import { contentName } from '../src/gateway/keys.ts';
import { createLog } from '../src/http/log.ts';
import { type Server, startServer } from '../src/main.ts';
import { readRecordKey } from '../src/record/key.ts';
import { startRegistry } from '../src/registry.ts';
import { openPostgres } from '../src/storage/postgres/open.ts';
import type { ServerStore } from '../src/storage/store.ts';
import { openStore, type StoreConfig } from '../src/store.ts';
import { addUser } from './access/setting.ts';
import { sign } from './attacks/fortress.ts';
import {
  type Answer,
  type Ask,
  ask,
  digestOf,
  manifestOf,
  OCI_MANIFEST,
  pushImage,
} from './gateway/client.ts';
import { faultOf } from './storage/expectations.ts';
import { postgresServer, temporaryFolder } from './storage/rooms.ts';

const HOST = 'registry.example';
const clock = () => new Date();

/** What replicas have in common: a database, and a folder with the objects and the policies. */
interface Common extends AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  readonly key: TestKey;
}

async function openCommon(t: TestContext): Promise<Common | null> {
  const postgres = await postgresServer(t);
  if (postgres === null) return null;
  const url = await postgres.database();
  const folder = await temporaryFolder();
  const key = testKey('ecdsa-p256');
  await writeFile(join(folder.path, 'k.pub'), publicKeyPem(key.publicKey));
  await mkdir(join(folder.path, 'policies'));
  const policy = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: prod }
spec:
  images: [{ glob: "**" }]
  authorities: { release: { key: { ref: ../k.pub } } }
  require: { signed: { of: [release] } }
`;
  await writeFile(join(folder.path, 'policies/prod.yaml'), policy);
  return {
    url,
    key,
    folder: folder.path,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** One server of several, with a data folder of its own. */
function startReplica({ url, folder }: Common, name: string): Promise<Server> {
  const usual = defaultConfig(folder);
  const secret = { variable: 'URL', reveal: () => url, toJSON: () => 'URL' };
  return startServer(
    {
      ...usual,
      data: join(folder, name),
      listen: [{ url: 'http://127.0.0.1:0', tls: null }],
      policies: [join(folder, 'policies')],
      storage: {
        tables: { postgres: { url: secret, poolSize: 4 } },
        objects: { folder: join(folder, 'volume') },
      },
      gateway: { ...usual.gateway, name: HOST },
    },
    { version: '0', log: createLog('silent'), consoleFolders: [], starterPolicy: null },
  );
}

/** Several that start at once; when one does not, the others are closed. */
async function startReplicas(common: Common, names: readonly string[]): Promise<readonly Server[]> {
  const starts = await Promise.allSettled(names.map((name) => startReplica(common, name)));
  const servers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed === undefined) return servers;
  for (const server of servers) await server.close();
  throw failed.reason;
}

type Send = (server: Server, request: Ask) => Promise<Answer>;

/** Requests with the push token that the first start showed, at either server. */
function sender(servers: readonly Server[]): Send {
  const token = servers.map(({ firstStart }) => firstStart?.pushToken.secret).find(Boolean) ?? '';
  const authorization = `Basic ${Buffer.from(`token:${token}`).toString('base64')}`;
  return ({ addresses: [origin = ''] }, { headers, ...request }) =>
    ask(origin, { ...request, headers: { authorization, ...headers } });
}

async function push(send: Send, server: Server, tag: string, layers: readonly string[]) {
  for (const blob of ['{}', ...layers]) {
    const path = `/v2/app/blobs/uploads/?digest=${digestOf(blob)}`;
    assert.equal((await send(server, { method: 'POST', path, body: blob })).status, 201);
  }
  return putManifest(send, server, tag, layers);
}

async function putManifest(send: Send, server: Server, tag: string, layers: readonly string[]) {
  const body = manifestOf({ layers });
  const headers = { 'content-type': OCI_MANIFEST };
  const path = `/v2/app/manifests/${tag}`;
  assert.equal((await send(server, { method: 'PUT', path, body, headers })).status, 201);
  return digestOf(body);
}

/** A token of the scope sign, made at the database that all of them share. */
async function signToken({ url }: Common): Promise<string> {
  await using rows = await openPostgres({ url });
  const { tables, registers } = rows;
  const now = () => performance.now();
  const access = createAccess({ tables, registers, config: ACCESS_CONFIG, clock, now });
  const { session } = await addUser({ access }, 'sigrid', 'member');
  const { secret } = await access.createToken(actorOf(session.principal), {
    name: 'sign',
    repositories: [{ repository: 'app', actions: ['pull', 'push', 'sign'] }],
  });
  return secret;
}

async function signAt(
  { addresses: [origin = ''] }: Server,
  tag: string,
  key: TestKey,
  token: string,
) {
  await sign(new URL(origin).host, `app:${tag}`, key, token);
}

test('two whole servers on one database and one folder of objects are one registry', async (t) => {
  const found = await openCommon(t);
  if (found === null) return;
  await using common = found;
  // At once, on nothing: one makes the tables, one the folder, one the key, and both go on with each.
  const [one, two] = await startReplicas(common, ['one', 'two']);
  assert.ok(one !== undefined && two !== undefined);
  await using first = one;
  await using second = two;
  const send = sender([first, second]);
  const token = await signToken(common);
  const pull = (server: Server, tag: string) => send(server, { path: `/v2/app/manifests/${tag}` });

  await t.test('they have one key of the record, and nothing half-written beside it', async () => {
    const volume = join(common.folder, 'volume');
    assert.ok((await readRecordKey(volume)) !== null);
    assert.deepEqual((await readdir(volume)).toSorted(), ['objects', 'record.key']);
  });

  await t.test('what is pushed and signed at one is pulled at the other', async () => {
    const digest = await push(send, first, 'v1', ['a layer']);
    assert.equal((await pull(second, 'v1')).status, 403);
    await signAt(first, 'v1', common.key, token);
    const pulled = await pull(second, 'v1');
    assert.equal(pulled.status, 200, pulled.body.toString());
    assert.equal(digestOf(pulled.body), digest);
    const blob = await send(second, { path: `/v2/app/blobs/${digestOf('a layer')}` });
    assert.equal(blob.body.toString(), 'a layer');
  });

  await t.test('a refusal at one ends with a push at the other', async () => {
    await push(send, second, 'v2', ['another layer']);
    assert.equal((await pull(first, 'v2')).error, 'DENIED');
    assert.equal((await pull(first, 'v2')).error, 'DENIED');
    await signAt(second, 'v2', common.key, token);
    assert.equal((await pull(first, 'v2')).status, 200);
  });

  await t.test('an upload that was begun at one is finished at the other', async () => {
    const parts = ['x'.repeat(100_000), 'y'.repeat(70_000), 'z'.repeat(3)];
    const begun = await send(first, { method: 'POST', path: '/v2/app/blobs/uploads/' });
    let path = begun.headers['location'] ?? '';
    for (const [index, body] of parts.entries()) {
      const server = index % 2 === 0 ? second : first;
      const went = await send(server, { method: 'PATCH', path, body });
      assert.equal(went.status, 202, went.body.toString());
      path = went.headers['location'] ?? '';
    }
    const digest = digestOf(parts.join(''));
    const end = `${path}${path.includes('?') ? '&' : '?'}digest=${digest}`;
    assert.equal((await send(first, { method: 'PUT', path: end })).status, 201);
    const blob = await send(second, { path: `/v2/app/blobs/${digest}` });
    assert.equal(digestOf(blob.body), digest);
  });
});

test('servers that start at once again and again agree on the key of the record', async (t) => {
  for (let round = 0; round < 3; round++) {
    const found = await openCommon(t);
    if (found === null) return;
    await using common = found;
    const servers = await startReplicas(common, ['a', 'b', 'c']);
    const key = await readRecordKey(join(common.folder, 'volume'));
    for (const server of servers) await server.close();
    // Heads of all of them, one key.
    assert.deepEqual(await keyIdsOf(common.url), [key?.publicKey.id]);
  }
});

/** The keys that signed the heads in a database. */
async function keyIdsOf(url: string): Promise<readonly string[]> {
  await using rows = await openPostgres({ url });
  const heads = await rows.tables.db
    .selectFrom('record_signed_heads')
    .select('key_id')
    .distinct()
    .execute();
  return heads.map(({ key_id }) => key_id);
}

/** Pushes images whose layers others share and delete, and notes what was acknowledged. */
async function pushOn(
  url: string,
  worker: number,
  rounds: number,
): Promise<ReadonlyMap<string, Digest>> {
  const tags = new Map<string, Digest>();
  for (let round = 0; round < rounds; round++) {
    const layers = [`shared ${round % 3}`, `own ${worker} ${round % 4}`];
    const tag = `w${worker}-${round % 4}`;
    const digest = await pushImage(url, 'app', tag, { layers, annotations: { tag } });
    tags.set(tag, digest);
    if (round % 3 === 2) {
      tags.delete(tag);
      const path = `/v2/app/manifests/${digest}`;
      assert.equal((await ask(url, { method: 'DELETE', path })).status, 202);
    }
  }
  return tags;
}

test('garbage collection at one server removes nothing that pushes at another acknowledge', async (t) => {
  const postgres = await postgresServer(t);
  if (postgres === null) return;
  await using folder = await temporaryFolder();
  const url = await postgres.database();
  const config: StoreConfig = { store: 'postgres', url, folder: folder.path, poolSize: 4 };
  // Short enough that content goes in the middle, long enough that no push takes as long.
  const gateway = { graceMs: 100, untaggedMs: 5000 };
  const stores = [];
  for (const _ of ['one', 'two', 'three']) stores.push(await openStore(config, { clock }));
  const [first, second, third] = stores;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const start = (store: ServerStore) =>
    startRegistry({ storage: 'opened', store }, { config: gateway });
  await using one = await start(first);
  await using two = await start(second);
  await using three = await start(third);
  let isOver = false;
  const upkeep = [one, three].map(async (registry) => {
    while (!isOver) await registry.upkeep();
  });
  const pushed = await Promise.all([pushOn(two.url, 1, 20), pushOn(two.url, 2, 20)]);
  const gone = await pushImage(two.url, 'app', null, { annotations: { n: 'gone' } });
  await ask(two.url, { method: 'DELETE', path: `/v2/app/manifests/${gone}` });
  while ((await second.objects.stat(contentName(gone))) !== null) await sleep(20);
  isOver = true;
  await Promise.all(upkeep);
  for (const [tag, digest] of pushed.flatMap((tags) => [...tags])) {
    const manifest = await ask(one.url, { path: `/v2/app/manifests/${tag}` });
    assert.equal(manifest.headers['docker-content-digest'], digest, tag);
    const { layers } = JSON.parse(manifest.body.toString()) as { layers: { digest: string }[] };
    for (const layer of layers) {
      const blob = await ask(three.url, { path: `/v2/app/blobs/${layer.digest}` });
      assert.equal(digestOf(blob.body), layer.digest, `${tag}: ${blob.status}`);
    }
  }
});

const SOURCES = join(import.meta.dirname, '../src');

/** A registry on the store of `config`, in a process of its own. */
async function startChild(config: StoreConfig) {
  const from = (file: string) => JSON.stringify(join(SOURCES, file));
  const program = `
    const { startRegistry } = await import(${from('registry.ts')});
    const { openStore } = await import(${from('store.ts')});
    const store = await openStore(${JSON.stringify(config)}, { clock: () => new Date() });
    const { url } = await startRegistry({ storage: 'opened', store });
    console.log(url);`;
  const flags = ['--conditions=@bulla/source', '--input-type=module', '-e', program];
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { child, url: String(line).trim() };
}

test('kill -9 of one of two servers: the other has all that it acknowledged, and goes on', async (t) => {
  const postgres = await postgresServer(t);
  if (postgres === null) return;
  await using folder = await temporaryFolder();
  const url = await postgres.database();
  const config: StoreConfig = { store: 'postgres', url, folder: folder.path, poolSize: 4 };
  await using store = await openStore(config, { clock });
  await using living = await startRegistry({ storage: 'opened', store });
  const { child, url: doomed } = await startChild(config);
  t.after(() => child.kill('SIGKILL'));
  const tags = new Map<string, Digest>();
  const pushOnce = async (at: string, tag: string, n: number) => {
    const layers = [`own ${tag}${'x'.repeat((n * 7919) % 100_000)}`, `shared ${n % 5}`];
    tags.set(tag, await pushImage(at, 'app', tag, { layers, annotations: { tag } }));
  };
  const until = async (at: string, worker: string, isOver: () => boolean) => {
    for (let n = 0; !isOver(); n++) await pushOnce(at, `${worker}-${n}`, n);
  };
  let isOver = false;
  const dying = ['a', 'b'].map((worker) => until(doomed, worker, () => false));
  const died = Promise.allSettled(dying);
  const going = until(living.url, 'c', () => isOver);
  const begun = await ask(doomed, { method: 'POST', path: '/v2/app/blobs/uploads/' });
  const upload = begun.headers['location'] ?? '';
  while (tags.size < 12) await sleep(5);
  child.kill('SIGKILL');
  assert.deepEqual(
    (await died).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  const before = tags.size;
  while (tags.size < before + 3) await sleep(5);
  isOver = true;
  await going;
  for (const [tag, digest] of tags) {
    const manifest = await ask(living.url, { path: `/v2/app/manifests/${tag}` });
    assert.equal(digestOf(manifest.body), digest, `${tag} was acknowledged`);
    const { layers } = JSON.parse(manifest.body.toString()) as { layers: { digest: string }[] };
    for (const layer of layers) {
      const blob = await ask(living.url, { path: `/v2/app/blobs/${layer.digest}` });
      assert.equal(digestOf(blob.body), layer.digest, `${tag}: ${blob.status}`);
    }
  }
  // What was begun at the one that died is finished here.
  const end = `${new URL(upload, living.url).pathname}?digest=${digestOf('whole')}`;
  const put = await ask(living.url, { method: 'PUT', path: end, body: 'whole' });
  assert.equal(put.status, 201, put.body.toString());
});

test('a folder of another database is refused, and so is one that lost its id', async (t) => {
  const postgres = await postgresServer(t);
  if (postgres === null) return;
  await using folder = await temporaryFolder();
  const config = (url: string): StoreConfig => ({ store: 'postgres', url, folder: folder.path });
  const url = await postgres.database();
  await (await openStore(config(url), { clock }))[Symbol.asyncDispose]();
  const foreign = faultOf('storage.folder-foreign');
  const other = await postgres.database();
  await assert.rejects(openStore(config(other), { clock }), foreign);
  const embedded: StoreConfig = {
    store: 'embedded',
    folder: join(folder.path, 'data'),
    objectsFolder: folder.path,
  };
  await assert.rejects(openStore(embedded, { clock }), foreign);
  await (await openStore(config(url), { clock }))[Symbol.asyncDispose]();
  // As where a volume was not mounted.
  const owner = join(folder.path, 'objects/owner');
  const text = await readFile(owner, 'utf8');
  await rm(join(folder.path, 'objects'), { recursive: true });
  await assert.rejects(openStore(config(url), { clock }), foreign);
  // As the handbook has it for objects that are lost for good.
  await rm(join(folder.path, 'objects'), { recursive: true });
  await mkdir(join(folder.path, 'objects'));
  await writeFile(owner, text);
  await (await openStore(config(url), { clock }))[Symbol.asyncDispose]();
});
