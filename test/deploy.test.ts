// The manifests of deploy/: what the API server would refuse, and what would open a door.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parseConfig } from '@bulla/server/config/parse';
import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { problemLine } from '@bulla/trust/bytes/yaml/problem';
import { requirePeer } from './peers.ts';

const ROOT = join(import.meta.dirname, '..');
const run = promisify(execFile);

// biome-ignore lint/suspicious/noExplicitAny: manifests have any shape
type Json = any;

const OPENAPI: Json = JSON.parse(
  readFileSync(join(ROOT, 'vectors/kubernetes/openapi-v1.34.json'), 'utf8'),
);

function documentsOf(bytes: Uint8Array, file: string): readonly Json[] {
  const { documents, problems } = parseYamlDocuments(bytes, file, 'policy.malformed');
  assert.deepEqual(problems.map(problemLine), []);
  return documents.map(plainValue).filter((each) => each !== null);
}

const FILES = globSync('deploy/kubernetes/*.yaml', { cwd: ROOT }).sort();
const MANIFESTS = FILES.flatMap((file) =>
  documentsOf(readFileSync(join(ROOT, file)), file).map((value) => ({ file, value })),
);

function manifest(kind: string, name = 'bulla'): Json {
  const found = MANIFESTS.find(({ value }) => value.kind === kind && value.metadata.name === name);
  assert.ok(found !== undefined, `${kind} ${name}`);
  return found.value;
}

/** What of `value` the schema of Kubernetes does not allow, each with its path. */
function mistakes(schema: Json, value: Json, path: string): readonly string[] {
  const reference: string | undefined = schema.$ref;
  if (reference !== undefined) {
    return mistakes(OPENAPI.definitions[reference.replace('#/definitions/', '')], value, path);
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${path}: ${value}`];
  switch (schema.type) {
    case 'string':
      // A quantity or a port may be a number as well.
      if (typeof value === 'string' || schema.format === 'int-or-string') return [];
      return [`${path}: expected a string`];
    case 'integer':
      return Number.isInteger(value) ? [] : [`${path}: expected a whole number`];
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path}: expected true or false`];
    case 'array':
      if (!Array.isArray(value)) return [`${path}: expected a list`];
      return value.flatMap((each, index) => mistakes(schema.items, each, `${path}[${index}]`));
    default:
      return schema.properties === undefined && schema.additionalProperties === undefined
        ? []
        : memberMistakes(schema, value, path);
  }
}

function memberMistakes(schema: Json, value: Json, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [`${path}: expected a map`];
  const required: readonly string[] = schema.required ?? [];
  const missing = required
    .filter((name) => !(name in value))
    .map((name) => `${path}: lacks ${name}`);
  const found = Object.entries(value).flatMap(([name, each]) => {
    const known = schema.properties?.[name] ?? schema.additionalProperties;
    return known === undefined
      ? [`${path}: has ${name}`]
      : mistakes(known, each, `${path}.${name}`);
  });
  return [...missing, ...found];
}

function schemaOf({ apiVersion, kind }: Json): Json {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const found = Object.values<Json>(OPENAPI.definitions).find((each) =>
    (each['x-kubernetes-group-version-kind'] ?? []).some(
      (one: Json) => one.group === group && one.version === version && one.kind === kind,
    ),
  );
  assert.ok(found !== undefined, `${apiVersion} ${kind} is no kind of Kubernetes`);
  return found;
}

test('every manifest is one that Kubernetes reads', () => {
  assert.ok(MANIFESTS.length >= 20, `${MANIFESTS.length}`);
  for (const { file, value } of MANIFESTS) {
    assert.deepEqual(mistakes(schemaOf(value), value, `${file} ${value.kind}`), []);
  }
});

const WRONG = [
  { name: 'an unknown member', change: (one: Json) => (one.spec.replica = 3) },
  { name: 'a text for a number', change: (one: Json) => (one.spec.replicas = '3') },
  { name: 'a missing member', change: (one: Json) => delete one.spec.selector },
  {
    name: 'an unknown member deep inside',
    change: (one: Json) => (one.spec.template.spec.containers[0].securityContext.readOnly = true),
  },
];

for (const { name, change } of WRONG) {
  test(`a manifest with ${name} is none`, () => {
    const value = structuredClone(manifest('Deployment'));
    change(value);
    assert.equal(mistakes(schemaOf(value), value, 'x').length, 1);
  });
}

const ENVIRONMENT = { BULLA_POSTGRES_URL: 'postgres://bulla:x@db.example/bulla' };

test('the configuration that is deployed is one', () => {
  const text: string = manifest('ConfigMap').data['bulla.yaml'];
  const { config, problems } = parseConfig(Buffer.from(text), '/etc/bulla/bulla.yaml', ENVIRONMENT);
  assert.deepEqual(problems.map(problemLine), []);
  // The certificate that the server keeps is the one that its webhook serves, by the Service's name.
  const kept = config?.kubernetes?.certificates;
  assert.equal(config?.admission?.certificate, `${kept?.folder}/tls.crt`);
  assert.equal(config?.admission?.key, `${kept?.folder}/tls.key`);
  for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
    const { metadata, webhooks } = manifest(kind);
    const names = kind.startsWith('Mutating') ? kept?.mutating : kept?.validating;
    assert.deepEqual(names, [metadata.name]);
    assert.equal(webhooks[0].clientConfig.service.name, kept?.service);
  }
  assert.equal(manifest('Secret', 'bulla-webhook-tls').metadata.name, kept?.secret);
});

const REGISTERED = [
  ['', 'pods', 'CREATE UPDATE'],
  ['', 'podtemplates', 'CREATE UPDATE'],
  ['', 'replicationcontrollers', 'CREATE UPDATE'],
  ['', 'pods/ephemeralcontainers', 'UPDATE'],
  ['apps', 'daemonsets', 'CREATE UPDATE'],
  ['apps', 'deployments', 'CREATE UPDATE'],
  ['apps', 'replicasets', 'CREATE UPDATE'],
  ['apps', 'statefulsets', 'CREATE UPDATE'],
  ['batch', 'cronjobs', 'CREATE UPDATE'],
  ['batch', 'jobs', 'CREATE UPDATE'],
];

for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
  test(`${kind}: everything that brings an image is registered, closed, and nothing else`, () => {
    const { webhooks } = manifest(kind);
    assert.equal(webhooks.length, 1);
    const [webhook] = webhooks;
    const rules = webhook.rules.flatMap(({ apiGroups, resources, operations, scope }: Json) => {
      assert.equal(scope, 'Namespaced');
      return resources.map((each: string) => [apiGroups.join(), each, operations.join(' ')]);
    });
    assert.deepEqual(rules, REGISTERED);
    assert.equal(webhook.failurePolicy, 'Fail');
    assert.equal(webhook.sideEffects, 'NoneOnDryRun');
    assert.equal(webhook.matchPolicy, 'Equivalent');
    assert.ok(webhook.timeoutSeconds <= 30);
    assert.equal(webhook.reinvocationPolicy, kind.startsWith('Mutating') ? 'IfNeeded' : undefined);
    // Whoever makes a Pod sets its labels: they must not decide whether it is looked at.
    assert.equal(webhook.objectSelector, undefined);
    assert.equal(webhook.matchConditions, undefined);
    // Its own namespace by its name, the label that webhook-guard.yaml keeps, and nothing else.
    const own = manifest('Namespace', 'bulla-system').metadata.name;
    assert.deepEqual(structuredClone(webhook.namespaceSelector), {
      matchExpressions: [
        { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [own] },
        { key: 'bulla.dev/admission', operator: 'NotIn', values: ['ignore'] },
      ],
    });
  });
}

test('a node that goes, or is drained, leaves enough servers, and other Pods go first', () => {
  const { spec } = manifest('Deployment');
  const { labels } = spec.template.metadata;
  assert.equal(spec.replicas, 3);
  assert.equal(spec.strategy.rollingUpdate.maxUnavailable, 0);
  const { spec: budget } = manifest('PodDisruptionBudget');
  assert.equal(budget.maxUnavailable, 1);
  const [apart] =
    spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution;
  assert.equal(apart.podAffinityTerm.topologyKey, 'kubernetes.io/hostname');
  // Each of them means these Pods: a selector that meets none would guard nothing.
  for (const selector of [
    spec.selector.matchLabels,
    budget.selector.matchLabels,
    apart.podAffinityTerm.labelSelector.matchLabels,
    manifest('Service').spec.selector,
  ]) {
    assert.ok(Object.keys(selector).length > 0);
    assert.deepEqual({ ...labels, ...selector }, { ...labels });
  }
  const priority = manifest('PriorityClass', spec.template.spec.priorityClassName);
  assert.ok(priority.value > 0);
});

test('no role has more than it needs', () => {
  const roles = MANIFESTS.map(({ value }) => value).filter(({ kind }) => /Role$/.test(kind));
  assert.ok(roles.length >= 3);
  for (const { rules } of roles) {
    for (const { apiGroups, resources, verbs, resourceNames } of rules) {
      assert.ok(![...apiGroups, ...resources, ...verbs].includes('*'));
      const written = verbs.filter((verb: string) => !['get', 'list', 'watch'].includes(verb));
      const isStatus = resources.every((each: string) => each.endsWith('/status'));
      if (written.length > 0 && !isStatus) assert.ok(resourceNames?.length > 0, `${resources}`);
      if (resources.includes('secrets'))
        assert.ok(!verbs.some((verb: string) => /list|watch/.test(verb)));
    }
  }
});

test('a Pod of the Deployment has no rights on its node', () => {
  const { spec } = manifest('Deployment').spec.template;
  assert.equal(spec.securityContext.runAsNonRoot, true);
  assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault');
  for (const { securityContext } of spec.containers) {
    assert.equal(securityContext.allowPrivilegeEscalation, false);
    assert.equal(securityContext.readOnlyRootFilesystem, true);
    assert.deepEqual(securityContext.capabilities.drop, ['ALL']);
  }
  assert.deepEqual(
    [spec.hostNetwork, spec.hostPID, spec.hostIPC],
    [undefined, undefined, undefined],
  );
});

test('the chart renders to the plain manifests', async (t) => {
  const helm = requirePeer(t, 'helm');
  if (helm === null) return;
  const render = async (...more: string[]) => {
    const given = ['--namespace', 'bulla-system', '--kube-version', '1.34.0', '--include-crds'];
    const args = ['template', 'bulla', join(ROOT, 'deploy/helm/bulla'), ...given, ...more];
    const { stdout } = await run(helm, args, { maxBuffer: 1 << 26 });
    return documentsOf(Buffer.from(stdout), 'helm');
  };
  const sorted = (all: readonly Json[]) =>
    all
      .filter(({ kind }) => kind !== 'Namespace')
      .map((each) => {
        const text = each.data?.['bulla.yaml'];
        // A block of text ends with as many line feeds as its template left.
        return text === undefined ? each : { ...each, data: { 'bulla.yaml': text.trimEnd() } };
      })
      .map((each) => ({ id: `${each.kind} ${each.metadata.name}`, each }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(sorted(await render()), sorted(MANIFESTS.map(({ value }) => value)));
  const values = [
    'certificates.secret=mine',
    'certificates.injectCaFrom=a/b',
    'objects.create=false',
  ];
  const others = await render(...values.flatMap((value) => ['--set', value]));
  for (const value of others) assert.deepEqual(mistakes(schemaOf(value), value, value.kind), []);
  const given = others.find(({ kind }) => kind === 'ConfigMap').data['bulla.yaml'];
  const read = parseConfig(Buffer.from(given), '/etc/bulla/bulla.yaml', ENVIRONMENT);
  assert.deepEqual(read.problems.map(problemLine), []);
  assert.equal(read.config?.kubernetes?.certificates, null);
  const webhook = others.find(({ kind }) => kind === 'MutatingWebhookConfiguration');
  assert.deepEqual(
    { ...webhook.metadata.annotations },
    { 'cert-manager.io/inject-ca-from': 'a/b' },
  );
  assert.ok(!others.some(({ kind }) => kind === 'PersistentVolumeClaim'));
  const early = await render('--set', 'webhook.enabled=false');
  assert.ok(!early.some(({ kind }) => kind.endsWith('WebhookConfiguration')));
  for (const wrong of [
    'webhok.enabled=false',
    'webhook.enable=false',
    'webhook.timeoutSeconds=31',
  ]) {
    await assert.rejects(render('--set', wrong), /values don't meet the specifications/, wrong);
  }
});
