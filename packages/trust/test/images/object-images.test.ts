import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '@bulla/trust/fault/fault';
import { parseFieldPath, writePointer } from '@bulla/trust/images/field-path';
import { type ImageFields, inventoryObject } from '@bulla/trust/images/object-images';

const POD = {
  initContainers: [
    { name: 'setup', image: 'init:1' },
    { name: 'proxy', image: 'sidecar:1', restartPolicy: 'Always' },
  ],
  containers: [{ name: 'web', image: 'web:1' }],
  ephemeralContainers: [{ name: 'debug', image: 'debug:1' }],
  volumes: [
    { name: 'data', emptyDir: {} },
    { name: 'model', image: { reference: 'model:1' } },
  ],
  imagePullSecrets: [{ name: 'pull' }, {}],
  serviceAccountName: 'builder',
};

const EXPECTED = [
  ['init', 'setup', '/initContainers/0/image', 'init:1'],
  ['init', 'proxy', '/initContainers/1/image', 'sidecar:1'],
  ['container', 'web', '/containers/0/image', 'web:1'],
  ['ephemeral', 'debug', '/ephemeralContainers/0/image', 'debug:1'],
  ['volume', 'model', '/volumes/1/image/reference', 'model:1'],
] as const;

const KINDS: readonly {
  readonly apiVersion: string;
  readonly kind: string;
  readonly at: string;
}[] = [
  { apiVersion: 'v1', kind: 'Pod', at: '/spec' },
  { apiVersion: 'v1', kind: 'PodTemplate', at: '/template/spec' },
  { apiVersion: 'v1', kind: 'ReplicationController', at: '/spec/template/spec' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', at: '/spec/template/spec' },
  { apiVersion: 'apps/v1', kind: 'Deployment', at: '/spec/template/spec' },
  { apiVersion: 'extensions/v1beta1', kind: 'Deployment', at: '/spec/template/spec' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', at: '/spec/template/spec' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', at: '/spec/template/spec' },
  { apiVersion: 'batch/v1', kind: 'Job', at: '/spec/template/spec' },
  { apiVersion: 'batch/v1', kind: 'CronJob', at: '/spec/jobTemplate/spec/template/spec' },
];

function nest(pointer: string, value: unknown): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduceRight<unknown>((inner, member) => ({ [member]: inner }), value);
}

for (const { apiVersion, kind, at } of KINDS) {
  test(`every image of ${apiVersion} ${kind}, with its pointer`, () => {
    const { images, pods, known } = inventoryObject(nest(at, POD), apiVersion, kind);
    assert.deepEqual(
      images.map(({ place, name, path, reference }) => [
        place,
        name,
        writePointer(path),
        reference,
      ]),
      EXPECTED.map(([place, name, pointer, reference]) => [place, name, at + pointer, reference]),
    );
    assert.deepEqual(pods, [{ pullSecrets: ['pull'], serviceAccount: 'builder' }]);
    assert.equal(known, true);
  });
}

test('a place without an image is there, and names none', () => {
  const spec = { containers: [{ name: 'a' }, { image: '' }], volumes: [{ name: 'v', image: {} }] };
  const { images } = inventoryObject({ spec }, 'v1', 'Pod');
  assert.deepEqual(
    images.map(({ place, reference }) => [place, reference]),
    [
      ['container', null],
      ['container', ''],
      ['volume', null],
    ],
  );
});

const MALFORMED: readonly { readonly name: string; readonly spec: unknown }[] = [
  { name: 'an image that is a number', spec: { containers: [{ image: 5 }] } },
  { name: 'an image that is an object', spec: { initContainers: [{ image: {} }] } },
  { name: 'containers that are an object', spec: { containers: { 0: { image: 'a' } } } },
  { name: 'volumes that are text', spec: { volumes: 'a' } },
  { name: 'a volume whose reference is a list', spec: { volumes: [{ image: { reference: [] } }] } },
  { name: 'pull secrets that are no list', spec: { imagePullSecrets: { name: 'a' } } },
];

for (const { name, spec } of MALFORMED) {
  test(`${name} is images.manifest-malformed`, () => {
    assert.throws(
      () => inventoryObject({ spec }, 'v1', 'Pod'),
      (error) => hasCode(error, 'images.manifest-malformed'),
    );
  });
}

const FIELDS: readonly ImageFields[] = [
  {
    group: 'argoproj.io',
    kind: 'Rollout',
    podTemplates: [parseFieldPath('spec.template')],
    images: [],
  },
  {
    group: 'tekton.dev',
    kind: 'Task',
    podTemplates: [],
    images: [
      parseFieldPath('spec.steps[*].image'),
      parseFieldPath('spec.sidecars[*].image'),
      parseFieldPath('spec.stepTemplate.image'),
    ],
  },
];

test('a configured kind has its Pod template where the configuration says', () => {
  const rollout = { spec: { template: { spec: POD } } };
  const { images, pods, known } = inventoryObject(
    rollout,
    'argoproj.io/v1alpha1',
    'Rollout',
    FIELDS,
  );
  assert.deepEqual(
    images.map(({ path }) => writePointer(path)),
    EXPECTED.map(([, , pointer]) => `/spec/template/spec${pointer}`),
  );
  assert.deepEqual([pods.length, known], [1, true]);
});

test('a configured kind has images in every place that a pattern leads to', () => {
  const task = {
    spec: { steps: [{ image: 'a' }, {}, { image: 'b' }], stepTemplate: { image: 'c' } },
  };
  const { images, pods } = inventoryObject(task, 'tekton.dev/v1', 'Task', FIELDS);
  assert.deepEqual(
    images.map(({ place, path, reference }) => [place, writePointer(path), reference]),
    [
      ['field', '/spec/steps/0/image', 'a'],
      ['field', '/spec/steps/2/image', 'b'],
      ['field', '/spec/stepTemplate/image', 'c'],
    ],
  );
  assert.deepEqual(pods, []);
});

test('where a pattern meets another shape, nothing is passed over', () => {
  for (const spec of [{ steps: {} }, { steps: ['a'] }, { steps: [{ image: 1 }] }, []]) {
    assert.throws(
      () => inventoryObject({ spec }, 'tekton.dev/v1', 'Task', FIELDS),
      (error) => hasCode(error, 'images.manifest-malformed'),
      JSON.stringify(spec),
    );
  }
});

test('a kind of the same name in another group is not known, and its Pods are found by their form', () => {
  const job = { spec: { tasks: [{ template: { spec: POD } }] } };
  const found = inventoryObject(job, 'batch.volcano.sh/v1alpha1', 'Job', FIELDS);
  assert.deepEqual(
    found.images.map(({ path }) => writePointer(path)),
    EXPECTED.map(([, , pointer]) => `/spec/tasks/0/template/spec${pointer}`),
  );
  assert.deepEqual([found.known, found.unread], [false, false]);
  assert.equal(inventoryObject({ spec: { image: 'a' } }, 'x.example/v1', 'X').unread, true);
});

for (const text of [
  '',
  '.',
  'spec.',
  'spec..image',
  'spec[0]',
  'spec[*',
  '*.image',
  'a'.repeat(300),
]) {
  test(`the path ${JSON.stringify(text.slice(0, 20))} is usage.invalid`, () => {
    assert.throws(
      () => parseFieldPath(text),
      (error) => hasCode(error, 'usage.invalid'),
    );
  });
}

test('pointers escape what RFC 6901 gives a meaning', () => {
  assert.equal(writePointer(['a/b', 'c~d', 0]), '/a~1b/c~0d/0');
});
