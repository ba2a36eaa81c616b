// containerd asks Bulla about each image that it pulls, from a registry that knows nothing of Bulla.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pushImage } from '../demo/image.ts';
import { type DockerRegistry, startDockerRegistry } from '../test/docker-registry.ts';
import { peer, requirePeer } from '../test/peers.ts';
import { openRepository, pushMultiArch } from './artifact.ts';
import { type Beside, type Containerd, startContainerd, startNode } from './containerd-daemon.ts';
import { freePort } from './free-port.ts';
import { type Owner, type RunningServer, signedPolicy, signInOwner, startServe } from './server.ts';
import { makeKey, openStage, type Stage } from './stage.ts';

const POLICY = 'release-only';
const PEERS = ['docker-registry', 'containerd', 'ctr'] as const;

interface House {
  /** All that has to end beside the server and the daemon, which come and go. */
  readonly life: AsyncDisposableStack;
  readonly stage: Stage;
  readonly upstream: DockerRegistry;
  readonly containerd: Containerd;
  readonly key: string;
  readonly owner: Owner;
  server: RunningServer;
  node: Beside;
  readonly start: () => Promise<RunningServer>;
  readonly startNode: (...more: readonly string[]) => Promise<Beside>;
}

let house: House | null = null;

before(async () => {
  const [registry, daemon, ctr] = PEERS.map((name) => peer(name));
  if (!registry || !daemon || !ctr) return;
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const upstream = opened.use(await startDockerRegistry(registry));
  const { key, pub } = await makeKey(stage, 'release');
  const images = `${upstream.host}/**`;
  await stage.write('policies/release.yaml', signedPolicy({ name: POLICY, pub, images }));
  const origin = `http://127.0.0.1:${await freePort()}`;
  const start = () =>
    startServe(stage, {
      listen: `[{ url: "${origin}" }]`,
      policies: ['policies'],
      gateway: '  anonymousPull: loopback\n',
      more: `registries:\n  - { host: "${upstream.host}", plainHttp: true, privateAddresses: true }\n`,
    });
  const server = await start();
  opened.defer(() => (house ?? { server }).server.stop());
  const owner = await signInOwner(server);
  const made = await owner.ask('POST', '/tokens', { name: 'node', permissions: ['node.ask'] });
  assert.equal(made.status, 200, made.text);
  await stage.write('node.token', `${made.json.secret}\n`);
  const socket = stage.path('run/node.sock');
  const startOne = (...more: readonly string[]) =>
    startNode(stage, [
      ...['--server', origin, '--token-file', stage.path('node.token')],
      ...['--socket', socket, '--cache', stage.path('cache'), '--fresh-for', '0s', ...more],
    ]);
  const node = await startOne();
  opened.defer(() => (house ?? { node }).node.end());
  await stage.succeeds(['node', 'install-verifier', stage.path('bin'), '--socket', socket]);
  const containerd = opened.use(
    await startContainerd(stage, { containerd: daemon, ctr }, stage.path('bin')),
  );
  const life = opened.move();
  house = {
    ...{ life, stage, upstream, containerd, key, owner },
    ...{ server, node, start, startNode: startOne },
  };
});

after(async () => {
  await house?.life.disposeAsync();
});

/** The house, or null for a test that was skipped by the name of the peer that is missing. */
function open(t: TestContext): House | null {
  if (house === null) for (const name of PEERS) if (requirePeer(t, name) === null) break;
  return house;
}

/** Pushes an image to the registry of somebody else, signed or not; gives its reference. */
async function push({ stage, upstream, key }: House, name: string, signed: boolean) {
  const image = `${upstream.host}/team/${name}:v1`;
  await pushImage(await openRepository(image.slice(0, -3)), 'v1', name);
  if (signed) await stage.succeeds(['sign', '--key', key, image]);
  return image;
}

test('a signed image is pulled, and the record has the decision of a node', async (t) => {
  const found = open(t);
  if (found === null) return;
  const image = await push(found, 'signed', true);
  const { code, all } = await found.containerd.pull(image);
  assert.equal(code, 0, all);
  const { json } = await found.owner.ask('GET', '/decisions?surface=node&outcome=admit');
  assert.equal(json.decisions[0].actor.kind, 'node');
  assert.match(json.decisions[0].reference, /team\/signed:v1@sha256:/);
});

test('an unsigned image is refused with the policy, the clause and the decision', async (t) => {
  const found = open(t);
  if (found === null) return;
  const image = await push(found, 'unsigned', false);
  const { code, all } = await found.containerd.pull(image);
  assert.notEqual(code, 0, all);
  assert.match(all, /bulla-containerd-verifier rejected image/);
  assert.match(all, new RegExp(`signature\\.none: refused by policy ${POLICY}: .*no signature`));
  const id = /\(decision ([0-9A-HJKMNP-TV-Z]{26})\)/.exec(all)?.[1];
  const { status, json } = await found.owner.ask('GET', `/decisions/${id}`);
  assert.equal(status, 200, all);
  assert.equal(json.surface, 'node');
  assert.equal(json.outcome, 'deny');
  await t.test('and pulled once it is signed', async () => {
    await found.stage.succeeds(['sign', '--key', found.key, image]);
    await eventually(async () => {
      const again = await found.containerd.pull(image);
      return again.code === 0 ? again : undefined;
    });
  });
});

test('a signed index is pulled, and an image of a host that nobody named is refused', async (t) => {
  const found = open(t);
  if (found === null) return;
  const { stage, upstream, containerd, key } = found;
  const repository = `${upstream.host}/team/multi`;
  await pushMultiArch(repository, 'v1');
  await stage.succeeds(['sign', '--key', key, `${repository}:v1`]);
  const pulled = await containerd.pull(`${repository}:v1`);
  assert.equal(pulled.code, 0, pulled.all);
  // The same registry by a name that no policy and no configuration has.
  const other = repository.replace('127.0.0.1', 'localhost');
  const refused = await containerd.pull(`${other}:v1`);
  assert.notEqual(refused.code, 0, refused.all);
  assert.match(refused.all, /rejected image/);
});

test('while the server is absent what was passed stands in for the stated time, and is told', async (t) => {
  const found = open(t);
  if (found === null) return;
  const { containerd, owner } = found;
  const known = await push(found, 'known', true);
  const unknown = await push(found, 'unknown', true);
  assert.equal((await containerd.pull(known)).code, 0);
  const passed = Date.now();
  await found.server.stop();
  await t.test('also after the daemon was killed', async () => {
    await found.node.end('SIGKILL');
    found.node = await found.startNode();
    const { code, all } = await containerd.pull(known);
    assert.equal(code, 0, all);
    assert.match(found.node.said(), /the server gave no answer; its pass of .* stands in/);
  });
  await t.test('what was not passed before is refused', async () => {
    const { code, all } = await containerd.pull(unknown);
    assert.notEqual(code, 0, all);
    assert.match(all, /node\.server-absent/);
  });
  await t.test('and after that time what was passed is refused as well', async () => {
    await found.node.end();
    found.node = await found.startNode('--stale-for', '1s');
    await sleep(Math.max(0, passed + 1500 - Date.now()));
    const { code, all } = await containerd.pull(known);
    assert.notEqual(code, 0, all);
    assert.match(all, /node\.server-absent.*no pass of the last 1 s/);
    await found.node.end();
  });
  found.server = await found.start();
  found.node = await found.startNode();
  await t.test('once it is back it is asked again, and its record has what stood in', async () => {
    assert.equal((await containerd.pull(unknown)).code, 0);
    const told = await eventually(async () => {
      const { json } = await owner.ask('GET', '/record/acts?act=node.stood-in');
      return json.acts[0];
    });
    assert.match(told.says, /team\/known:v1/);
    assert.equal(told.actor.kind, 'node');
  });
});

/** Asks until something comes, at most 20 seconds: a refusal is remembered for ten. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    assert.ok(Date.now() < end, 'nothing came in time');
    await sleep(250);
  }
}

test('without its daemon nothing is pulled', async (t) => {
  const found = open(t);
  if (found === null) return;
  const image = await push(found, 'alone', true);
  await found.node.end();
  const { code, all } = await found.containerd.pull(image);
  assert.notEqual(code, 0, all);
  assert.match(all, /daemon of the node cannot be asked|no such file/);
  found.node = await found.startNode();
  assert.equal((await found.containerd.pull(image)).code, 0);
});

test('a second verifier has to let the image through as well', async (t) => {
  const found = open(t);
  if (found === null) return;
  const { stage, containerd } = found;
  const image = await push(found, 'twice', true);
  const other = stage.path('bin/zz-no');
  await writeFile(other, '#!/bin/sh\necho no\nexit 1\n', { mode: 0o755 });
  assert.notEqual((await containerd.pull(image)).code, 0);
  await rm(other);
  assert.equal((await containerd.pull(image)).code, 0);
});
