import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { decodePem } from '@bulla/trust/bytes/pem';
import { requirePeer } from '../../../../test/peers.ts';
import { webhookCertificates } from '../../src/admission-tls/keep.ts';
import { kubernetesApi } from '../../src/kubernetes/api.ts';
import { connectCluster } from '../../src/kubernetes/connect.ts';
import { startTestApiServer, type TestApiServer } from '../kubernetes/api-server.ts';
import { thrownBy } from '../kubernetes/thrown.ts';

const run = promisify(execFile);
const DAY_MS = 86_400_000;
const START = Date.parse('2026-11-21T12:00:00Z');
const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';
const MUTATING = `${REGISTRATION}/mutatingwebhookconfigurations/bulla`;
const VALIDATING = `${REGISTRATION}/validatingwebhookconfigurations/bulla`;
const PROVIDER = '/apis/externaldata.gatekeeper.sh/v1beta1/providers/bulla';
const SECRET = '/api/v1/namespaces/bulla-system/secrets/bulla-webhook-tls';
const HOST = 'bulla.bulla-system.svc';

const ours = { service: { name: 'bulla', namespace: 'bulla-system', path: '/admission/mutate' } };
const theirs = { service: { name: 'other', namespace: 'bulla-system' }, caBundle: 'dGhlaXJz' };

function apply(cluster: TestApiServer): void {
  const webhooks = [{ clientConfig: theirs }, { clientConfig: ours }];
  cluster.put(MUTATING, { metadata: {}, webhooks });
  cluster.put(VALIDATING, { metadata: {}, webhooks: [{ clientConfig: ours }] });
  cluster.put(PROVIDER, { metadata: {}, spec: { url: `https://${HOST}/gatekeeper/verify` } });
}

interface Replica {
  readonly turn: ReturnType<typeof webhookCertificates>;
  readonly folder: string;
}

const clock = { ms: START };

async function replica(
  cluster: TestApiServer,
  name: string,
  keyType: 'ecdsa' | 'rsa' = 'ecdsa',
): Promise<Replica> {
  const access = await connectCluster({ kubeconfig: cluster.kubeconfig, context: null }, {});
  const folder = join(cluster.folder, name);
  const turn = webhookCertificates({
    api: kubernetesApi(access, null),
    namespace: 'bulla-system',
    service: 'bulla',
    secret: 'bulla-webhook-tls',
    keyType,
    carriers: { mutating: ['bulla'], validating: ['bulla'], providers: ['bulla', 'gone'] },
    folder,
    clock: () => new Date(clock.ms),
    nowMs: () => clock.ms,
  });
  return { turn, folder };
}

function bundles(cluster: TestApiServer): readonly string[] {
  const text = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString();
  return [
    text(cluster.read(MUTATING).webhooks[1].clientConfig.caBundle),
    text(cluster.read(VALIDATING).webhooks[0].clientConfig.caBundle),
    text(cluster.read(PROVIDER).spec.caBundle),
  ];
}

const certificates = (pem: string) => decodePem(pem).map(({ bytes }) => new X509Certificate(bytes));

/** What the API server checks of a call: name, time, and an authority of each configuration. */
async function assertTrusted(cluster: TestApiServer, replicas: readonly Replica[]): Promise<void> {
  for (const { folder } of replicas) {
    const [leaf] = certificates(await readFile(join(folder, 'tls.crt'), 'utf8'));
    assert.ok(leaf !== undefined);
    assert.ok(leaf.checkHost(HOST));
    assert.ok(clock.ms < leaf.validToDate.getTime(), `ended ${leaf.validTo}`);
    for (const bundle of bundles(cluster)) {
      const trusted = certificates(bundle).some(
        (ca) => clock.ms < ca.validToDate.getTime() && leaf.verify(ca.publicKey),
      );
      assert.ok(trusted, `${new Date(clock.ms).toISOString()}: nobody vouches for what is served`);
    }
  }
}

test('three replicas that start together agree on one authority and one certificate', async () => {
  clock.ms = START;
  await using cluster = await startTestApiServer();
  apply(cluster);
  const replicas = await Promise.all(['a', 'b', 'c'].map((name) => replica(cluster, name)));
  await Promise.all(replicas.map(({ turn }) => turn()));
  await Promise.all(replicas.map(({ turn }) => turn()));
  const served = await Promise.all(
    replicas.map(({ folder }) => readFile(join(folder, 'tls.crt'), 'utf8')),
  );
  assert.equal(new Set(served).size, 1);
  assert.equal(new Set(bundles(cluster)).size, 1);
  await assertTrusted(cluster, replicas);
  // Somebody else's webhook in the same object keeps its own.
  assert.deepEqual(cluster.read(MUTATING).webhooks[0].clientConfig, theirs);
});

test('for three years no replica ever serves what a configuration does not trust', async () => {
  clock.ms = START;
  await using cluster = await startTestApiServer();
  apply(cluster);
  const replicas = await Promise.all(['a', 'b', 'c'].map((name) => replica(cluster, name)));
  for (const { turn } of replicas) await turn();
  const authorities = new Set<string>();
  let most = 0;
  for (let day = 0; day < 3 * 365; day += 5) {
    // The third is asleep for most of the time, within what a certificate has left.
    const awake = day % 15 === 0 ? replicas : replicas.slice(0, 2);
    for (const { turn } of day % 2 === 0 ? awake : awake.toReversed()) {
      await turn();
      await assertTrusted(cluster, replicas);
    }
    clock.ms += 5 * DAY_MS;
    const [first = ''] = bundles(cluster);
    for (const { fingerprint256 } of certificates(first)) authorities.add(fingerprint256);
    most = Math.max(most, certificates(first).length);
  }
  assert.ok(authorities.size >= 4, `${authorities.size} authorities`);
  assert.equal(most, 2);
  assert.equal(certificates(bundles(cluster)[0] ?? '').length <= 2, true);
});

test('the new authority signs nothing while one configuration does not carry it', async () => {
  clock.ms = START;
  await using cluster = await startTestApiServer();
  apply(cluster);
  const one = await replica(cluster, 'a');
  await one.turn();
  const before = certificates(await readFile(join(one.folder, 'tls.crt'), 'utf8'))[1];
  clock.ms = START + 250 * DAY_MS;
  // One step at a time: the certificate comes first.
  await one.turn();
  cluster.fail('PATCH /apis/admissionregistration.k8s.io/v1/validating', 403);
  for (let count = 0; count < 5; count++) {
    assert.equal((await thrownBy(one.turn())).code, 'kubernetes.refused');
    clock.ms += 3600_000;
  }
  const secret = cluster.read(SECRET).data;
  assert.notEqual(secret['next.crt'], undefined);
  const authority = Buffer.from(secret['authority.crt'], 'base64').toString();
  assert.equal(new X509Certificate(authority).fingerprint256, before?.fingerprint256);
  cluster.fail('PATCH /apis/admissionregistration.k8s.io/v1/validating', null);
  await one.turn();
  clock.ms += 30_000;
  await one.turn();
  clock.ms += 61_000;
  await one.turn();
  assert.equal(cluster.read(SECRET).data['next.crt'], undefined);
  await assertTrusted(cluster, [one]);
});

// A replica that read an old state and was paused must not put the old bundle back.
test('a configuration never goes back to an older bundle', async () => {
  clock.ms = START;
  await using cluster = await startTestApiServer();
  apply(cluster);
  const [slow, quick] = [await replica(cluster, 'slow'), await replica(cluster, 'quick')];
  await slow.turn();
  await quick.turn();
  // The configuration loses its bundle, so that the slow one has something to write.
  cluster.put(VALIDATING, { metadata: {}, webhooks: [{ clientConfig: ours }] });
  clock.ms += 250 * DAY_MS;
  let overtaken = false;
  cluster.between((method, path) => {
    if (method !== 'PATCH' || !path.includes('validating') || overtaken) return;
    // Between its reading and its writing another brings a newer state and a newer bundle.
    const newer = Buffer.from('newer').toString('base64');
    overtaken = true;
    cluster.put(VALIDATING, {
      metadata: {},
      webhooks: [{ clientConfig: { ...ours, caBundle: newer } }],
    });
  });
  await slow.turn();
  const patches = cluster.asked.filter((asked) => asked === `PATCH ${VALIDATING}`);
  assert.ok(patches.length >= 2, 'the first was refused, and read anew');
  assert.equal(new Set(bundles(cluster)).size, 1);
  await slow.turn();
  await assertTrusted(cluster, [slow]);
});

const FOREIGN = [
  { name: 'another program', data: { password: 'aHVudGVyMg==' } },
  { name: 'half of a state', data: { 'tls.crt': 'aHVudGVyMg==', 'tls.key': 'aHVudGVyMg==' } },
];

for (const { name, data } of FOREIGN) {
  test(`a Secret of ${name} is left alone, and not shown`, async () => {
    clock.ms = START;
    await using cluster = await startTestApiServer();
    apply(cluster);
    cluster.put(SECRET, { metadata: {}, data });
    const one = await replica(cluster, 'a');
    const fault = await thrownBy(one.turn());
    assert.equal(fault.code, 'kubernetes.certificates-invalid');
    assert.doesNotMatch(JSON.stringify([fault.message, String(fault.cause)]), /hunter2|aHVudGVy/);
    assert.deepEqual(cluster.read(SECRET).data, data);
  });
}

test('the empty Secret of the manifests is filled', async () => {
  clock.ms = START;
  await using cluster = await startTestApiServer();
  apply(cluster);
  cluster.put(SECRET, { metadata: { labels: { app: 'bulla' } }, type: 'Opaque' });
  const one = await replica(cluster, 'a');
  await one.turn();
  assert.equal(cluster.read(SECRET).metadata.labels.app, 'bulla');
  assert.ok(!cluster.asked.some((asked) => asked.startsWith('POST')));
  await assertTrusted(cluster, [one]);
});

test('an authority that has ended is made anew at once', async () => {
  clock.ms = START;
  await using cluster = await startTestApiServer();
  apply(cluster);
  const one = await replica(cluster, 'a');
  await one.turn();
  clock.ms += 400 * DAY_MS;
  await one.turn();
  await assertTrusted(cluster, [one]);
});

test('another kind of keys comes by the same rotation', async () => {
  clock.ms = START;
  await using cluster = await startTestApiServer();
  apply(cluster);
  const before = await replica(cluster, 'a');
  await before.turn();
  const one = await replica(cluster, 'a', 'rsa');
  for (let count = 0; count < 4; count++) {
    await one.turn();
    await assertTrusted(cluster, [one]);
    clock.ms += 61_000;
  }
  const [leaf] = certificates(await readFile(join(one.folder, 'tls.crt'), 'utf8'));
  assert.equal(leaf?.publicKey.asymmetricKeyType, 'rsa');
});

for (const keyType of ['ecdsa', 'rsa'] as const) {
  test(`OpenSSL accepts what is served by the bundle, strictly: ${keyType}`, async (t) => {
    const openssl = requirePeer(t, 'openssl');
    if (openssl === null) return;
    clock.ms = Date.now();
    await using cluster = await startTestApiServer();
    apply(cluster);
    const one = await replica(cluster, 'a', keyType);
    await one.turn();
    const bundle = join(cluster.folder, 'bundle.pem');
    await writeFile(bundle, bundles(cluster)[0] ?? '');
    const verify = (host: string) =>
      run(openssl, [
        ...['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', bundle, '-no-CApath'],
        ...['-verify_hostname', host, join(one.folder, 'tls.crt')],
      ]);
    await verify(HOST);
    await verify(`${HOST}.cluster.local`);
    await assert.rejects(verify('bulla.other.svc'));
  });
}
