import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { GATEWAY_CONFIG } from '../../src/gateway/config.ts';
import { OPEN_PORTS } from '../../src/gateway/ports.ts';
import { createGateway, type Gateway } from '../../src/gateway/service.ts';
import { startRegistry } from '../../src/registry.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import type { Store } from '../../src/storage/store.ts';
import { type Count, faulty, MISHAPS, type Mishap, type Watch } from '../storage/faulty.ts';
import { ask, digestOf, manifestOf, OCI_MANIFEST, pushImage } from './client.ts';

const SUBJECT = manifestOf();
const SIGNATURE = manifestOf({ subject: digestOf(SUBJECT), layers: ['sig'] });
const clock = () => new Date('2026-01-01T00:00:00Z');

function gatewayOn(store: Pick<Store, 'objects' | 'registers'>): Gateway {
  const { objects, registers } = store;
  return createGateway({ objects, registers, config: GATEWAY_CONFIG, ports: OPEN_PORTS, clock });
}

async function* bytes(content: string) {
  yield Buffer.from(content);
}

async function pushBlobTo(gateway: Gateway, content: string): Promise<void> {
  const upload = await gateway.startUpload('app', 'sha256');
  await gateway.appendChunk('app', upload, { content: bytes(content), range: null, length: null });
  await gateway.finishUpload('app', upload, digestOf(content));
}

async function pushManifestTo(gateway: Gateway, body: string, tag: string): Promise<void> {
  await gateway.pushManifest({
    repository: 'app',
    reference: { tag },
    tags: [],
    contentType: OCI_MANIFEST,
    bytes: Buffer.from(body),
    conditions: {},
  });
}

interface Scenario {
  readonly name: string;
  prepare(gateway: Gateway): Promise<void>;
  write(gateway: Gateway): Promise<void>;
  isDone(gateway: Gateway): Promise<boolean>;
}

const hasSignature = async (gateway: Gateway): Promise<boolean> => {
  const page = await gateway.listReferrers('app', digestOf(SUBJECT), {});
  return Buffer.from(page.index).includes(digestOf(SIGNATURE));
};

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a push of a signature with its blobs',
    prepare: async () => {},
    async write(gateway) {
      for (const blob of ['{}', 'sig']) await pushBlobTo(gateway, blob);
      await pushManifestTo(gateway, SUBJECT, 'v1');
      await pushManifestTo(gateway, SIGNATURE, 'sig');
    },
    isDone: hasSignature,
  },
  {
    name: 'a deletion of a signature',
    async prepare(gateway) {
      for (const blob of ['{}', 'sig']) await pushBlobTo(gateway, blob);
      await pushManifestTo(gateway, SUBJECT, 'v1');
      await pushManifestTo(gateway, SIGNATURE, 'sig');
    },
    async write(gateway) {
      await gateway.deleteManifest('app', digestOf(SIGNATURE)).catch((error: unknown) => {
        const code = error instanceof TrustFault ? error.code : '';
        if (code !== 'gateway.manifest-unknown') throw error;
      });
    },
    isDone: async (gateway) => {
      const found = await gateway
        .findManifest('app', { digest: digestOf(SIGNATURE) })
        .catch(() => 0);
      return found === 0;
    },
  },
];

/** Whatever is listed can be pulled, whole. */
async function checkListed(gateway: Gateway): Promise<void> {
  const tags = await gateway.listTags('app', {}).catch(() => ({ names: [] }));
  for (const tag of tags.names) {
    const { digest, record } = await gateway.findManifest('app', { tag });
    const content = await gateway.readManifest(digest);
    assert.equal(digestOf(content), digest);
    assert.equal(record.size, content.length);
    const { config, layers } = JSON.parse(Buffer.from(content).toString()) as ReturnType<
      typeof JSON.parse
    >;
    for (const part of [config, ...layers]) {
      const size = await gateway.requireBlob('app', part.digest);
      const blob = await gateway.readBlob(part.digest, { from: 0, length: size });
      assert.ok(blob instanceof Uint8Array);
      assert.equal(digestOf(blob), part.digest);
    }
  }
  const page = await gateway.listReferrers('app', digestOf(SUBJECT), {});
  const index = JSON.parse(Buffer.from(page.index).toString()) as ReturnType<typeof JSON.parse>;
  for (const { digest } of index.manifests) {
    assert.equal(digestOf(await gateway.readManifest(digest)), digest);
  }
}

async function tryCall(scenario: Scenario, mishap: Mishap, call: number): Promise<boolean> {
  await using store = openMemory();
  const honest = gatewayOn(store);
  await scenario.prepare(honest);
  const watch: Watch = { hit: false, method: '' };
  const count: Count = { calls: 0, over: false };
  const error = () => new TrustFault('storage.failed', 'injected');
  const plan = { mishap, call, counts: () => true, error };
  const hurt = gatewayOn({
    objects: faulty(store.objects, plan, watch, count),
    registers: faulty(store.registers, plan, watch, count),
  });
  const outcome = await scenario.write(hurt).then(
    () => null,
    (fault: unknown) => fault,
  );
  if (outcome !== null) {
    assert.ok(outcome instanceof TrustFault, String(outcome));
    assert.equal(outcome.code, 'storage.failed', watch.method);
  }
  // As after a restart: a gateway that knows nothing of the one before.
  await checkListed(gatewayOn(store));
  if (outcome === null) assert.equal(await scenario.isDone(gatewayOn(store)), true);
  count.over = true;
  const next = mishap === 'killed between' ? gatewayOn(store) : hurt;
  await scenario.write(next);
  assert.equal(await scenario.isDone(next), true, `${watch.method}: again completes it`);
  await checkListed(next);
  return watch.hit;
}

for (const scenario of SCENARIOS) {
  for (const mishap of MISHAPS) {
    test(`${scenario.name}: ${mishap} at each call of the store`, async () => {
      let call = 0;
      while (await tryCall(scenario, mishap, call)) call += 1;
      assert.ok(call >= 6, `only ${call} calls were tried`);
    });
  }
}

test('a store that fails is a 5xx that names no folder, and the server lives on', async () => {
  const store = openMemory();
  let broken: TrustFault | null = null;
  const guard = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name, receiver) {
        if (broken !== null) return () => Promise.reject(broken);
        return Reflect.get(object, name, receiver);
      },
    });
  const hurt: Store = {
    objects: guard(store.objects),
    registers: guard(store.registers),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
  await using registry = await startRegistry({ storage: 'opened', store: hurt });
  const { url } = registry;
  await pushImage(url, 'app', 'v1');
  const path = '/v2/app/manifests/v1';
  const cases = [
    { fault: new TrustFault('storage.full', '/secret/folder is full'), status: 507 },
    { fault: new TrustFault('storage.failed', '/secret/folder: EIO'), status: 500 },
    { fault: new TrustFault('storage.corrupt', '/secret/folder: cell'), status: 500 },
    { fault: new TypeError('/secret/folder is not a function'), status: 500 },
  ];
  for (const { fault, status } of cases) {
    broken = fault as TrustFault;
    for (const request of [{ path }, { method: 'PUT', path, body: SUBJECT }]) {
      const answer = await ask(url, request);
      assert.equal(answer.status, status);
      assert.equal(answer.error, 'UNKNOWN');
      assert.doesNotMatch(answer.body.toString(), /secret/);
    }
    broken = null;
    assert.equal((await ask(url, { path })).status, 200);
  }
});
