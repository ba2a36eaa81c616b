import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { webhookCertificates } from '../../src/admission-tls/keep.ts';
import { HTTP_LIMITS } from '../../src/http/limits.ts';
import { healthDoor } from '../../src/http/probes.ts';
import { listen } from '../../src/http/server.ts';
import { kubernetesApi } from '../../src/kubernetes/api.ts';
import { connectCluster } from '../../src/kubernetes/connect.ts';
import { startTestApiServer, type TestApiServer } from '../kubernetes/api-server.ts';

const HOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/bulla';
const HOST = 'bulla.bulla-system.svc';

/** One call as an API server makes it: by the Service's name, trusting what `caBundle` says. */
function call(port: number, ca: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername: HOST, path: '/healthz', ca, agent };
    const sent = request(options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

function bundleOf(cluster: TestApiServer): string {
  const { caBundle } = cluster.read(HOOKS).webhooks[0].clientConfig;
  return Buffer.from(caBundle, 'base64').toString();
}

test('a rotation under load drops no request, on connections that are kept and on new ones', async () => {
  await using cluster = await startTestApiServer();
  const service = { name: 'bulla', namespace: 'bulla-system' };
  cluster.put(HOOKS, { metadata: {}, webhooks: [{ clientConfig: { service } }] });
  const access = await connectCluster({ kubeconfig: cluster.kubeconfig, context: null }, {});
  const folder = join(cluster.folder, 'served');
  let nowMs = 0;
  const turnOf = (keyType: 'ecdsa' | 'rsa') =>
    webhookCertificates({
      api: kubernetesApi(access, null),
      namespace: 'bulla-system',
      service: 'bulla',
      secret: 'bulla-webhook-tls',
      keyType,
      carriers: { mutating: [], validating: ['bulla'], providers: [] },
      folder,
      clock: () => new Date(),
      nowMs: () => nowMs,
    });
  await turnOf('ecdsa')();
  const tls = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const listener = { url: 'https://127.0.0.1:0', tls };
  await using server = await listen([healthDoor()], [listener], HTTP_LIMITS, { tlsCheckMs: 0 });
  const kept = new Agent({ keepAlive: true, maxSockets: 4 });
  const ended: number[] = [];
  const next = turnOf('rsa');
  const replaced: string[] = [];
  for (let step = 0; step < 4; step++) {
    const ca = bundleOf(cluster);
    const calls = Array.from({ length: 24 }, (_, index) =>
      call(server.port, ca, index % 2 === 0 ? kept : new Agent()),
    );
    const turned = next().then(() => server.reload());
    ended.push(...(await Promise.all(calls)));
    const reports = await turned;
    replaced.push(...reports.map(({ outcome }) => outcome));
    nowMs += 61_000;
  }
  kept.destroy();
  assert.deepEqual(new Set(ended), new Set([200]));
  assert.equal(ended.length, 96);
  assert.deepEqual(replaced, ['replaced']);
});
