// The webhook before a real API server: what it lets in, changes and refuses, of every kind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOST, openFortress, sign } from '../packages/server/test/attacks/fortress.ts';
import { ownerOf } from '../packages/server/test/attacks/owner.ts';
import { mint, pemFolder } from '../packages/server/test/http/tls/mint.ts';
import { type KubeApiServer, startKubeApiServer } from './kube-apiserver.ts';

const APP = `${HOST}/app:1`;
const BAD = `${HOST}/app:unsigned`;
const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';
const IN = '/namespaces/shop';

// biome-ignore lint/suspicious/noExplicitAny: objects have any shape
type Json = any;

const RULES = [
  { group: '', resources: ['pods', 'podtemplates', 'replicationcontrollers'] },
  { group: '', resources: ['pods/ephemeralcontainers'] },
  { group: 'apps', resources: ['daemonsets', 'deployments', 'replicasets', 'statefulsets'] },
  { group: 'batch', resources: ['cronjobs', 'jobs'] },
].map(({ group, resources }) => ({
  apiGroups: [group],
  apiVersions: ['*'],
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  resources,
}));

/** Has the API server call both paths of the webhook, and waits until it does. */
async function register(kube: KubeApiServer, origin: string, caBundle: string): Promise<void> {
  const hook = (path: string, more: object = {}) => ({
    name: `${path}.bulla.dev`,
    clientConfig: {
      url: `${origin}/admission/${path}`,
      caBundle: Buffer.from(caBundle).toString('base64'),
    },
    rules: RULES,
    failurePolicy: 'Fail',
    sideEffects: 'NoneOnDryRun',
    admissionReviewVersions: ['v1'],
    timeoutSeconds: 15,
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
    ...more,
  });
  const named = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: 'bulla' } };
  await kube.create(`${REGISTRATION}/mutatingwebhookconfigurations`, {
    ...named,
    kind: 'MutatingWebhookConfiguration',
    webhooks: [hook('mutate', { reinvocationPolicy: 'IfNeeded' })],
  });
  await kube.create(`${REGISTRATION}/validatingwebhookconfigurations`, {
    ...named,
    kind: 'ValidatingWebhookConfiguration',
    webhooks: [hook('validate')],
  });
  const probe = podOf('probe', { containers: [{ name: 'a', image: BAD }] });
  for (let waited = 0; waited < 30_000; waited += 200) {
    const path = `/api/v1${IN}/pods?dryRun=All`;
    if ((await kube.ask('POST', path, probe)).status === 403) return;
    await sleep(200);
  }
  assert.fail('the API server did not begin to ask');
}

function podOf(name: string, spec: Json): Json {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec };
}

const SELECTED = { metadata: { labels: { app: 'web' } } };
const selector = { matchLabels: { app: 'web' } };

/** Objects of each kind around the specification of a Pod. */
const KINDS: readonly {
  readonly kind: string;
  readonly path: string;
  readonly of: (spec: Json) => Json;
  readonly specOf: (object: Json) => Json;
  readonly restart?: string;
}[] = [
  { kind: 'Pod', path: `/api/v1${IN}/pods`, of: (spec) => ({ spec }), specOf: (o) => o.spec },
  {
    kind: 'PodTemplate',
    path: `/api/v1${IN}/podtemplates`,
    of: (spec) => ({ template: { ...SELECTED, spec } }),
    specOf: (o) => o.template.spec,
  },
  {
    kind: 'ReplicationController',
    path: `/api/v1${IN}/replicationcontrollers`,
    of: (spec) => ({ spec: { selector: { app: 'web' }, template: { ...SELECTED, spec } } }),
    specOf: (o) => o.spec.template.spec,
  },
  ...(['ReplicaSet', 'Deployment', 'DaemonSet', 'StatefulSet'] as const).map((kind) => ({
    kind,
    path: `/apis/apps/v1${IN}/${kind.toLowerCase()}s`,
    of: (spec: Json) => ({
      spec: {
        selector,
        template: { ...SELECTED, spec },
        ...(kind === 'StatefulSet' ? { serviceName: 'web' } : {}),
      },
    }),
    specOf: (o: Json) => o.spec.template.spec,
  })),
  {
    kind: 'Job',
    path: `/apis/batch/v1${IN}/jobs`,
    of: (spec) => ({ spec: { template: { spec } } }),
    specOf: (o) => o.spec.template.spec,
    restart: 'Never',
  },
  {
    kind: 'CronJob',
    path: `/apis/batch/v1${IN}/cronjobs`,
    of: (spec) => ({
      spec: { schedule: '@daily', jobTemplate: { spec: { template: { spec } } } },
    }),
    specOf: (o) => o.spec.jobTemplate.spec.template.spec,
    restart: 'Never',
  },
];

function apiVersionOf(path: string): string {
  return path.startsWith('/api/v1') ? 'v1' : path.split('/').slice(2, 4).join('/');
}

test('a real API server: every kind, updates, subresources, dry runs, deletion', async (t) => {
  const kube = await startKubeApiServer(t);
  if (kube === null) return;
  await using _ = kube;
  await using folder = await pemFolder();
  const authority = mint('webhook authority');
  const leaf = mint('webhook', { by: authority, purpose: 'server' });
  const admission = {
    listen: 'https://127.0.0.1:0',
    certificate: await folder.write('tls.crt', leaf.certificate),
    key: await folder.write('tls.key', leaf.key),
    clientCa: null,
    cluster: 'journey',
    pin: 'tag-and-digest',
    nodesPullThrough: false,
    namespaces: null,
    exempt: [],
    kinds: [],
    marginMs: 500,
    maxBodyBytes: 8 << 20,
    denials: 'bulla',
  } as const;
  await using fortress = await openFortress({ more: { admission } });
  const owner = await ownerOf(fortress);
  await fortress.image('app', '1');
  await fortress.image('app', 'unsigned');
  const token = await owner.makeToken('release', 'app', ['pull', 'push', 'sign']);
  await sign(new URL(fortress.origin).host, 'app:1', fortress.key, token);
  await kube.create('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
  });
  await kube.create(`/api/v1${IN}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  });
  await register(kube, fortress.server.admission ?? '', authority.certificate);

  for (const { kind, path, of, specOf, restart } of KINDS) {
    await t.test(`${kind}: pinned where it is signed, refused where it is not`, async () => {
      const object = (image: string) => ({
        apiVersion: apiVersionOf(path),
        kind,
        metadata: { name: 'web', annotations: { mine: 'stays' } },
        ...of({
          containers: [{ name: 'web', image }],
          initContainers: [
            { name: 'setup', image },
            { name: 'proxy', image, ...(restart === undefined ? { restartPolicy: 'Always' } : {}) },
          ],
          volumes: [{ name: 'model', image: { reference: image } }],
          ...(restart === undefined ? {} : { restartPolicy: restart }),
        }),
      });
      const dry = await kube.ask('POST', `${path}?dryRun=All`, object(APP));
      assert.equal(dry.status, 201, JSON.stringify(dry.body));
      const refused = await kube.ask('POST', path, object(BAD));
      assert.equal(refused.status, 403, JSON.stringify(refused.body));
      assert.match(refused.body.message, /admission webhook "validate\.bulla\.dev" denied/);
      assert.match(refused.body.message, /signature\.none/);
      assert.equal(refused.body.reason, 'Forbidden');
      const { status, body } = await kube.ask('POST', path, object(APP));
      assert.equal(status, 201, JSON.stringify(body));
      const spec = specOf(body);
      const written = [
        spec.containers[0].image,
        ...spec.initContainers.map(({ image }: Json) => image),
        ...(spec.volumes ?? []).flatMap((one: Json) => (one.image ? [one.image.reference] : [])),
      ];
      assert.ok(written.length >= 3);
      for (const image of written) assert.match(image, /^registry\.example\/app:1@sha256:/);
      const { annotations } = body.metadata;
      assert.deepEqual(
        [annotations.mine, annotations['original-image.bulla.dev/web']],
        ['stays', APP],
      );
    });
  }

  await t.test('an ephemeral container is judged through its subresource', async () => {
    const path = `/api/v1${IN}/pods/web`;
    const { body } = await kube.ask('GET', path);
    const debug = (image: string) => ({
      ...body,
      spec: { ...body.spec, ephemeralContainers: [{ name: 'debug', image }] },
    });
    const refused = await kube.ask('PUT', `${path}/ephemeralcontainers`, debug(BAD));
    assert.equal(refused.status, 403, JSON.stringify(refused.body));
    assert.match(refused.body.message, /ephemeral container debug/);
    const added = await kube.ask('PUT', `${path}/ephemeralcontainers`, debug(APP));
    assert.equal(added.status, 200, JSON.stringify(added.body));
    assert.match(added.body.spec.ephemeralContainers[0].image, /@sha256:/);
  });

  await t.test('an update is judged when it brings an image, and recorded when not', async () => {
    const path = `/apis/apps/v1${IN}/deployments/web`;
    const patch = (body: Json) => kube.ask('PATCH', path, body);
    const scaled = await patch({ spec: { replicas: 0 } });
    assert.equal(scaled.status, 200, JSON.stringify(scaled.body));
    const smuggled = await patch({
      spec: {
        replicas: 0,
        template: { spec: { containers: [{ name: 'web', image: BAD }] } },
      },
    });
    assert.equal(smuggled.status, 403);
    const { decisions } = await owner.ask('GET', '/decisions?limit=200');
    const [unjudged] = decisions.filter(({ policies }: Json) => policies.length === 0);
    const { finding, actor } = await owner.ask('GET', `/decisions/${unjudged.id}`);
    assert.deepEqual(
      [finding.check, finding.outcome, actor.id],
      ['admission.unchanged', 'skipped', 'kubernetes:test-admin'],
    );
  });

  await t.test('what a dry run was told stands nowhere, and deletion is not held up', async () => {
    const count = async () => (await owner.ask('GET', '/decisions?limit=200')).decisions.length;
    const before = await count();
    const other = podOf('dry', { containers: [{ name: 'a', image: BAD }] });
    const dry = await kube.ask('POST', `/api/v1${IN}/pods?dryRun=All`, other);
    assert.equal(dry.status, 403);
    assert.equal(await count(), before);
    const gone = await kube.ask('DELETE', `/apis/apps/v1${IN}/deployments/web`);
    assert.equal(gone.status, 200, JSON.stringify(gone.body));
  });

  await t.test('with the webhook gone nothing comes in', async () => {
    await fortress.server.close();
    const object = podOf('late', { containers: [{ name: 'a', image: APP }] });
    const { status, body } = await kube.ask('POST', `/api/v1${IN}/pods`, object);
    assert.equal(status, 500, JSON.stringify(body));
    assert.ok(body.message.includes('failed calling webhook'));
  });
});
