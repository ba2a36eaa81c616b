// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Dockerfiles and Compose files
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { manifestImages } from '@bulla/trust/images/manifest-file';
import fc from 'fast-check';

const KINDS: readonly (readonly [string, string])[] = [
  ['Pod', 'spec'],
  ['PodTemplate', 'template.spec'],
  ['ReplicationController', 'spec.template.spec'],
  ['ReplicaSet', 'spec.template.spec'],
  ['Deployment', 'spec.template.spec'],
  ['StatefulSet', 'spec.template.spec'],
  ['DaemonSet', 'spec.template.spec'],
  ['Job', 'spec.template.spec'],
  ['CronJob', 'spec.jobTemplate.spec.template.spec'],
];

const POD = {
  initContainers: [
    { name: 'i', image: 'init:1' },
    { name: 's', image: 'sidecar:1', restartPolicy: 'Always' },
  ],
  containers: [{ name: 'c', image: 'app:1' }, { name: 'blank' }],
  ephemeralContainers: [{ name: 'e', image: 'debug:1' }],
  volumes: [
    { name: 'v', image: { reference: 'data:1' } },
    { name: 'w', emptyDir: {} },
  ],
};
const POD_IMAGES = ['init:1', 'sidecar:1', 'app:1', 'debug:1', 'data:1'];

function object(kind: string, path: string): object {
  const inner = path
    .split('.')
    .reverse()
    .reduce<object>((below, name) => ({ [name]: below }), POD);
  return { apiVersion: 'v1', kind, metadata: { name: 'x' }, ...inner };
}

const values = (name: string) => ({ TAG: '7', EMPTY: '' })[name];
const references = (text: string) =>
  manifestImages(text, 'f.yaml', values).images.map(({ reference }) => reference);

describe('images of a Kubernetes file', () => {
  for (const [kind, path] of KINDS) {
    test(`${kind}: every container and image volume`, () => {
      assert.deepEqual(references(JSON.stringify(object(kind, path))), POD_IMAGES);
    });
    test(`${kind} in a List, and in one of its kind that leaves the kind out`, () => {
      const item = object(kind, path);
      const { kind: _, ...bare } = { ...item, kind };
      const list = JSON.stringify({ kind: 'List', items: [item] });
      const typed = JSON.stringify({ kind: `${kind}List`, items: [bare] });
      assert.deepEqual(references(list), POD_IMAGES);
      assert.deepEqual(references(typed), POD_IMAGES);
    });
  }

  test('several documents, and where each image stands', () => {
    const text =
      'kind: Pod\nmetadata: { name: a }\nspec: { containers: [{ image: x }] }\n---\n---\nkind: ConfigMap\n';
    const { images, notes } = manifestImages(text, 'f.yaml', values);
    assert.deepEqual(images, [{ reference: 'x', where: 'Pod a: spec.containers[0].image' }]);
    assert.deepEqual(notes, []);
  });

  test('of a kind that is not known, the containers of its Pods', () => {
    const pod = { template: { spec: POD } };
    const item = { kind: 'Rollout', metadata: { name: 'x' }, spec: pod };
    const found = manifestImages(JSON.stringify(item), 'f.yaml', values);
    assert.deepEqual(
      found.images.map(({ reference }) => reference),
      POD_IMAGES,
    );
    assert.equal(found.images[0]?.where, 'Rollout x: spec.template.spec.initContainers[0].image');
    assert.deepEqual(found.notes, []);
    assert.deepEqual(references(JSON.stringify({ kind: 'Pods', list: [item, pod] })), [
      ...POD_IMAGES,
      ...POD_IMAGES,
    ]);
  });

  test('a kind that is not known and seems to hold other images is noted', () => {
    const text = 'kind: Prometheus\nspec: { image: x, containers: [{ name: y }] }\n';
    assert.equal(manifestImages(text, 'f.yaml', values).notes.length, 1);
  });
});

const compose: readonly {
  readonly name: string;
  readonly text: string;
  readonly images: readonly string[];
  readonly notes?: number;
}[] = [
  {
    name: 'services',
    text: 'services: { a: { image: nginx }, b: { image: "redis:7" } }',
    images: ['nginx', 'redis:7'],
  },
  {
    name: 'variables',
    text: 'services: { a: { image: "app:${TAG}" }, b: { image: "app:${NONE:-1}" } }',
    images: ['app:7', 'app:1'],
  },
  {
    name: 'a service that is built and never pulled',
    text: 'services: { a: { build: ., image: mine, pull_policy: build }, b: { build: ., image: x, pull_policy: never } }',
    images: [],
    notes: 2,
  },
  {
    name: 'a service that is built where its image cannot be pulled',
    text: 'services: { a: { build: ., image: mine } }',
    images: ['mine'],
    notes: 1,
  },
  {
    name: 'a build from a cache',
    text: 'services: { a: { build: { cache_from: [evil.example/x] } } }',
    images: [],
    notes: 2,
  },
  {
    name: 'a merge behind a key, which it does not change',
    text: 'x: &x { image: "b:1" }\nservices: { s: { image: "a:1", <<: *x } }',
    images: ['a:1'],
  },
  {
    name: 'aliases and merged mappings',
    text: 'x: &x { image: "a:1" }\nservices: { s: { <<: *x } }',
    images: ['a:1'],
  },
  {
    name: 'an image volume',
    text: 'services: { a: { image: b, volumes: ["./x:/x", { type: image, source: "c:1", target: /c }] } }',
    images: ['b', 'c:1'],
  },
  {
    name: 'a service that may be pulled although it is built',
    text: 'services: { a: { build: ., image: mine, pull_policy: always } }',
    images: ['mine'],
    notes: 1,
  },
  {
    name: 'a service whose build is nothing',
    text: 'services: { a: { build: , image: mine } }',
    images: ['mine'],
  },
  {
    name: 'images that are contexts of a build',
    text: 'services: { a: { build: { additional_contexts: { x: "docker-image://x:1", y: ./y } } }, b: { build: { additional_contexts: ["z=docker-image://z:${TAG}"] } } }',
    images: ['x:1', 'z:7'],
    notes: 2,
  },
  {
    name: 'a service that extends another one of the file',
    text: 'services: { a: { image: b }, c: { extends: { service: a } } }',
    images: ['b'],
  },
];

describe('images of a Compose file', () => {
  for (const { name, text, images, notes = 0 } of compose) {
    test(name, () => {
      const found = manifestImages(text, 'compose.yaml', values);
      assert.deepEqual(
        found.images.map(({ reference }) => reference),
        images,
      );
      assert.equal(found.notes.length, notes);
    });
  }
});

const bomb = `a: &a [1]\n${Array.from(
  { length: 12 },
  (_, n) =>
    `b${n}: &b${n} [${Array(9)
      .fill(n === 0 ? '*a' : `*b${n - 1}`)
      .join(',')}]`,
).join('\n')}\nservices: {}`;

const refused: readonly { readonly name: string; readonly text: string; readonly code: string }[] =
  [
    { name: 'what is no YAML', text: 'kind: [', code: 'images.manifest-malformed' },
    {
      name: 'a key that stands twice',
      text: 'kind: Pod\nkind: Pod\n',
      code: 'images.manifest-malformed',
    },
    {
      name: 'an image that is no text',
      text: 'kind: Pod\nspec: { containers: [{ image: 7 }] }',
      code: 'images.manifest-malformed',
    },
    {
      name: 'an image that is empty',
      text: 'kind: Pod\nspec: { containers: [{ image: " " }] }',
      code: 'images.manifest-malformed',
    },
    {
      name: 'containers that are no list',
      text: 'kind: Pod\nspec: { containers: { image: x } }',
      code: 'images.manifest-malformed',
    },
    {
      name: 'a variable without a value',
      text: 'services: { a: { image: "app:${NONE}" } }',
      code: 'images.variable-unset',
    },
    {
      name: 'services of another file',
      text: 'include: [other.yaml]\nservices: { a: { image: b } }',
      code: 'images.manifest-malformed',
    },
    {
      name: 'a service that extends one of another file',
      text: 'services: { a: { image: b }, c: { extends: { file: other.yaml, service: d } } }',
      code: 'images.manifest-malformed',
    },
    {
      name: 'a Dockerfile within',
      text: 'services: { a: { build: { dockerfile_inline: "FROM evil" } } }',
      code: 'images.manifest-malformed',
    },
    {
      name: 'a value that a tag makes another one of',
      text: 'kind: Pod\nspec: { containers: [{ image: !!binary bmdpbng }] }',
      code: 'images.manifest-malformed',
    },
    { name: 'a bomb of aliases', text: bomb, code: 'images.manifest-malformed' },
  ];

describe('a file that cannot be read', () => {
  for (const { name, text, code } of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(() => manifestImages(text, 'f.yaml', values), { code });
    });
  }
  test('no input throws anything but TrustFault', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        try {
          manifestImages(text, 'f.yaml', values);
        } catch (error) {
          assert.ok(error instanceof TrustFault);
        }
      }),
    );
  });
});
