// A disk that fills up under the server: what cannot be kept is refused, and there is room again.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { pushImage } from '../demo/image.ts';
import { openRepository } from './artifact.ts';
import { checkDatabase } from './crash/check.ts';
import { freeOrigin, useAfterFirstStart } from './crash/rounds.ts';
import {
  basic,
  type RunningServer,
  signedPolicy,
  signInOwner,
  startServe,
  startUp,
  until,
} from './server.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';
import { makeKey, openStage, type Stage } from './stage.ts';

const REPOSITORY = 'team/app';
const OCTETS = { 'content-type': 'application/octet-stream' };

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function ask(server: RunningServer, method: string, path: string, body?: Buffer) {
  const answer = await fetch(new URL(path, server.origin), {
    method,
    headers: { ...basic(server.pushToken), ...(body === undefined ? {} : OCTETS) },
    ...(body === undefined ? {} : { body }),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const code = answer.ok || method === 'HEAD' ? '' : detailOf(bytes);
  return { status: answer.status, headers: answer.headers, bytes, code };
}

function detailOf(bytes: Buffer): string {
  return JSON.parse(bytes.toString()).errors[0].detail?.code ?? '';
}

/** A stage with a small disk on it; null when the test is skipped. */
async function openSmall(
  t: TestContext,
  size: string,
): Promise<(AsyncDisposable & { readonly stage: Stage; readonly disk: SmallDisk }) | null> {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const disk = await mountSmallDisk(t, stage.path('small'), size);
  if (disk === null) return null;
  opened.use(disk);
  const life = opened.move();
  return { stage, disk, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

async function assertAlive(server: RunningServer): Promise<void> {
  assert.ok(server.isRunning(), server.said());
  assert.equal((await fetch(`${server.origin}/healthz`)).status, 200);
  assert.doesNotMatch(server.said(), /internal\.defect|\n\s+at /);
}

test('on a full disk pushes fail, enforced pulls are refused, and all goes on when there is room', async (t) => {
  const small = await openSmall(t, '24m');
  if (small === null) return;
  await using _small = small;
  const { stage, disk } = small;
  const { key, pub } = await makeKey(stage, 'release');
  const policy = await stage.write('policy.yaml', signedPolicy({ name: 'release-only', pub }));
  const server = await startUp(stage, { data: 'small/data', policies: [policy] });
  await using _server = server;
  const owner = await signInOwner(server);
  const actions = ['pull', 'push', 'sign'] as const;
  const token = await owner.makeToken({ name: 'release', repository: REPOSITORY, actions });
  const target = await openRepository(`${server.host}/${REPOSITORY}`, token);
  await pushImage(target, 'v1', 'an image');
  const credentials = ['--registry-username', 'token', '--registry-password', token];
  await stage.succeeds(['sign', '--key', key, ...credentials, `${server.host}/${REPOSITORY}:v1`]);
  await pushImage(target, 'unsigned', 'pushed before');
  const uploads = `/v2/${REPOSITORY}/blobs/uploads/`;
  const session = (await ask(server, 'POST', uploads)).headers.get('location') ?? '';
  const layer = randomBytes(4 << 20);
  assert.equal((await ask(server, 'PATCH', session, layer.subarray(0, 1 << 20))).status, 202);
  const pullStatus = async (tag: string) =>
    (await ask(server, 'GET', `/v2/${REPOSITORY}/manifests/${tag}`)).status;

  await disk.fill(1 << 20);
  await t.test(
    'a push in one request is refused, says that it is the disk, and leaves nothing',
    async () => {
      const blob = randomBytes(2 << 20);
      const answer = await ask(server, 'POST', `${uploads}?digest=${digestOf(blob)}`, blob);
      assert.deepEqual(
        [answer.status, answer.code],
        [507, 'storage.full'],
        answer.bytes.toString(),
      );
      const found = await ask(server, 'HEAD', `/v2/${REPOSITORY}/blobs/${digestOf(blob)}`);
      assert.equal(found.status, 404);
    },
  );
  await t.test('so is a piece of an upload', async () => {
    const answer = await ask(server, 'PATCH', session, layer.subarray(1 << 20));
    assert.deepEqual([answer.status, answer.code], [507, 'storage.full'], answer.bytes.toString());
  });
  await disk.fill();
  await t.test('without a record nothing is served that a policy enforces', async () => {
    await until('the pull is refused', async () => (await pullStatus('v1')) >= 500);
    await assertAlive(server);
  });
  await disk.empty();
  await t.test('with room again the upload goes on from where it is', async () => {
    const { headers } = await ask(server, 'GET', session);
    const last = Number(/^0-(\d+)$/.exec(headers.get('range') ?? '')?.[1]);
    assert.ok(last + 1 >= 1 << 20, 'what was acknowledged is there');
    await until('the rest is taken', async () => {
      return (await ask(server, 'PATCH', session, layer.subarray(last + 1))).status === 202;
    });
    const separator = session.includes('?') ? '&' : '?';
    const end = await ask(server, 'PUT', `${session}${separator}digest=${digestOf(layer)}`);
    assert.equal(end.status, 201, end.bytes.toString());
    const { bytes } = await ask(server, 'GET', `/v2/${REPOSITORY}/blobs/${digestOf(layer)}`);
    assert.equal(digestOf(bytes), digestOf(layer));
  });
  await t.test('and all the rest works, and nothing was lost', async () => {
    await until('a push is taken', () =>
      pushImage(target, 'after', 'pushed after').then(
        () => true,
        () => false,
      ),
    );
    await until('a pull is answered', async () => (await pullStatus('v1')) === 200);
    assert.equal(await pullStatus('unsigned'), 403, 'unsigned, and there');
    const { json } = await owner.ask('GET', '/record/verify');
    assert.equal(json.outcome, 'pass');
  });
  await server.stop();
  checkDatabase(server.data);
});

test('on a full disk what is pulled through comes whole or not at all, and is kept when there is room', async (t) => {
  const small = await openSmall(t, '24m');
  if (small === null) return;
  await using _small = small;
  const { stage, disk } = small;
  const { key, pub } = await makeKey(stage, 'release');
  await using upstream = await startRegistry({ storage: 'memory' });
  const layer = randomBytes(2 << 20);
  const source = await openRepository(`${upstream.host}/app`);
  for (const tag of ['v1', 'v2']) await pushImage(source, tag, tag);
  const large = { mediaType: 'application/octet-stream', digest: digestOf(layer) as never };
  await source.putBlob({ ...large, size: layer.length }, layer);
  const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
  const config = { mediaType: 'application/json', digest: digestOf(Buffer.from('{}')), size: 2 };
  await source.putBlob(config as never, Buffer.from('{}'));
  const layers = [{ ...large, size: layer.length }];
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers };
  const image = Buffer.from(JSON.stringify(document));
  await source.putManifest({ bytes: image, mediaType: OCI_MANIFEST }, { tag: 'large' });
  for (const tag of ['v1', 'v2', 'large']) {
    await stage.succeeds(['sign', '--key', key, `${upstream.host}/app:${tag}`]);
  }
  const server = await startServe(stage, {
    data: 'small/data',
    policies: [await stage.write('policy.yaml', signedPolicy({ name: 'release-only', pub }))],
    gateway: `  upstreams:
    - { prefix: hub, registry: "${upstream.host}", plainHttp: true, privateAddresses: true }
`,
  });
  await using _server = server;
  const manifest = (tag: string) => ask(server, 'GET', `/v2/hub/app/manifests/${tag}`);
  const blob = () => ask(server, 'GET', `/v2/hub/app/blobs/${digestOf(layer)}`);
  for (const tag of ['v1', 'large']) assert.equal((await manifest(tag)).status, 200);
  await disk.fill(1 << 20);
  await t.test('a blob that does not fit comes from the upstream all the same', async () => {
    const { status, bytes } = await blob();
    assert.equal(status, 200, bytes.toString().slice(0, 200));
    assert.equal(digestOf(bytes), digestOf(layer));
  });
  await disk.fill();
  await t.test('an image that was never decided about is refused', async () => {
    const { status, bytes } = await manifest('v2');
    assert.ok(status >= 500, `${status} ${bytes}`);
    await assertAlive(server);
  });
  await disk.empty();
  await t.test('with room again it is served, and the blob is kept', async () => {
    await until('the image is served', async () => (await manifest('v2')).status === 200);
    assert.equal((await blob()).status, 200);
    await upstream.close();
    assert.equal(digestOf((await blob()).bytes), digestOf(layer));
  });
  await server.stop();
  checkDatabase(server.data);
});

/** Bytes that are left to a first start: for no key, no log of the database, half of its tables. */
const LEFT = [0, 32 << 10, 192 << 10] as const;

for (const left of LEFT) {
  test(`a first start with ${left} bytes of room says so, and the next one finishes`, async (t) => {
    const small = await openSmall(t, '8m');
    if (small === null) return;
    await using _small = small;
    const { stage, disk } = small;
    const wanted = { data: 'small/data', listen: [await freeOrigin()] };
    await disk.fill(left);
    await assert.rejects(
      startUp(stage, wanted),
      /no space left.*\[usage\.file\]|\[storage\.full\]/,
    );
    await disk.empty();
    // Looked at with room: it may be that the next reader finishes what a log holds.
    assertSchema(join(stage.path('small/data'), 'tables.db'));
    await useAfterFirstStart(stage, wanted, null);
  });
}

/** All of the migrations are there, or none. */
function assertSchema(path: string): void {
  if (!existsSync(path)) return;
  const database = new DatabaseSync(path);
  try {
    const found = database.prepare("select name from sqlite_master where type = 'table'").all();
    const names = found.map(({ name }) => name);
    if (!names.includes('kysely_migration')) return;
    const run = database.prepare('select name from kysely_migration').all();
    const isWhole = names.includes('users') && names.includes('tag_history');
    assert.equal(run.length > 0, isWhole, names.join());
  } finally {
    database.close();
  }
}
