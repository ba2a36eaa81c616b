// Real clients before the running server in enforce: they push, are refused, and pull what is signed.
import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { pushImage } from '../demo/image.ts';
import { type Peer, requirePeer } from '../test/peers.ts';
import { openRepository, pushMultiArch } from './artifact.ts';
import {
  anyImage,
  buildWith,
  CLIENTS,
  LAYOUT,
  podmanOptions,
  prepareClients,
  pulledInto,
  runClient,
} from './container-client.ts';
import { type Owner, type RunningServer, signedPolicy, signInOwner, startUp } from './server.ts';
import { makeKey, openStage, peerSucceeds, type Run, type Stage } from './stage.ts';

const POLICY = 'release-only';
/** As decision ids are written. */
const DECISION = /\(decision ([0-9A-HJKMNP-TV-Z]{26})\)/;

/** The server's own stage; each client plays on one of its own. */
let house: Stage;
let server: RunningServer;
let owner: Owner;
let key: string;
let signToken: string;

before(async () => {
  house = await openStage();
  const pair = await makeKey(house, 'release');
  key = pair.key;
  await house.write('policies/release.yaml', signedPolicy({ name: POLICY, pub: pair.pub }));
  server = await startUp(house, {
    listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'],
    policies: ['policies'],
  });
  owner = await signInOwner(server);
  signToken = await owner.makeToken({
    name: 'release workflow',
    repository: 'team/**',
    actions: ['pull', 'push', 'sign'],
  });
});

after(async () => {
  await server.stop();
  await house[Symbol.asyncDispose]();
});

/** Signs as a release workflow does: with a key, and with a token that reads what is not admitted. */
function sign(image: string, ...more: readonly string[]): Promise<string> {
  const credentials = ['--registry-username', 'token', '--registry-password', signToken];
  return house.succeeds(['sign', '--key', key, ...credentials, ...more, image]);
}

/** What a tag leads to, as the one who may sign sees it. */
async function digestOf(repository: string, tag: string): Promise<string> {
  const store = await openRepository(`${server.host}/${repository}`, signToken);
  const found = await store.resolve(tag);
  assert.ok(found !== null);
  return found.digest;
}

/** The client says which policy refused, by which clause, and the decision's id, which is recorded. */
async function assertRefused({ code, all }: Run, clause: RegExp): Promise<void> {
  assert.notEqual(code, 0, all);
  assert.match(all, new RegExp(`refused by policy ${POLICY}`));
  assert.match(all, clause);
  const id = DECISION.exec(all)?.[1];
  assert.ok(id !== undefined, `no decision id in: ${all}`);
  const { status, json } = await owner.ask('GET', `/decisions/${id}`);
  assert.equal(status, 200, id);
  assert.equal(json.outcome, 'deny');
}

/** The program of a peer that can run here; null when the test is skipped. */
async function openClient(
  t: { readonly skip: (why: string) => void },
  name: Peer,
): Promise<{ readonly program: string; readonly stage: Stage } | null> {
  const program = requirePeer(t, name);
  if (program === null) return null;
  const stage = await openStage();
  await prepareClients(stage);
  const unable = await CLIENTS.find(({ peer }) => peer === name)?.unable(stage, program);
  if (typeof unable !== 'string') return { program, stage };
  await stage[Symbol.asyncDispose]();
  t.skip(unable);
  return null;
}

for (const { peer, login, push, pull } of CLIENTS) {
  test(`${peer} pushes with the token, is refused what is not signed, and pulls it signed`, async (t) => {
    const client = await openClient(t, peer);
    if (client === null) return;
    const { program } = client;
    await using stage = client.stage;
    const layout = await openStore(parseReference(`oci:${stage.path(LAYOUT)}:v1`), {
      env: {},
      homeFolder: stage.folder,
      createLayout: true,
    });
    await pushImage(layout, 'v1', `pushed by ${peer}`);
    const repository = `team/${peer}`;
    const image = `${server.host}/${repository}:v1`;

    await t.test('a push without a token is refused', async () => {
      const { code, all } = await push(stage, program, image);
      assert.notEqual(code, 0, all);
      assert.match(all, /unauthorized|authentication required|expected credentials/i);
    });
    await t.test('with another token as well', async () => {
      const loggedIn = await login(stage, program, server.host, 'bulla_wrong');
      // crane keeps what it is given, and asks the registry with the first request.
      const { code, all } = loggedIn.code === 0 ? await push(stage, program, image) : loggedIn;
      assert.notEqual(code, 0, all);
    });
    await t.test('with the push token it is taken', async () => {
      const loggedIn = await login(stage, program, server.host, server.pushToken);
      assert.equal(loggedIn.code, 0, loggedIn.all);
      const pushed = await push(stage, program, image);
      assert.equal(pushed.code, 0, pushed.all);
    });
    const digest = await digestOf(repository, 'v1');
    const pinned = `${server.host}/${repository}@${digest}`;
    for (const reference of [image, pinned]) {
      const by = reference === image ? 'tag' : 'digest';
      await t.test(`the pull by ${by} is refused before it is signed`, async () => {
        await assertRefused(await pull(stage, program, reference), /signed: .*no signature/);
      });
    }
    await sign(image);
    for (const reference of [image, pinned]) {
      const by = reference === image ? 'tag' : 'digest';
      await t.test(`the pull by ${by} is admitted once it is signed`, async () => {
        const { code, all } = await pull(stage, program, reference);
        assert.equal(code, 0, all);
      });
    }
    await t.test('and without credentials, on loopback', async () => {
      await using stranger = await openStage();
      await prepareClients(stranger);
      const { code, all } = await pull(stranger, program, image);
      assert.equal(code, 0, all);
    });
  });
}

test('an index is pulled with its children, each also by its own digest', async (t) => {
  const client = await openClient(t, 'skopeo');
  if (client === null) return;
  const { program: skopeo } = client;
  await using stage = client.stage;
  const repository = `${server.host}/team/multi`;
  const { index, amd64, arm64 } = await pushMultiArch(repository, 'v1', server.pushToken);
  const copy = (reference: string, ...more: readonly string[]) =>
    runClient(stage, skopeo, [
      ...['--policy', stage.path('policy.json'), 'copy', ...more, '--src-tls-verify=false'],
      ...[`docker://${reference}`, `dir:${pulledInto(stage, reference)}`],
    ]);
  await t.test('nothing of an unsigned one', async () => {
    for (const reference of [`${repository}:v1`, `${repository}@${index}`]) {
      await assertRefused(await copy(reference, '--all'), /signed/);
    }
    for (const digest of [amd64, arm64]) {
      await assertRefused(await copy(`${repository}@${digest}`), /signed/);
    }
  });
  await sign(`${repository}@${index}`);
  await t.test('all of a signed one', async () => {
    const { code, all } = await copy(`${repository}:v1`, '--all');
    assert.equal(code, 0, all);
  });
  await t.test('its children, which the index covers', async () => {
    for (const digest of [amd64, arm64]) {
      const { code, all } = await copy(`${repository}@${digest}`);
      assert.equal(code, 0, all);
    }
  });
  await t.test('a child elsewhere is not covered', async () => {
    const other = `${server.host}/team/other`;
    const { amd64: same } = await pushMultiArch(other, 'v1', server.pushToken);
    assert.equal(same, amd64);
    await assertRefused(await copy(`${other}@${same}`), /signed/);
  });
});

test('podman pulls the platform of a signed index and knows it by its digest', async (t) => {
  const client = await openClient(t, 'podman');
  if (client === null) return;
  const { program: podman } = client;
  await using stage = client.stage;
  const image = `${server.host}/team/platforms:v1`;
  const { arm64 } = await pushMultiArch(image.slice(0, -3), 'v1', server.pushToken);
  const options = podmanOptions(stage);
  const pull = ['pull', '--tls-verify=false', '--platform', 'linux/arm64', ...anyImage(stage)];
  await assertRefused(await runClient(stage, podman, [...options, ...pull, image]), /signed/);
  await sign(image);
  const { code, all } = await runClient(stage, podman, [...options, ...pull, image]);
  assert.equal(code, 0, all);
  const inspect = ['image', 'inspect', '--format', '{{json .RepoDigests}}', image];
  const known = await peerSucceeds(stage, podman, [...options, ...inspect]);
  assert.ok(known.includes(arm64), known);
});

test('buildah builds from no refused base, and from an admitted one', async (t) => {
  const client = await openClient(t, 'buildah');
  if (client === null) return;
  const { program: buildah } = client;
  await using stage = client.stage;
  const base = `${server.host}/team/base:v1`;
  const store = await openRepository(base.slice(0, -3), server.pushToken);
  await pushImage(store, 'v1', 'a base');
  await stage.write('app/Containerfile', `FROM ${base}\nCOPY greeting /greeting\n`);
  await stage.write('app/greeting', 'hello\n');
  const build = () => buildWith(stage, buildah, ['-t', 'localhost/app', stage.path('app')]);
  const refused = await build();
  await assertRefused(refused, /signed: .*no signature/);
  assert.doesNotMatch(refused.all, /STEP 2/);
  await sign(base);
  const built = await build();
  assert.equal(built.code, 0, built.all);
  assert.match(built.all, /COMMIT localhost\/app/);
});

test('over TLS clients that trust the local authority are served, and no others', async (t) => {
  const client = await openClient(t, 'skopeo');
  if (client === null) return;
  const { program: skopeo } = client;
  await using stage = client.stage;
  const [, secure = ''] = server.addresses;
  const { host } = new URL(secure);
  assert.ok(server.caFile !== null);
  const store = await openRepository(`${server.host}/team/tls`, server.pushToken);
  await pushImage(store, 'v1', 'over TLS');
  await sign(`${server.host}/team/tls:v1`);
  await mkdir(stage.path('certs'));
  await copyFile(server.caFile, stage.path('certs/ca.crt'));
  const inspect = (certs: string) =>
    runClient(stage, skopeo, [
      'inspect',
      '--cert-dir',
      stage.path(certs),
      `docker://${host}/team/tls:v1`,
    ]);
  const trusting = await inspect('certs');
  assert.equal(trusting.code, 0, trusting.all);
  const distrusting = await inspect('pulled');
  assert.notEqual(distrusting.code, 0);
  assert.match(distrusting.all, /certificate/);
});

test('a token without the scope sign reads nothing that is not admitted', async () => {
  const store = await openRepository(`${server.host}/team/unseen`, server.pushToken);
  await pushImage(store, 'v1', 'unseen');
  const image = `${server.host}/team/unseen:v1`;
  const credentials = ['--registry-username', 'token', '--registry-password', server.pushToken];
  const said = await house.ends(3, ['sign', '--key', key, ...credentials, image]);
  assert.match(said, DECISION);
});
