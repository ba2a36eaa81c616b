import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrustFault } from '@bulla/trust/fault/fault';
import { type KubernetesApi, kubernetesApi } from '../../src/kubernetes/api.ts';
import { connectCluster } from '../../src/kubernetes/connect.ts';
import { watchCollection } from '../../src/kubernetes/watch.ts';
import { startTestApiServer, type TestApiServer } from './api-server.ts';

const PATH = '/apis/bulla.dev/v1/trustpolicies';
const policy = (n: number) => ({ metadata: {}, spec: { n } });

async function apiOf(cluster: TestApiServer): Promise<KubernetesApi> {
  return kubernetesApi(
    await connectCluster({ kubeconfig: cluster.kubeconfig, context: null }, {}),
    null,
  );
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

async function watching(cluster: TestApiServer) {
  const faults: TrustFault[] = [];
  const watched = watchCollection({
    api: await apiOf(cluster),
    path: PATH,
    nowMs: () => performance.now(),
    failed: (fault) => faults.push(fault),
    pauseMs: 5,
  });
  const names = () => [...(watched.objects()?.keys() ?? [])].sort().join();
  return { watched, faults, names };
}

test('a collection is listed in pages, and then what changes is heard', async () => {
  await using cluster = await startTestApiServer();
  for (const name of ['a', 'b', 'c', 'd', 'e']) cluster.put(`${PATH}/${name}`, policy(1));
  const { watched, names, faults } = await watching(cluster);
  await using _ = watched;
  assert.equal(watched.objects(), null);
  await until(() => names() === 'a,b,c,d,e');
  cluster.put(`${PATH}/f`, policy(1));
  cluster.remove(`${PATH}/a`);
  await until(() => names() === 'b,c,d,e,f');
  const before = watched.version();
  cluster.put(`${PATH}/b`, policy(2));
  await until(() => watched.version() > before);
  assert.deepEqual(watched.objects()?.get('b')?.value['spec'], { n: 2 });
  assert.deepEqual(faults, []);
});

test('a watch that is cut goes on, and keeps what it knew meanwhile', async () => {
  await using cluster = await startTestApiServer();
  cluster.put(`${PATH}/a`, policy(1));
  const { watched, names } = await watching(cluster);
  await using _ = watched;
  await until(() => names() === 'a');
  await until(() => cluster.asked.some((asked) => asked.endsWith('?watch')));
  cluster.fail('GET', 503);
  cluster.cutWatches();
  cluster.put(`${PATH}/b`, policy(1));
  await sleep(30);
  assert.equal(names(), 'a');
  cluster.fail('GET', null);
  await until(() => names() === 'a,b');
});

test('what was deleted while the history was lost is gone after 410', async () => {
  await using cluster = await startTestApiServer();
  cluster.put(`${PATH}/a`, policy(1));
  cluster.put(`${PATH}/b`, policy(1));
  const { watched, names } = await watching(cluster);
  await using _ = watched;
  await until(() => names() === 'a,b');
  cluster.fail('GET', 503);
  cluster.cutWatches();
  cluster.remove(`${PATH}/b`);
  cluster.compact();
  cluster.fail('GET', null);
  await until(() => names() === 'a');
});

const REFUSALS = [
  { name: 'no right to list', status: 403, code: 'kubernetes.refused' },
  { name: 'no such kind', status: 404, code: 'kubernetes.not-found' },
  { name: 'an API server in trouble', status: 500, code: 'kubernetes.unreachable' },
] as const;

for (const { name, status, code } of REFUSALS) {
  test(`${name} is told, and nothing is taken for an empty collection`, async () => {
    await using cluster = await startTestApiServer();
    cluster.fail('GET', status);
    const { watched, faults } = await watching(cluster);
    await using _ = watched;
    await until(() => faults.length > 1);
    assert.equal(faults[0]?.code, code);
    assert.equal(watched.objects(), null);
    assert.equal(watched.syncedAtMs(), null);
  });
}
