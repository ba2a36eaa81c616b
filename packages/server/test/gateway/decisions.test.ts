import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { FormatName } from '@bulla/trust/proof/evidence';
import { NO_SERVICES } from '@bulla/trust/proof/services';
import { signArtifact } from '@bulla/trust/sign';
import {
  type PolicyShape,
  policyOf,
  ready,
  setOf,
  signed,
} from '../../../trust/test/policy-lab/policy.ts';
import { keyed } from '../../../trust/test/sigstore-lab/question.ts';
import { signerOf } from '../../../trust/test/sigstore-lab/signer.ts';
import { testKey } from '../../../trust/test/tlog/synthetic-log.ts';
import { openEpochs } from '../../src/decision/epochs.ts';
import type { MadeDecision } from '../../src/decision/made.ts';
import { openPasses } from '../../src/decision/passes.ts';
import { openPolicies } from '../../src/decision/policies.ts';
import { createDecisions, DECISION_LIMITS } from '../../src/decision/service.ts';
import { createTaker } from '../../src/decision/take.ts';
import { tableHistory } from '../../src/gateway/history.ts';
import type { SignRead } from '../../src/gateway/ports.ts';
import type { UpstreamConfig } from '../../src/gateway/upstream/config.ts';
import { type Registry, startRegistry } from '../../src/registry.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import {
  ask,
  digestOf,
  manifestOf,
  OCI_INDEX,
  OCI_MANIFEST,
  pushImage,
  putManifest,
} from './client.ts';
import { as, person, tableAccess } from './people.ts';
import { upstreamAt } from './upstream/kit.ts';

const KEY = testKey('ecdsa-p256');
const OTHER = testKey('ecdsa-p256');
const PEOPLE = [
  person('nobody', { repository: '**', actions: ['pull'] }),
  person('pusher', { repository: '**', actions: ['pull', 'push', 'delete'] }),
  person('signer', { repository: '**', actions: ['pull', 'push', 'sign'] }),
];

interface Verifying extends Registry {
  readonly kept: MadeDecision[];
  readonly signReads: SignRead[];
}

/** A registry whose pulls are decided by the library, with the server's cache and a real table. */
async function openVerifying(
  shape: Partial<PolicyShape> = {},
  upstreams: readonly UpstreamConfig[] = [],
): Promise<Verifying> {
  const kept: MadeDecision[] = [];
  const signReads: SignRead[] = [];
  const clock = () => new Date();
  const now = () => performance.now();
  const store = openMemory();
  const rows = await openSqlite(':memory:');
  await migrate(rows, { clock });
  const authorities = [ready(keyed(KEY, 'release'))];
  const document = policyOf({ authorities, require: signed(['release']), ...shape });
  const policies = await openPolicies({
    load: async () => ({ set: setOf(document), files: new Map(), warnings: [] }),
    fingerprint: async () => '1',
    clock,
    changed: () => undefined,
  });
  let ids = 0;
  const decisions = createDecisions({
    policies,
    epochs: openEpochs(store.registers, now),
    keep: async (made) => void kept.push(made),
    repeat: () => null,
    take: createTaker({
      expressions: () => assert.fail('no expression is asked about'),
      passes: openPasses(store.registers),
      exceptions: async () => [],
      environment: null,
      parallel: 8,
      deadlineMs: 30_000,
      maxDossierBytes: 1 << 20,
      clock,
      now,
    }),
    limits: DECISION_LIMITS,
    newId: () => `ID${++ids}`,
    clock,
    now,
    unrecorded: () => undefined,
  });
  const registry = await startRegistry(
    { storage: 'opened', store },
    {
      config: { registry: 'registry.example', upstreams, tagFreshnessMs: 0 },
      ports: {
        access: tableAccess(PEOPLE),
        history: tableHistory(rows.tables),
        verification: {
          kind: 'policies',
          decide: decisions.decide,
          forgetRefusals: (repository) => decisions.pushed(repository),
          noteSignRead: async (read) => void signReads.push(read),
        },
      },
    },
  );
  const close = async () => {
    await registry.close();
    await rows[Symbol.asyncDispose]();
  };
  return { ...registry, kept, signReads, close, [Symbol.asyncDispose]: close };
}

/** Signs through the registry as a client does, by the scope `sign`. */
async function sign(
  host: string,
  rest: string,
  formats: readonly FormatName[],
  key = KEY,
  recursive = false,
) {
  const reference = parseReference(`${host}/${rest}`);
  const options = { env: {}, homeFolder: '/dev/null', token: 'signer' };
  return signArtifact({
    target: await openStore(reference, options),
    tagOrDigest: reference.digest ?? reference.tag ?? 'latest',
    dockerReference: 'registry.example/app',
    formats,
    annotations: {},
    recursive,
    upload: true,
    signer: signerOf(key),
    services: NO_SERVICES,
    trustRoot: null,
    at: new Date(),
    now: () => performance.now(),
  });
}

async function push(url: string, tag: string, layer: string) {
  const headers = as('pusher');
  const body = manifestOf({ layers: [layer] });
  for (const blob of ['{}', layer]) {
    const path = `/v2/app/blobs/uploads/?digest=${digestOf(blob)}`;
    assert.equal((await ask(url, { method: 'POST', path, headers, body: blob })).status, 201);
  }
  const put = await putManifest(url, 'app', tag, body, headers);
  assert.equal(put.status, 201, put.body.toString());
  return { digest: digestOf(body), body };
}

// With a token for nobody, as clients have that logged in nowhere.
const pull = (url: string, rest: string) =>
  ask(url, { path: `/v2/app/${rest}`, headers: as('nobody') });

for (const format of ['sigstore-bundle', 'cosign-legacy'] as const) {
  test(`push, refused, sign through the gateway, pull: ${format}`, async () => {
    await using registry = await openVerifying();
    const { url, host } = registry;
    const { digest, body } = await push(url, 'v1', 'layer');
    const refused = await pull(url, 'manifests/v1');
    assert.equal(refused.status, 403, refused.body.toString());
    assert.equal(refused.error, 'DENIED');
    assert.equal((await pull(url, `blobs/${digestOf('layer')}`)).error, 'BLOB_UNKNOWN');
    await sign(host, 'app:v1', [format]);
    assert.ok(registry.signReads.length > 0, 'reading what was not signed yet was noted');
    // The push of the signature ended the refusal, though it is younger than ten seconds.
    const served = await pull(url, 'manifests/v1');
    assert.equal(served.status, 200, served.body.toString());
    assert.equal(served.body.toString(), body);
    assert.equal((await pull(url, `manifests/${digest}`)).status, 200);
    assert.equal((await pull(url, `blobs/${digestOf('layer')}`)).body.toString(), 'layer');
    const last = registry.kept.at(-1)?.decision;
    assert.equal(last?.repository, 'registry.example/app');
    // Its signatures are there for those who check for themselves.
    const found =
      format === 'sigstore-bundle'
        ? await pull(url, `referrers/${digest}`)
        : await pull(url, `manifests/${digest.replace(':', '-')}.sig`);
    assert.equal(found.status, 200);
    if (format === 'sigstore-bundle') {
      const [{ digest: one }] = (
        JSON.parse(found.body.toString()) as { manifests: [{ digest: string }] }
      ).manifests;
      const bundle = await pull(url, `manifests/${one}`);
      assert.equal(bundle.status, 200);
      const [layer] = (JSON.parse(bundle.body.toString()) as { layers: [{ digest: string }] })
        .layers;
      assert.equal((await pull(url, `blobs/${layer.digest}`)).status, 200);
    }
  });
}

test('a signature of another key, and one of another image under its tag, admit nothing', async () => {
  await using registry = await openVerifying();
  const { url, host } = registry;
  const first = await push(url, 'v1', 'one');
  const second = await push(url, 'v2', 'two');
  await sign(host, 'app:v1', ['sigstore-bundle', 'cosign-legacy'], OTHER);
  assert.equal((await pull(url, 'manifests/v1')).status, 403);
  await sign(host, 'app:v2', ['cosign-legacy']);
  assert.equal((await pull(url, 'manifests/v2')).status, 200);
  const tag = (digest: string) => `${digest.replace(':', '-')}.sig`;
  const signature = await pull(url, `manifests/${tag(second.digest)}`);
  const copied = await putManifest(
    url,
    'app',
    tag(first.digest),
    signature.body.toString(),
    as('pusher'),
  );
  assert.equal(copied.status, 201);
  assert.equal((await pull(url, 'manifests/v1')).status, 403);
});

test('children are pulled through their signed index without a second verification', async () => {
  await using registry = await openVerifying();
  const { url, host } = registry;
  const headers = as('pusher');
  const children = [await push(url, 'amd64', 'a'), await push(url, 'arm64', 'b')];
  const stray = await push(url, 'stray', 'c');
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: children.map(({ digest, body }, at) => ({
      mediaType: OCI_MANIFEST,
      digest,
      size: body.length,
      platform: { os: 'linux', architecture: at === 0 ? 'amd64' : 'arm64' },
    })),
  });
  await putManifest(url, 'app', 'multi', index, { ...headers, 'content-type': OCI_INDEX });
  for (const { digest } of children) {
    assert.equal((await pull(url, `manifests/${digest}`)).status, 403);
  }
  await sign(host, 'app:multi', ['sigstore-bundle']);
  assert.equal((await pull(url, 'manifests/multi')).status, 200);
  registry.kept.length = 0;
  for (const { digest } of children) {
    assert.equal((await pull(url, `manifests/${digest}`)).status, 200);
  }
  assert.deepEqual(
    registry.kept.map(({ cache }) => cache),
    ['hit', 'hit'],
  );
  assert.equal((await pull(url, `blobs/${digestOf('a')}`)).status, 200);
  assert.equal((await pull(url, `manifests/${stray.digest}`)).status, 403);
  assert.equal((await pull(url, 'manifests/amd64')).status, 403, 'a leaf by its own tag');
});

test('an older signed digest that comes back under a tag is refused where the policy says so', async () => {
  await using registry = await openVerifying({ rollback: 'refuse' });
  const { url, host } = registry;
  const first = await push(url, 'v1', 'one');
  await sign(host, 'app:v1', ['sigstore-bundle']);
  assert.equal((await pull(url, 'manifests/v1')).status, 200);
  await push(url, 'v1', 'two');
  await sign(host, 'app:v1', ['sigstore-bundle']);
  assert.equal((await pull(url, 'manifests/v1')).status, 200);
  await putManifest(url, 'app', 'v1', first.body, as('pusher'));
  const refused = await pull(url, 'manifests/v1');
  assert.equal(refused.status, 403);
  assert.match(refused.body.toString(), /tag\.rollback/);
  // By its digest it is what it is.
  assert.equal((await pull(url, `manifests/${first.digest}`)).status, 200);
});

test('an image is decided by the signatures of its upstream, also by its fallback tag', async () => {
  for (const referrers of [true, false]) {
    await using upstream = await startRegistry({ storage: 'memory' }, { referrers });
    await pushImage(upstream.url, 'app', 'v1', { layers: ['layer'] });
    await pushImage(upstream.url, 'app', 'unsigned', { layers: ['other'] });
    await sign(upstream.host, 'app:v1', ['sigstore-bundle']);
    await using gateway = await openVerifying({}, [upstreamAt(upstream.host, { prefix: 'app' })]);
    const { url } = gateway;
    const pulled = await ask(url, { path: '/v2/app/app/manifests/v1' });
    assert.equal(pulled.status, 200, pulled.body.toString());
    assert.equal(gateway.kept[0]?.decision.repository, `${upstream.host}/app`);
    const blob = await ask(url, { path: `/v2/app/app/blobs/${digestOf('layer')}` });
    assert.equal(blob.body.toString(), 'layer');
    assert.equal((await pull(url, 'app/manifests/unsigned')).status, 403);
    const other = await pull(url, `app/blobs/${digestOf('other')}`);
    assert.equal(other.error, 'BLOB_UNKNOWN');
  }
});

test('an upstream that is down refuses, and last known good admits for its time', async () => {
  for (const [onInconclusive, status] of [
    ['deny', 502],
    [{ lastKnownGood: { maxAgeMs: 60_000 } }, 200],
  ] as const) {
    const upstream = await startRegistry({ storage: 'memory' });
    const digest = await pushImage(upstream.url, 'app', 'v1', { layers: ['layer'] });
    await sign(upstream.host, 'app:v1', ['sigstore-bundle']);
    const upstreams = [upstreamAt(upstream.host)];
    await using gateway = await openVerifying({ onInconclusive }, upstreams);
    const get = () => ask(gateway.url, { path: '/v2/up/app/manifests/v1' });
    assert.equal((await get()).status, 200);
    await upstream.close();
    const answer = await get();
    assert.equal(answer.status, status, answer.body.toString());
    if (status === 200) assert.equal(answer.headers['docker-content-digest'], digest);
    else assert.equal(answer.error, 'UNAVAILABLE');
  }
});
