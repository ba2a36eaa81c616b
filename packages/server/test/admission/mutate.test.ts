import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFieldPath } from '@bulla/trust/images/field-path';
import { applyPatch } from './json-patch.ts';
import { deployment, type KubeObject, objectOf, pod } from './reviews.ts';
import { digestOf, type ImageFacts, openWorld } from './world.ts';

const TAG = 'registry.example/app:1';
const DIGEST = digestOf(TAG);

const MODES: readonly {
  readonly name: string;
  readonly image: string;
  readonly pin?: 'tag-and-digest' | 'digest' | 'none';
  readonly facts?: ImageFacts;
  readonly expect: string | null;
}[] = [
  { name: 'a tag', image: TAG, expect: `${TAG}@${DIGEST}` },
  {
    name: 'a tag, digests alone',
    image: TAG,
    pin: 'digest',
    expect: `registry.example/app@${DIGEST}`,
  },
  { name: 'a tag, and nothing is to be patched', image: TAG, pin: 'none', expect: null },
  {
    name: 'no tag, digests alone',
    image: 'registry.example:5000/app',
    pin: 'digest',
    expect: `registry.example:5000/app@${digestOf('registry.example:5000/app')}`,
  },
  { name: 'a short name stays as written', image: 'nginx', expect: `nginx@${digestOf('nginx')}` },
  { name: 'a tag and a digest', image: `${TAG}@${DIGEST}`, expect: null },
  {
    name: 'a tag and a digest, digests alone',
    image: `${TAG}@${DIGEST}`,
    pin: 'digest',
    expect: null,
  },
  { name: 'what is refused', image: TAG, facts: { outcome: 'deny' }, expect: null },
  { name: 'what the policy leaves', image: TAG, facts: { tags: 'leave' }, expect: null },
  {
    name: 'what the policy would refuse by tag',
    image: TAG,
    facts: { tags: 'refuse' },
    expect: `${TAG}@${DIGEST}`,
  },
  {
    name: 'what a policy warns of',
    image: TAG,
    facts: { outcome: 'deny', mode: 'warn' },
    expect: `${TAG}@${DIGEST}`,
  },
  { name: 'no image', image: '', expect: null },
];

for (const { name, image, pin = 'tag-and-digest', facts = {}, expect } of MODES) {
  test(`mutate: ${name}`, async () => {
    const world = await openWorld({ images: { [TAG]: facts }, config: { pin } });
    const { patch, denial } = await world.mutate({ object: pod([image]) });
    assert.equal(denial, null);
    const [first] = patch;
    if (expect === null) assert.deepEqual(patch, []);
    else
      assert.deepEqual(first, { op: 'replace', path: '/spec/containers/0/image', value: expect });
  });
}

test('the annotation says what was written, beside those that are there, and only where something was pinned', async () => {
  const world = await openWorld();
  const bare = applyPatch(
    pod([TAG]),
    (await world.mutate({ object: pod([TAG]) })).patch,
  ) as KubeObject;
  assert.deepEqual(bare['metadata'], {
    name: 'web',
    annotations: { 'original-image.bulla.dev/c0': TAG },
  });
  const object = pod([TAG], { annotations: { 'a/b': 'c' } });
  const beside = applyPatch(object, (await world.mutate({ object })).patch) as KubeObject;
  assert.deepEqual((beside['metadata'] as KubeObject)['annotations'], {
    'a/b': 'c',
    'original-image.bulla.dev/c0': TAG,
  });
  const none = pod([TAG], { annotations: null });
  assert.equal((await world.mutate({ object: none })).patch.at(-1)?.path, '/metadata/annotations');
});

test('annotations of many images stay far within what an object may have', async () => {
  const world = await openWorld();
  const images = Array.from(
    { length: 500 },
    (_, at) => `registry.example/${'x'.repeat(150)}/a${at}:1`,
  );
  const object = pod(images);
  const patched = applyPatch(object, (await world.mutate({ object })).patch) as KubeObject;
  const { annotations } = patched['metadata'] as { annotations: KubeObject };
  assert.ok(JSON.stringify(annotations).length < 40_000);
  assert.equal((await world.validate({ object: patched })).denial, null);
});

test('an object whose annotations are nearly full is pinned, and gets none of ours', async () => {
  const world = await openWorld();
  for (const [free, expect] of [
    [100, 2],
    [10, 1],
  ] as const) {
    const annotations = { blob: 'x'.repeat((256 << 10) - 'blob'.length - free) };
    const { patch } = await world.mutate({ object: pod([TAG], { annotations }) });
    assert.equal(patch.length, expect, String(free));
  }
});

test('the annotation of a field has a name that Kubernetes takes, whatever the field is called', async () => {
  const fields = [
    {
      group: 'acme.example',
      kind: 'Box',
      podTemplates: [],
      images: [parseFieldPath('spec.image-')],
    },
  ];
  const world = await openWorld({ config: { fields } });
  const kind = { apiVersion: 'acme.example/v1', kind: 'Box' };
  const object = { ...kind, metadata: { annotations: {} }, spec: { 'image-': TAG } };
  const { patch } = await world.mutate({ object });
  assert.equal(patch[1]?.path, '/metadata/annotations/original-field.bulla.dev~1spec.image');
});

test('an update that brings no new image is not patched: a tag that runs stays as it is', async () => {
  const world = await openWorld();
  const object = deployment([TAG], { replicas: 3 });
  const oldObject = deployment([TAG], { replicas: 1 });
  assert.deepEqual((await world.mutate({ operation: 'UPDATE', object, oldObject })).patch, []);
  assert.equal(world.asked.length, 0);
  const applied = deployment([`${TAG}@${DIGEST}`]);
  const back = await world.mutate({ operation: 'UPDATE', object, oldObject: applied });
  assert.equal(back.patch[0]?.value, `${TAG}@${DIGEST}`);
});

test('the fields of a kind of the cluster itself are patched where they stand', async () => {
  const fields = [
    {
      group: 'tekton.dev',
      kind: 'Task',
      podTemplates: [],
      images: [parseFieldPath('spec.steps[*].image')],
    },
  ];
  const world = await openWorld({ config: { fields } });
  const object = {
    apiVersion: 'tekton.dev/v1',
    kind: 'Task',
    metadata: { name: 'build' },
    spec: { steps: [{ image: TAG }, { image: TAG }] },
  };
  const { patch } = await world.mutate({ object });
  assert.deepEqual(
    patch.map(({ path }) => path),
    ['/spec/steps/0/image', '/spec/steps/1/image', '/metadata/annotations'],
  );
  const patched = applyPatch(object, patch) as KubeObject;
  assert.equal((await world.validate({ object: patched })).denial, null);
  assert.equal((await world.validate({ object })).annotations['codes'], 'admission.tag-unpinned');
});

test('an object whose name is still to be made is recorded by the beginning of it', async () => {
  const world = await openWorld();
  const object = objectOf(
    'Pod',
    { containers: [{ name: 'a', image: TAG }] },
    { name: undefined, generateName: 'web-7d9c-' },
  );
  await world.mutate({ object, more: { name: '' } });
  assert.deepEqual(world.kept[0]?.request.object, {
    cluster: null,
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: 'shop',
    name: 'web-7d9c-',
    operation: 'CREATE',
  });
  assert.deepEqual(world.kept[0]?.actor, {
    kind: 'kubernetes',
    id: 'kubernetes:alice',
    name: 'alice',
  });
});
