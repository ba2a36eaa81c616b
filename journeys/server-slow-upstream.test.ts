// Registries that hang, drip, or stop in the middle, beside one that answers: nobody else waits for them.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { pushImage } from '../demo/image.ts';
import { openRepository } from './artifact.ts';
import { basic, type RunningServer, signedPolicy, startServe, until } from './server.ts';
import { makeKey, openStage } from './stage.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const HANGING = 100;
const PULLS = 200;

/** A registry on loopback that answers as the test says, or never. */
interface BadRegistry extends AsyncDisposable {
  readonly host: string;
  /** How many requests it has been sent. */
  readonly asked: () => number;
}

async function startBad(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<BadRegistry> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    host: `127.0.0.1:${address.port}`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The gateway before a registry that answers, of signed images, and bad ones. */
interface House extends AsyncDisposable {
  readonly server: RunningServer;
  /** Into the registry that answers. */
  readonly pushSigned: (tag: string) => Promise<void>;
}

const TAGS = ['v1', 'v2', 'v3'] as const;

/** What the bad registries are to the gateway. */
interface Bad {
  /** By the prefix of each. */
  readonly registries: Readonly<Record<string, BadRegistry>>;
  readonly mode: 'enforce' | 'audit';
  readonly timeout: string;
}

async function openHouse({ registries, mode, timeout }: Bad): Promise<House> {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const good = opened.use(await startRegistry({ storage: 'memory' }));
  const { key, pub } = await makeKey(stage, 'release');
  const pushSigned: House['pushSigned'] = async (tag) => {
    await pushImage(await openRepository(`${good.host}/app`), tag, tag);
    await stage.succeeds(['sign', '--key', key, `${good.host}/app:${tag}`]);
  };
  await Promise.all(TAGS.map(pushSigned));
  const policies = [{ name: 'good', pub, images: `${good.host}/**` }].concat(
    Object.entries(registries).map(([name, { host }]) => {
      return { name, pub, images: `${host}/**`, mode };
    }),
  );
  const files = policies.map((policy) =>
    stage.write(`policies/${policy.name}.yaml`, signedPolicy(policy)),
  );
  const entries = Object.entries(registries).map(
    ([prefix, { host }]) =>
      `    - { prefix: ${prefix}, registry: "${host}", plainHttp: true, privateAddresses: true, timeout: ${timeout} }\n`,
  );
  const server = opened.use(
    await startServe(stage, {
      policies: await Promise.all(files),
      more: 'limits: { drain: 500ms }\n',
      // Each pull by a tag asks the upstream.
      gateway: `  tagFreshness: 0s
  upstreams:
    - { prefix: good, registry: "${good.host}", plainHttp: true, privateAddresses: true }
${entries.join('')}`,
    }),
  );
  const life = opened.move();
  return { server, pushSigned, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

async function get({ server }: House, path: string) {
  const answer = await fetch(`${server.origin}/v2/${path}`, {
    headers: { accept: OCI_MANIFEST, ...basic(server.pushToken) },
  });
  return { status: answer.status, text: await answer.text() };
}

/** So many pulls of the registry that answers, a few at a time; milliseconds for all. */
async function pullGood(house: House): Promise<number> {
  const began = performance.now();
  for (let n = 0; n < PULLS; n += TAGS.length) {
    const pulls = TAGS.map((tag) => get(house, `good/app/manifests/${tag}`));
    for (const { status, text } of await Promise.all(pulls)) assert.equal(status, 200, text);
  }
  return performance.now() - began;
}

function digestOf(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Gives a manifest as a registry does. */
function giveManifest({ method }: IncomingMessage, response: ServerResponse, body: string): void {
  response.setHeader('content-type', OCI_MANIFEST);
  response.setHeader('docker-content-digest', digestOf(body));
  response.setHeader('content-length', Buffer.byteLength(body));
  response.end(method === 'HEAD' ? undefined : body);
}

function manifestOf(name: string, layer: Uint8Array = Buffer.from(name)): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: 'application/octet-stream', digest: digestOf('{}'), size: 2 },
    layers: [
      { mediaType: 'application/octet-stream', digest: digestOf(layer), size: layer.length },
    ],
    annotations: { name },
  });
}

const D = `sha256:${'0'.repeat(64)}`;
const HANGS: readonly {
  readonly name: string;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  readonly path: (n: number) => string;
}[] = [
  {
    name: 'does not say a word',
    answer: () => undefined,
    path: (n) =>
      [
        `bad/app${n}/manifests/v1`,
        `bad/app${n}/manifests/${D}`,
        `bad/app${n}/tags/list`,
        `bad/app${n}/referrers/${D}`,
      ][n % 4] ?? '',
  },
  {
    name: 'gives manifests and none of their signatures',
    answer(request, response) {
      const name = /^\/v2\/(app\d+)\/manifests\/(?:v1|sha256:)/.exec(request.url ?? '')?.[1];
      if (name !== undefined) giveManifest(request, response, manifestOf(name));
    },
    path: (n) => `bad/app${n}/manifests/v1`,
  },
];

for (const { name, answer, path } of HANGS) {
  test(`${HANGING} requests hang at a registry that ${name}, and pulls of another go on`, async (t: TestContext) => {
    const bad = await startBad(answer);
    await using opened = new AsyncDisposableStack();
    opened.use(bad);
    const hangs = { registries: { bad }, mode: 'enforce', timeout: '10m' } as const;
    const house = opened.use(await openHouse(hangs));
    const before = await pullGood(house);
    let answered = 0;
    const hanging = Array.from({ length: HANGING }, async (_, n) => {
      // Not by a rejection, which would hide why the test ended before them.
      const found = await get(house, path(n)).catch((error) => ({
        status: 0,
        text: String(error),
      }));
      answered += 1;
      return found;
    });
    await until('the registry has as many requests as it is sent', async () => bad.asked() >= 16);
    const meanwhile = await pullGood(house);
    // One that was never pulled before: its signatures are looked for now.
    await house.pushSigned('new');
    assert.equal((await get(house, 'good/app/manifests/new')).status, 200);
    const store = await openRepository(`${house.server.host}/own`, house.server.pushToken);
    await pushImage(store, 'v1', 'a push');
    assert.equal((await fetch(`${house.server.origin}/readyz`)).status, 200);
    assert.equal(answered, 0, 'all of them hang to this moment');
    t.diagnostic(
      `${PULLS} pulls: ${before.toFixed()} ms before, ${meanwhile.toFixed()} ms meanwhile`,
    );
    // The registry is gone, so they end at last.
    await bad[Symbol.asyncDispose]();
    for (const { status, text } of await Promise.all(hanging)) {
      assert.ok(status >= 500 || status === 403, text);
      const [{ code }] = JSON.parse(text).errors;
      assert.ok(['UNAVAILABLE', 'DENIED'].includes(code), text);
    }
  });
}

test('a server whose upstream hangs ends in order when it is told to', async () => {
  await using bad = await startBad(() => undefined);
  await using house = await openHouse({ registries: { bad }, mode: 'enforce', timeout: '10m' });
  const hanging = Array.from({ length: 20 }, (_, n) =>
    get(house, `bad/app${n}/manifests/v1`).catch(() => null),
  );
  await until('the registry is asked', async () => bad.asked() >= 16);
  // Which fails when it had to be killed.
  await house.server.stop();
  for (const answer of await Promise.all(hanging)) assert.notEqual(answer?.status, 200);
});

/** Writes a byte now and then, for ever: no silence is long, and no end comes. */
function drip(response: ServerResponse, bytes: Uint8Array): void {
  let at = 0;
  const timer = setInterval(() => {
    response.write(bytes.subarray(at, at + 1));
    at += 1;
  }, 100);
  response.once('close', () => clearInterval(timer));
}

const DRIPS: readonly { readonly name: string; readonly head: object }[] = [
  { name: 'a manifest', head: { 'content-type': OCI_MANIFEST } },
  {
    name: 'a manifest of a known length',
    head: { 'content-type': OCI_MANIFEST, 'content-length': manifestOf('drip').length },
  },
];

const LAYER = randomBytes(2 << 20);
const HALF = LAYER.length >> 1;
const STOPS: readonly {
  readonly name: string;
  readonly stop: (response: ServerResponse) => void;
}[] = [
  { name: 'hangs', stop: () => undefined },
  { name: 'drips', stop: (response) => drip(response, LAYER.subarray(HALF)) },
  { name: 'hangs up', stop: (response) => void response.destroy() },
];

/** A registry of one image whose layer stops in the middle until it is well. */
async function startStopping(stop: (response: ServerResponse) => void) {
  let isWell = false;
  const registry = await startBad((request, response) => {
    const { url = '' } = request;
    if (url.endsWith(digestOf(LAYER))) {
      response.setHeader('content-length', LAYER.length);
      response.write(LAYER.subarray(0, isWell ? LAYER.length : HALF));
      if (isWell) response.end();
      else stop(response);
    } else if (/\/manifests\/(?:v1|sha256:)/.test(url)) {
      giveManifest(request, response, manifestOf('app', LAYER));
    } else if (url.endsWith(digestOf('{}'))) {
      response.end('{}');
    } else {
      response.writeHead(404).end();
    }
  });
  return {
    ...registry,
    mend() {
      isWell = true;
    },
  };
}

/** The blob of an upstream, or null when it did not come whole. */
async function pullBlob({ server }: House, prefix: string, digest: string): Promise<Buffer | null> {
  const answer = await fetch(`${server.origin}/v2/${prefix}/app/blobs/${digest}`, {
    headers: basic(server.pushToken),
  });
  const bytes = await answer.arrayBuffer().catch(() => null);
  return bytes === null || !answer.ok ? null : Buffer.from(bytes);
}

test('registries that are slow or stop give nothing that is not whole, hold up no other, and are asked again', async (t) => {
  await using opened = new AsyncDisposableStack();
  const drips = await Promise.all(
    DRIPS.map(async ({ name, head }, at) => {
      const registry = await startBad((_request, response) => {
        for (const [key, value] of Object.entries(head)) response.setHeader(key, value);
        response.flushHeaders();
        drip(response, Buffer.from(manifestOf('drip')));
      });
      return { name, prefix: `drip${at}`, registry: opened.use(registry) };
    }),
  );
  const stopping = await Promise.all(
    STOPS.map(async ({ name, stop }, at) => {
      return { name, prefix: `stop${at}`, registry: opened.use(await startStopping(stop)) };
    }),
  );
  const all = [...drips, ...stopping].map(({ prefix, registry }) => [prefix, registry] as const);
  const registries = Object.fromEntries(all);
  const house = opened.use(await openHouse({ registries, mode: 'audit', timeout: '1s' }));
  for (const { name, prefix } of drips) {
    await t.test(`${name} a byte at a time: an outage`, async () => {
      for (const reference of ['v1', digestOf(manifestOf('drip'))]) {
        const { status, text } = await get(house, `${prefix}/app/manifests/${reference}`);
        assert.equal(status, 504, text);
        assert.equal(JSON.parse(text).errors[0].detail.code, 'upstream.timeout');
      }
    });
  }
  for (const { name, prefix, registry } of stopping) {
    await t.test(`one that ${name} in the middle of a blob`, async () => {
      assert.equal((await get(house, `${prefix}/app/manifests/v1`)).status, 200);
      const layer = () => pullBlob(house, prefix, digestOf(LAYER));
      const asked = registry.asked();
      const first = Array.from({ length: 5 }, layer);
      await until('the blob is under way', async () => registry.asked() > asked);
      const later = Array.from({ length: 5 }, layer);
      // Another blob of the same registry, and another registry.
      assert.equal((await pullBlob(house, prefix, digestOf('{}')))?.toString(), '{}');
      await pullGood(house);
      for (const found of await Promise.all([...first, ...later])) assert.equal(found, null);
      registry.mend();
      assert.equal(digestOf((await layer()) ?? ''), digestOf(LAYER));
      await registry[Symbol.asyncDispose]();
      assert.equal(digestOf((await layer()) ?? ''), digestOf(LAYER), 'it was kept');
    });
  }
});
