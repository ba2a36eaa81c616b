// The server's Kubernetes rooms before a real API server: what ours may only believe, it knows.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { webhookCertificates } from '@bulla/server/admission-tls/keep';
import { createLog } from '@bulla/server/http/log';
import { kubernetesApi } from '@bulla/server/kubernetes/api';
import { connectCluster } from '@bulla/server/kubernetes/connect';
import { openPullSecrets } from '@bulla/server/kubernetes/pull-secrets';
import { SYSTEM_CLOCKS } from '@bulla/server/wiring/clocks';
import { wireKubernetes } from '@bulla/server/wiring/kubernetes';
import { watchPolicies } from '@bulla/server/wiring/policies';
import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { type KubeApiServer, startKubeApiServer } from './kube-apiserver.ts';
import { startServe } from './server.ts';
import { openStage, ROOT } from './stage.ts';

const SERVICE_ACCOUNT = 'system:serviceaccount:bulla-system:bulla';
const USERS = [
  { name: 'dev', groups: ['system:authenticated'] },
  { name: SERVICE_ACCOUNT, groups: ['system:serviceaccounts', 'system:authenticated'] },
];
const POLICIES = '/apis/bulla.dev/v1/trustpolicies';
const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';

// biome-ignore lint/suspicious/noExplicitAny: manifests have any shape
type Json = any;

/** Where each kind of the manifests is created. */
const PATHS: Readonly<Record<string, string>> = {
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  Namespace: '/api/v1/namespaces',
  ServiceAccount: '/api/v1/namespaces/bulla-system/serviceaccounts',
  ConfigMap: '/api/v1/namespaces/bulla-system/configmaps',
  Secret: '/api/v1/namespaces/bulla-system/secrets',
  Service: '/api/v1/namespaces/bulla-system/services',
  PersistentVolumeClaim: '/api/v1/namespaces/bulla-system/persistentvolumeclaims',
  Role: '/apis/rbac.authorization.k8s.io/v1/namespaces/bulla-system/roles',
  RoleBinding: '/apis/rbac.authorization.k8s.io/v1/namespaces/bulla-system/rolebindings',
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  PriorityClass: '/apis/scheduling.k8s.io/v1/priorityclasses',
  Deployment: '/apis/apps/v1/namespaces/bulla-system/deployments',
  PodDisruptionBudget: '/apis/policy/v1/namespaces/bulla-system/poddisruptionbudgets',
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/bulla-system/networkpolicies',
  MutatingWebhookConfiguration: `${REGISTRATION}/mutatingwebhookconfigurations`,
  ValidatingWebhookConfiguration: `${REGISTRATION}/validatingwebhookconfigurations`,
  ValidatingAdmissionPolicy: `${REGISTRATION}/validatingadmissionpolicies`,
  ValidatingAdmissionPolicyBinding: `${REGISTRATION}/validatingadmissionpolicybindings`,
};

async function manifests(): Promise<readonly Json[]> {
  const files = globSync('deploy/kubernetes/*.yaml', { cwd: ROOT }).sort();
  // The Namespace before what is in it, and the webhooks last.
  const order = (file: string) => (/namespace/.test(file) ? 0 : /webhook\.yaml/.test(file) ? 2 : 1);
  const sorted = files.toSorted((a, b) => order(a) - order(b));
  const all = sorted.map(async (file) => {
    const bytes = await readFile(join(ROOT, file));
    return parseYamlDocuments(bytes, file, 'policy.malformed').documents.map(plainValue);
  });
  return (await Promise.all(all)).flat();
}

async function applied(t: TestContext): Promise<KubeApiServer | null> {
  const kube = await startKubeApiServer(t, USERS);
  if (kube === null) return null;
  for (const each of await manifests()) await kube.create(PATHS[each.kind] ?? '', each);
  await until(async () => (await kube.ask('GET', POLICIES)).status === 200);
  return kube;
}

async function until(holds: () => Promise<boolean>, most = 30_000): Promise<void> {
  for (let waited = 0; waited < most; waited += 100) {
    if (await holds()) return;
    await sleep(100);
  }
  assert.fail('it did not come to pass in time');
}

/** The API as the server's own service account reaches it, with the rights of rbac.yaml alone. */
async function apiOf(kube: KubeApiServer) {
  const kubeconfig = kube.kubeconfigOf(SERVICE_ACCOUNT);
  return kubernetesApi(await connectCluster({ kubeconfig, context: null }, {}), 'bulla-system');
}

const PEM = await readFile(join(ROOT, 'vectors/cosign/keys/p256.pub'), 'utf8');
const policy = (name: string, spec: Json = {}) => ({
  apiVersion: 'bulla.dev/v1',
  kind: 'TrustPolicy',
  metadata: { name },
  spec: {
    images: [{ glob: 'registry.example/prod/**' }],
    authorities: { release: { key: { pem: PEM } } },
    require: { all: [{ any: [{ signed: { of: ['release'] } }] }] },
    ...spec,
  },
});

const readyOf = async (kube: KubeApiServer, name: string) => {
  const { body } = await kube.ask('GET', `${POLICIES}/${name}`);
  return body.status?.conditions?.find(({ type }: Json) => type === 'Ready');
};

test('the manifests are taken, and the policies of the cluster decide', async (t) => {
  const kube = await applied(t);
  if (kube === null) return;
  await using _ = kube;
  const crds = PATHS['CustomResourceDefinition'] ?? '';
  const { body: crd } = await kube.ask('GET', `${crds}/trustpolicies.bulla.dev`);
  const conditions = new Map(crd.status.conditions.map((each: Json) => [each.type, each.status]));
  assert.equal(conditions.get('NamesAccepted'), 'True');
  assert.equal(conditions.get('Established'), 'True');
  assert.equal(conditions.get('NonStructuralSchema'), undefined);

  await kube.create(POLICIES, policy('prod'));
  const kubernetes = {
    kubeconfig: kube.kubeconfigOf(SERVICE_ACCOUNT),
    context: null,
    namespace: 'bulla-system',
    policies: true,
    clusterImagePolicies: false,
    notReadyAfterMs: 300_000,
    certificates: null,
  };
  const log = createLog('silent');
  await using cluster = await wireKubernetes({ kubernetes }, { clocks: SYSTEM_CLOCKS, log });
  assert.ok(cluster?.policies !== null && cluster !== null);
  await using watched = await watchPolicies(
    { policies: [], trustRoots: {} },
    log,
    SYSTEM_CLOCKS.clock,
    cluster.policies,
  );
  const names = () =>
    watched.inForce
      .current()
      .set?.policies.map(({ document }) => document.name)
      .join() ?? 'none';
  await until(async () => names() === 'prod');
  for (const { check } of cluster.checks) await check(new AbortController().signal);
  await until(async () => (await readyOf(kube, 'prod'))?.status === 'True');
  const ready = await readyOf(kube, 'prod');
  assert.deepEqual([ready.reason, ready.observedGeneration], ['InForce', 1]);

  // A member that nobody knows stays in the object, and is told; the policy before it decides.
  const wrong = policy('prod', { excldue: [{ exact: 'registry.example/prod/open' }] });
  assert.equal((await kube.ask('PATCH', `${POLICIES}/prod`, wrong)).status, 200);
  await until(async () => (await readyOf(kube, 'prod'))?.reason === 'PolicyUnknownField');
  assert.equal((await readyOf(kube, 'prod')).observedGeneration, 2);
  assert.equal(names(), 'prod');
  assert.equal(watched.inForce.current().problem?.code, 'policy.unknown-field');

  await kube.create(POLICIES, policy('second'));
  await until(async () => names() === 'prod,second');
  await kube.ask('DELETE', `${POLICIES}/prod`);
  await kube.ask('DELETE', `${POLICIES}/second`);
  await until(async () => names() === '');
  assert.notEqual(watched.inForce.current().set, null);
});

const REFUSED = [
  { name: 'no images', spec: { images: [] } },
  {
    name: 'an authority of two kinds',
    spec: { authorities: { a: { key: { pem: PEM }, x509: {} } } },
  },
  { name: 'a pattern of two kinds', spec: { images: [{ glob: 'a', exact: 'b' }] } },
  { name: 'a word that is no mode', spec: { mode: 'allow' } },
  { name: 'two requirements in one', spec: { require: { all: [], any: [] } } },
  {
    name: 'a threshold of nothing',
    spec: { require: { signed: { of: ['release'], atLeast: 0 } } },
  },
];

test('pull secrets, the label that opts out, and what the kind itself refuses', async (t) => {
  const kube = await applied(t);
  if (kube === null) return;
  await using _ = kube;
  for (const { name, spec } of REFUSED) {
    const { status } = await kube.ask('POST', POLICIES, policy('wrong', spec));
    assert.equal(status, 422, name);
  }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  await kube.create('/api/v1/namespaces', namespace);
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'pull' },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: {
      '.dockerconfigjson': JSON.stringify({
        auths: { 'registry.example': { username: 'ann', password: 'x' } },
      }),
    },
  };
  await kube.create('/api/v1/namespaces/shop/secrets', secret);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'runner' } };
  const accounts = '/api/v1/namespaces/shop/serviceaccounts';
  await kube.create(accounts, { ...account, imagePullSecrets: [{ name: 'pull' }] });
  const api = await apiOf(kube);
  const pullSecretsOf = openPullSecrets({ api, nowMs: () => performance.now() });
  const pod = { namespace: 'shop', imagePullSecrets: [], serviceAccountName: 'runner' };
  const found = [{ registry: 'registry.example', username: 'ann', password: 'x' }];
  assert.deepEqual(await pullSecretsOf(pod), found);
  // By name alone: the account may not list what there is.
  const listed = await kube.askAs(SERVICE_ACCOUNT, 'GET', '/api/v1/namespaces/shop/secrets');
  assert.equal(listed.status, 403);
  await guardsTheLabel(kube);
  const written = await kube.askAs(SERVICE_ACCOUNT, 'PATCH', `${POLICIES}/prod`, {});
  assert.equal(written.status, 403);
});

/** Whoever may make namespaces, and may not change policies, takes none of them out of sight. */
async function guardsTheLabel(kube: KubeApiServer): Promise<void> {
  const group = 'rbac.authorization.k8s.io';
  const role = { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name: 'dev' } };
  const rules = [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create', 'patch'] }];
  await kube.create(PATHS['ClusterRole'] ?? '', { ...role, rules });
  await kube.create(PATHS['ClusterRoleBinding'] ?? '', {
    ...role,
    kind: 'ClusterRoleBinding',
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'dev' },
    subjects: [{ apiGroup: group, kind: 'User', name: 'dev' }],
  });
  const labels = { 'bulla.dev/admission': 'ignore' };
  const make = (name: string, more: object = {}) =>
    kube.askAs('dev', 'POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, ...more },
    });
  // Rights and the policy hold a moment after they were made.
  await until(async () => (await make('light')).status === 201);
  let count = 0;
  await until(async () => (await make(`dark-${count++}`, { labels })).status === 403);
  const refused = await make('dark', { labels });
  assert.match(refused.body.message, /bulla\.dev\/admission/);
  const patched = await kube.askAs('dev', 'PATCH', '/api/v1/namespaces/shop', {
    metadata: { labels },
  });
  assert.equal(patched.status, 403);
  const { status } = await kube.ask('PATCH', '/api/v1/namespaces/shop', { metadata: { labels } });
  assert.equal(status, 200);
}

test('an authority is rotated, and the API server calls by it all the while', async (t) => {
  const kube = await applied(t);
  if (kube === null) return;
  await using _ = kube;
  const folder = await mkdtemp(join(tmpdir(), 'bulla-webhook-'));
  t.after(() => rm(folder, { recursive: true }));
  const hooks = PATHS['ValidatingWebhookConfiguration'] ?? '';
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  let calls = 0;
  // Says yes to everything: what is shown here is that it is asked, over TLS, by this name.
  const server = createServer({}, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { uid } = JSON.parse(Buffer.concat(chunks).toString()).request;
      calls += 1;
      const answer = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
      response.end(JSON.stringify({ ...answer, response: { uid, allowed: true } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  // The API server of this journey runs beside no cluster network: it calls by a URL.
  const { body: found } = await kube.ask('GET', `${hooks}/bulla`);
  found.webhooks[0].clientConfig = { url: `https://127.0.0.1:${address.port}/` };
  found.webhooks[0].rules = [
    { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
  ];
  assert.equal((await kube.ask('PUT', `${hooks}/bulla`, found)).status, 200);
  let nowMs = 0;
  const api = await apiOf(kube);
  const turnOf = (keyType: 'ecdsa' | 'rsa') =>
    webhookCertificates({
      api,
      namespace: 'bulla-system',
      service: 'bulla',
      names: ['127.0.0.1'],
      secret: 'bulla-webhook-tls',
      keyType,
      carriers: { mutating: ['bulla'], validating: ['bulla'], providers: [] },
      folder,
      clock: () => new Date(),
      nowMs: () => nowMs,
    });
  const served = new Set<string>();
  const called = async (turn: () => Promise<unknown>) => {
    await turn();
    const [cert, key] = [await readFile(files.cert, 'utf8'), await readFile(files.key, 'utf8')];
    served.add(new X509Certificate(cert).issuer);
    server.setSecureContext({ cert, key });
    server.closeAllConnections();
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'x-' } };
    const before = calls;
    // The API server hears of a changed configuration a moment later.
    await until(async () => {
      const { status } = await kube.ask('POST', '/api/v1/namespaces/default/configmaps', map);
      return status === 201 && calls > before;
    });
  };
  await until(async () => (await kube.ask('GET', '/api/v1/namespaces/default')).status === 200);
  await called(turnOf('ecdsa'));
  const bundleOf = async () => {
    const { body } = await kube.ask('GET', `${hooks}/bulla`);
    return Buffer.from(body.webhooks[0].clientConfig.caBundle, 'base64').toString();
  };
  const authorities = async () => (await bundleOf()).match(/BEGIN CERTIFICATE/g)?.length;
  assert.equal(await authorities(), 1);
  // Another kind of keys is a new authority, by the same steps as one that is near its end.
  const next = turnOf('rsa');
  const steps: (number | undefined)[] = [];
  for (let count = 0; count < 4; count++) {
    await called(next);
    steps.push(await authorities());
    nowMs += 61_000;
  }
  // The old one stays while a certificate of it could be served anywhere.
  assert.deepEqual(new Set(steps), new Set([2]));
  assert.equal(served.size, 2);
});

test('the built server keeps its certificates and its policies by the cluster', async (t) => {
  const kube = await applied(t);
  if (kube === null) return;
  await using _ = kube;
  await kube.create(POLICIES, policy('prod'));
  await using stage = await openStage();
  const tls = stage.path('webhook');
  const more = `kubernetes:
  kubeconfig: ${JSON.stringify(kube.kubeconfigOf(SERVICE_ACCOUNT))}
  namespace: bulla-system
  certificates:
    folder: ${JSON.stringify(tls)}
    service: bulla
    names: [127.0.0.1]
    secret: bulla-webhook-tls
    mutating: [bulla]
    validating: [bulla]
    providers: [bulla-verify, bulla-mutate]
admission:
  listen: https://127.0.0.1:0
  certificate: ${JSON.stringify(join(tls, 'tls.crt'))}
  key: ${JSON.stringify(join(tls, 'tls.key'))}
`;
  await using server = await startServe(stage, {
    gateway: '  anonymousPull: false\n',
    policies: [],
    more,
  });
  await until(async () => (await readyOf(kube, 'prod'))?.status === 'True');
  await until(async () => (await fetch(`${server.origin}/readyz`)).status === 200);
  for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
    const { body } = await kube.ask('GET', `${PATHS[kind]}/bulla`);
    const bundle = Buffer.from(body.webhooks[0].clientConfig.caBundle, 'base64').toString();
    const leaf = new X509Certificate(await readFile(join(tls, 'tls.crt')));
    assert.ok(leaf.verify(new X509Certificate(bundle).publicKey));
    assert.ok(leaf.checkHost('bulla.bulla-system.svc'));
  }
});
