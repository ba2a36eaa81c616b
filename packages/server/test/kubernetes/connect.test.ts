import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kubernetesApi } from '../../src/kubernetes/api.ts';
import { connectCluster } from '../../src/kubernetes/connect.ts';
import { startTestApiServer } from './api-server.ts';
import { thrownBy } from './thrown.ts';

const config = (cluster: string) => `apiVersion: v1
kind: Config
current-context: test
clusters: [{ name: test, cluster: ${cluster} }]
users: [{ name: test, user: { token: s3cret-token } }]
contexts: [{ name: test, context: { cluster: test, user: test } }]
`;

const UNSAFE = [
  { name: 'plain HTTP', text: config('{ server: "http://127.0.0.1:8001" }') },
  {
    name: 'a server whose certificate is not checked',
    text: config('{ server: "https://127.0.0.1:6443", insecure-skip-tls-verify: true }'),
  },
  { name: 'no cluster', text: 'apiVersion: v1\nkind: Config\n' },
  { name: 'no YAML', text: 'users: [{ token: s3cret-token' },
  { name: 'an empty file', text: '' },
];

for (const { name, text } of UNSAFE) {
  test(`a kubeconfig with ${name} is refused, and none of it is shown`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'bulla-kubeconfig-'));
    t.after(() => rm(folder, { recursive: true }));
    const kubeconfig = join(folder, 'config');
    await writeFile(kubeconfig, text);
    const fault = await thrownBy(connectCluster({ kubeconfig, context: null }, {}));
    assert.equal(fault.code, 'kubernetes.config-invalid');
    assert.doesNotMatch(`${fault.message} ${String(fault.cause)}`, /s3cret/);
  });
}

test('outside of a Pod and without a file nothing is loaded', async () => {
  const load = () => assert.fail('the library was loaded');
  const fault = await thrownBy(connectCluster({ kubeconfig: null, context: null }, {}, load));
  assert.equal(fault.code, 'kubernetes.config-invalid');
});

test('another context than those of the file is refused', async () => {
  await using cluster = await startTestApiServer();
  const choice = { kubeconfig: cluster.kubeconfig, context: 'other' };
  assert.equal((await thrownBy(connectCluster(choice, {}))).code, 'kubernetes.config-invalid');
});

test('an API server whose certificate another authority signed gets no credentials', async () => {
  await using cluster = await startTestApiServer();
  await using other = await startTestApiServer();
  const { server } = await connectCluster({ kubeconfig: other.kubeconfig, context: null }, {});
  const mine = await connectCluster({ kubeconfig: cluster.kubeconfig, context: null }, {});
  const api = kubernetesApi({ ...mine, server }, null);
  const fault = await thrownBy(api.get('/api/v1/namespaces/a/secrets/b'));
  assert.equal(fault.code, 'kubernetes.unreachable');
  assert.deepEqual(other.asked, []);
});

test('objects are made, replaced by their newest state alone, and patched', async () => {
  await using cluster = await startTestApiServer();
  const access = await connectCluster({ kubeconfig: cluster.kubeconfig, context: null }, {});
  assert.equal(access.namespace, 'bulla-system');
  const api = kubernetesApi(access, null);
  const path = '/api/v1/namespaces/a/secrets';
  const made = await api.create(path, { metadata: { name: 'b' }, data: { x: 'MQ==' } });
  const again = await thrownBy(api.create(path, { metadata: { name: 'b' } }));
  assert.equal(again.code, 'kubernetes.conflict');
  const next = await api.replace(`${path}/b`, made.value);
  const stale = await thrownBy(api.replace(`${path}/b`, made.value));
  assert.equal(stale.code, 'kubernetes.conflict');
  const test = { op: 'test', path: '/metadata/resourceVersion', value: made.resourceVersion };
  const failing = await thrownBy(api.patch(`${path}/b`, 'json', [test]));
  assert.equal(failing.code, 'kubernetes.conflict');
  const op = { op: 'add', path: '/data/x', value: 'Mg==' };
  const patched = await api.patch(`${path}/b`, 'json', [
    { ...test, value: next.resourceVersion },
    op,
  ]);
  assert.deepEqual(patched.value['data'], { x: 'Mg==' });
  const merged = await api.patch(`${path}/b`, 'merge', { data: { y: 'Mw==' } });
  assert.deepEqual(merged.value['data'], { x: 'Mg==', y: 'Mw==' });
  assert.equal(await api.get(`${path}/c`), null);
});
