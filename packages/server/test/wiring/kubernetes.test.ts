import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from '../../src/http/log.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { keepWebhookCertificates, watchCertificates } from '../../src/wiring/certificates.ts';
import { SYSTEM_CLOCKS } from '../../src/wiring/clocks.ts';
import { wireKubernetes } from '../../src/wiring/kubernetes.ts';
import { watchPolicies } from '../../src/wiring/policies.ts';
import { startTestApiServer, type TestApiServer } from '../kubernetes/api-server.ts';
import { thrownBy } from '../kubernetes/thrown.ts';

const PATH = '/apis/bulla.dev/v1/trustpolicies';
const POLICY = {
  metadata: {},
  spec: {
    images: [{ glob: 'registry.example/prod/**' }],
    authorities: { nobody: { static: { action: 'fail', message: 'nobody signs' } } },
    require: { signed: { of: ['nobody'] } },
  },
};
const SILENT = createLog('silent');

const sectionOf = (cluster: TestApiServer, more: object = {}) => ({
  kubeconfig: cluster.kubeconfig,
  context: null,
  namespace: null,
  policies: true,
  clusterImagePolicies: false,
  notReadyAfterMs: 300_000,
  certificates: null,
  ...more,
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

test('without a cluster there is none', async () => {
  const wired = await wireKubernetes({ kubernetes: null }, { clocks: SYSTEM_CLOCKS, log: SILENT });
  assert.equal(wired, null);
});

test('nothing is in force before the cluster was listed, and what was stays when it is lost', async () => {
  await using cluster = await startTestApiServer();
  cluster.put(`${PATH}/prod`, POLICY);
  cluster.fail('GET', 503);
  const clock = { ms: 0 };
  await using wired = await wireKubernetes(
    { kubernetes: sectionOf(cluster) },
    { clocks: { clock: () => new Date(), now: () => clock.ms }, log: SILENT },
  );
  assert.ok(wired !== null);
  const files = { policies: [], trustRoots: {} };
  const clockOf = () => new Date();
  await using watched = await watchPolicies(files, SILENT, clockOf, wired.policies);
  const { inForce } = watched;
  const [ready] = wired.checks;
  const isReady = async () => {
    try {
      await ready?.check(new AbortController().signal);
      return true;
    } catch {
      return false;
    }
  };
  assert.equal(inForce.current().set, null);
  assert.equal(inForce.current().problem?.code, 'policy.unreadable');
  assert.equal(await isReady(), false);
  cluster.fail('GET', null);
  await until(async () => (await inForce.reload()).set?.policies.length === 1);
  assert.equal(inForce.current().files.get('prod'), 'TrustPolicy/prod');
  await until(isReady);
  // The status goes to the cluster by itself.
  await until(() => cluster.read(`${PATH}/prod`).status !== undefined);
  cluster.fail('GET', 503);
  cluster.cutWatches();
  clock.ms += 300_001;
  assert.equal(await isReady(), false);
  assert.equal((await inForce.reload()).set?.policies.length, 1);
});

const certificatesOf = (cluster: TestApiServer) => ({
  folder: join(cluster.folder, 'served'),
  service: 'bulla',
  names: [],
  secret: 'bulla-webhook-tls',
  keyType: 'ecdsa' as const,
  mutating: ['bulla'],
  validating: [],
  providers: [],
  checkEveryMs: 60_000,
});

async function partsOf(cluster: TestApiServer) {
  const wired = await wireKubernetes(
    { kubernetes: sectionOf(cluster, { policies: false }) },
    { clocks: SYSTEM_CLOCKS, log: SILENT },
  );
  assert.ok(wired !== null);
  const { api } = wired;
  const metrics = createMetrics();
  const section = certificatesOf(cluster);
  return { api, section, metrics, clocks: SYSTEM_CLOCKS, log: SILENT, pauseMs: 1 };
}

test('certificates of before serve while the cluster is away, and without any nothing starts', async () => {
  await using cluster = await startTestApiServer();
  cluster.fail('GET', 503);
  const fault = await thrownBy(keepWebhookCertificates(await partsOf(cluster)));
  assert.equal(fault.code, 'kubernetes.unreachable');
  cluster.fail('GET', null);
  await using _ = await keepWebhookCertificates(await partsOf(cluster));
  cluster.fail('GET', 503);
  await using __ = await keepWebhookCertificates(await partsOf(cluster));
});

test('metrics say how long the authority lasts', async () => {
  await using cluster = await startTestApiServer();
  const parts = await partsOf(cluster);
  await using _ = await keepWebhookCertificates(parts);
  const { text } = await parts.metrics.render();
  const seconds = Number(/^bulla_webhook_authority_expires_seconds (\S+)$/m.exec(text)?.[1]);
  assert.equal(Math.round(seconds / 86_400), 365);
});

const ENDS = [
  { name: 'long after now', days: 30, level: null },
  { name: 'in a few days', days: 5, level: 'warn' },
  { name: 'before now, and is served still', days: -1, level: 'error' },
] as const;

for (const { name, days, level } of ENDS) {
  test(`a certificate that ends ${name}: ${level ?? 'nothing'} is logged, and metrics tell`, async () => {
    const lines: { readonly level: string }[] = [];
    const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
    const metrics = createMetrics();
    const at = new Date('2026-11-21T12:00:00Z');
    const notAfter = new Date(at.getTime() + days * 86_400_000);
    const http = { certificates: () => [{ listener: 'https://127.0.0.1:1', notAfter }] };
    const watching = watchCertificates(http, metrics, () => at, log);
    await watching[Symbol.asyncDispose]();
    assert.deepEqual(
      lines.map((line) => line.level),
      level === null ? [] : [level],
    );
    const { text } = await metrics.render();
    const seconds = /^bulla_tls_certificate_expires_seconds (\S+)$/m.exec(text)?.[1];
    assert.equal(Number(seconds), days * 86_400);
  });
}

test('a certificate that ends while it is served is told of soon, and again after an hour', async () => {
  const lines: { readonly level: string }[] = [];
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
  let at = new Date('2026-11-21T12:00:00Z');
  let looks = 0;
  const notAfter = new Date(at.getTime() + 60_000);
  const http = {
    certificates() {
      looks += 1;
      return [{ listener: 'https://127.0.0.1:1', notAfter }];
    },
  };
  await using _watching = watchCertificates(http, createMetrics(), () => at, log, 1);
  const look = async (seconds: number) => {
    at = new Date(at.getTime() + seconds * 1000);
    for (const until = looks + 3; looks < until; ) await sleep(1);
    return lines.map(({ level }) => level);
  };
  assert.deepEqual(await look(0), ['warn']);
  assert.deepEqual(await look(61), ['warn', 'error']);
  assert.deepEqual(await look(60), ['warn', 'error']);
  assert.deepEqual(await look(3600), ['warn', 'error', 'error']);
});
