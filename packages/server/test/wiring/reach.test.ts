import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasonOf } from '@bulla/trust/finding/reason';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ServerConfig } from '../../src/config/config.ts';
import { defaultConfig } from '../../src/config/parse.ts';
import type { Secret } from '../../src/config/secret.ts';
import { GATEWAY_CONFIG } from '../../src/gateway/config.ts';
import { OPEN_PORTS } from '../../src/gateway/ports.ts';
import { createGateway } from '../../src/gateway/service.ts';
import { readTagCell } from '../../src/gateway/tags.ts';
import { startRegistry } from '../../src/registry.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import { SYSTEM_CLOCKS } from '../../src/wiring/clocks.ts';
import { wireReach } from '../../src/wiring/reach.ts';
import { wireUpstreams } from '../../src/wiring/upstreams.ts';
import { OCI_INDEX, OCI_MANIFEST, pushImage, putManifest } from '../gateway/client.ts';
import { type Front, startFront } from '../reach/front.ts';
import { asking, openReach, signAt } from '../reach/kit.ts';

/** The local store's canonical host. */
const HOST = 'registry.example';
const CREDENTIALS = { username: secret('server'), password: secret('own') };

function secret(value: string): Secret {
  return { variable: 'X', reveal: () => value, toJSON: () => '' };
}

/** As an entry of the configuration says it of a registry on loopback. */
function entryOf({ host }: Front) {
  return {
    registry: host,
    credentials: null,
    plainHttp: true,
    privateAddresses: true,
    ownHosts: [],
    ca: null,
    timeoutMs: 5000,
  };
}

type Shape = (front: Front) => {
  readonly users?: ServerConfig['gateway']['upstreams'][number]['users'];
  readonly registries?: ServerConfig['registries'];
};

/** The local store with what was pushed to it, and an upstream under the prefix `up`. */
async function openWorld(shape: Shape = () => ({})) {
  await using opened = new AsyncDisposableStack();
  const store = openMemory();
  const local = opened.use(await startRegistry({ storage: 'opened', store }));
  const upstream = opened.use(await startRegistry({ storage: 'memory' }));
  const front = opened.use(await startFront(upstream.host));
  const { users = 'anyone', registries = [] } = shape(front);
  const credentials = users === 'anyone' ? null : CREDENTIALS;
  const usual = defaultConfig('/nowhere');
  const upstreams = [{ ...entryOf(front), prefix: 'up', users, credentials }];
  const config = { ...usual, registries, gateway: { ...usual.gateway, upstreams } };
  const kit = opened.use(await openReach());
  const gateway = createGateway({
    objects: store.objects,
    registers: store.registers,
    config: {
      ...GATEWAY_CONFIG,
      registry: HOST,
      upstreams: wireUpstreams(config),
      tagFreshnessMs: 0,
    },
    ports: { ...OPEN_PORTS, history: kit.memory },
    clock: SYSTEM_CLOCKS.clock,
  });
  const { decisions, inForce, tables } = kit;
  const wiring = { config, decisions, inForce, clocks: SYSTEM_CLOCKS, store: { tables } };
  const life = opened.move();
  return {
    kit,
    local,
    upstream,
    front,
    gateway,
    ask: wireReach({ ...wiring, gateway }).ask,
    askWithout: wireReach({ ...wiring, gateway: null }).ask,
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

test('an image of the local store is looked at where it lies', async () => {
  await using world = await openWorld();
  const digest = await pushImage(world.local.url, 'team/app', 'v1', { layers: ['signed'] });
  await signAt(`${world.local.host}/team/app:v1`, ['sigstore-bundle', 'cosign-legacy']);
  const { decision, pinned } = await world.ask(asking(`Registry.example:443/team/app:v1`));
  assert.deepEqual([decision.outcome, decision.repository], ['admit', `${HOST}/team/app`]);
  assert.equal(pinned?.tagAndDigest, `Registry.example:443/team/app:v1@${digest}`);
  assert.deepEqual(world.front.asked, []);
  const none = await world.ask(asking(`${HOST}/team/app:v2`));
  assert.equal(reasonOf(none.decision.finding).code, 'artifact.not-found');
});

test('a leaf passes through the index that lists it, as far as that lies here (semantics 6)', async () => {
  await using world = await openWorld();
  const { local, ask } = world;
  const leaf = await pushImage(local.url, 'app', null, { layers: ['leaf'] });
  await putManifest(local.url, 'app', 'v1', indexOf(leaf), { 'content-type': OCI_INDEX });
  await signAt(`${local.host}/app:v1`, ['sigstore-bundle']);
  const { decision } = await ask(asking(`${HOST}/app@${leaf}`));
  assert.deepEqual([decision.outcome, decision.digest], ['admit', leaf]);
  const other = await pushImage(local.url, 'app', null, { layers: ['of no index'] });
  assert.equal((await ask(asking(`${HOST}/app@${other}`))).decision.outcome, 'deny');
});

function indexOf(leaf: Digest): string {
  const platform = { architecture: 'amd64', os: 'linux' };
  const size = 300;
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [{ mediaType: OCI_MANIFEST, digest: leaf, size, platform }],
  });
}

test('an image is one by the gateway’s name and by its registry’s own (semantics 7)', async () => {
  await using world = await openWorld();
  const { front, upstream, ask } = world;
  await pushImage(upstream.url, 'team/app', 'v1', { layers: ['signed'] });
  await signAt(`${upstream.host}/team/app:v1`, ['sigstore-bundle']);
  const first = await ask(asking(`${HOST}/up/team/app:v1`));
  assert.deepEqual(
    [first.decision.outcome, first.decision.repository, first.cache],
    ['admit', `${front.host}/team/app`, 'miss'],
  );
  const second = await ask(asking(`${front.host}/team/app:v1`));
  assert.deepEqual([second.decision.outcome, second.cache], ['admit', 'hit']);
});

test('what a prefix’s credentials open is not open to a cluster (semantics 19)', async () => {
  await using world = await openWorld(() => ({ users: 'signed-in' }));
  const { front, upstream, ask } = world;
  await pushImage(upstream.url, 'app', 'v1', { layers: ['signed'] });
  await signAt(`${upstream.host}/app:v1`, ['sigstore-bundle']);
  front.wants = 'server:own';
  for (const image of [`${HOST}/up/app:v1`, `${front.host}/app:v1`]) {
    const { decision } = await ask(asking(image));
    assert.equal(reasonOf(decision.finding).code, 'registry.unauthorized');
  }
  assert.deepEqual([...new Set(front.authorizations)], ['']);
  // With credentials of their own for the registry behind the prefix it is.
  const credentials = [{ registry: front.host, username: 'server', password: 'own' }];
  const { decision } = await ask(asking(`${HOST}/up/app:v1`, { credentials }));
  assert.equal(decision.outcome, 'admit');
});

test('credentials under `registries` are for every question', async () => {
  await using world = await openWorld((front) => ({
    users: ['alice'],
    registries: [{ ...entryOf(front), credentials: CREDENTIALS }],
  }));
  const { front, upstream, ask, askWithout } = world;
  await pushImage(upstream.url, 'app', 'v1', { layers: ['signed'] });
  await signAt(`${upstream.host}/app:v1`, ['sigstore-bundle']);
  front.wants = 'server:own';
  for (const image of [`${HOST}/up/app:v1`, `${front.host}/app:v1`]) {
    assert.equal((await ask(asking(image))).decision.outcome, 'admit');
  }
  // Also where no gateway runs beside it.
  assert.equal((await askWithout(asking(`${front.host}/app:v1`))).decision.outcome, 'admit');
});

test('a dry run notes no tag of an upstream, another does', async () => {
  await using world = await openWorld();
  const { front, upstream, ask, gateway } = world;
  const digest = await pushImage(upstream.url, 'app', 'v1', { layers: ['signed'] });
  await signAt(`${upstream.host}/app:v1`, ['sigstore-bundle']);
  const place = gateway.places.locate('up/app');
  const noted = () => readTagCell(gateway.ground, place.key, 'v1');
  assert.equal(
    (await ask(asking(`${HOST}/up/app:v1`, { dryRun: true }))).decision.outcome,
    'admit',
  );
  assert.equal(await noted(), null);
  await ask(asking(`${HOST}/up/app:v1`));
  assert.equal(await noted(), digest);
  assert.ok(front.asked.length > 0);
});
