import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPatch } from './json-patch.ts';
import { deployment, type KubeObject, objectOf, pod } from './reviews.ts';
import { digestOf, openWorld } from './world.ts';

const at = (name: string) => `registry.example/${name}@${digestOf(`registry.example/${name}`)}`;
const APP = at('app:1');
const BAD = at('bad:1');
const IMAGES = { 'registry.example/bad:1': { outcome: 'deny' } } as const;

test('semantics 16: an annotation that says an image was verified changes nothing', async () => {
  const world = await openWorld({ images: IMAGES });
  const forged = {
    'original-image.bulla.dev/c0': 'registry.example/app:1',
    'bulla.dev/verified': 'true',
    'bulla.dev/decision': 'ID1',
  };
  const object = pod([BAD], { annotations: forged });
  assert.equal((await world.validate({ object })).denial?.status, 403);
  assert.deepEqual((await world.mutate({ object })).patch, []);
});

test('semantics 16: a scale-down that brings another image is judged, one that brings none is not', async () => {
  const world = await openWorld({ images: IMAGES });
  const oldObject = deployment([APP], { replicas: 5 });
  const down = { operation: 'UPDATE', oldObject } as const;
  const changed = await world.validate({ ...down, object: deployment([BAD], { replicas: 1 }) });
  assert.equal(changed.denial?.status, 403);
  const bad = { operation: 'UPDATE', oldObject: deployment([BAD], { replicas: 5 }) };
  const same = await world.validate({ ...bad, object: deployment([BAD], { replicas: 0 }) });
  assert.deepEqual([same.denial, same.annotations['outcome']], [null, 'unchanged']);
});

test('semantics 16: an object that is being deleted passes with the images it had, and with no other', async () => {
  const world = await openWorld({ images: IMAGES });
  const deleting = { deletionTimestamp: '2026-11-21T12:00:00Z', finalizers: [] };
  const oldObject = pod([APP], deleting);
  const shape = { operation: 'UPDATE', oldObject } as const;
  assert.equal(
    (await world.validate({ ...shape, object: pod([BAD], deleting) })).denial?.status,
    403,
  );
  const out = pod([BAD], deleting);
  const same = await world.validate({ operation: 'UPDATE', oldObject: out, object: out });
  assert.equal(same.denial, null);
  // The attacker writes the timestamp into an object that is new.
  assert.equal((await world.validate({ object: pod([BAD], deleting) })).denial?.status, 403);
});

test('semantics 16: positions that are swapped bring nothing new; a new image in an old place does', async () => {
  const world = await openWorld({ images: IMAGES });
  const oldObject = pod([APP, BAD]);
  const shape = { operation: 'UPDATE', oldObject } as const;
  const swapped = await world.validate({ ...shape, object: pod([BAD, APP]) });
  assert.equal(swapped.annotations['outcome'], 'unchanged');
  const other = await world.validate({
    operation: 'UPDATE',
    oldObject: pod([APP, APP]),
    object: pod([BAD, APP]),
  });
  assert.equal(other.denial?.status, 403);
});

test('semantics 16: a digest that is another one is new, however alike the reference is', async () => {
  const world = await openWorld({ images: { 'registry.example/app:2': { outcome: 'deny' } } });
  const written = 'registry.example/app';
  const oldObject = pod([`${written}@${digestOf('one')}`]);
  for (const next of [
    `${written}@${digestOf('two')}`,
    `${written}:1`,
    written,
    `${written}:1@${digestOf('one')}`,
  ]) {
    await world.validate({ operation: 'UPDATE', oldObject, object: pod([next]) });
  }
  assert.equal(world.asked.length, 4);
});

test('semantics 16: a sidecar that another webhook adds after the mutating call is judged', async () => {
  const world = await openWorld({ images: IMAGES });
  const object = pod(['registry.example/app:1']);
  const { patch } = await world.mutate({ object });
  const pinned = applyPatch(object, patch);
  const added = [
    {
      op: 'add',
      path: '/spec/initContainers',
      value: [{ name: 'proxy', image: BAD, restartPolicy: 'Always' }],
    },
  ];
  const injected = applyPatch(pinned, added) as KubeObject;
  assert.equal((await world.validate({ object: injected })).denial?.status, 403);
  const byTag = applyPatch(pinned, [
    {
      op: 'add',
      path: '/spec/containers/-',
      value: { name: 'proxy', image: 'registry.example/proxy:1' },
    },
  ]) as KubeObject;
  const tagged = await world.validate({ object: byTag });
  assert.equal(tagged.annotations['codes'], 'admission.tag-unpinned');
  // Reinvoked, the mutating call pins what was added, and touches nothing else.
  const again = await world.mutate({ object: byTag });
  assert.deepEqual(
    again.patch.map(({ path }) => path),
    ['/spec/containers/1/image', '/metadata/annotations/original-image.bulla.dev~1proxy'],
  );
  const whole = applyPatch(byTag, again.patch) as KubeObject;
  assert.equal((await world.validate({ object: whole })).denial, null);
});

test('semantics 16: a tag is refused by the validating call though nothing was to be patched', async () => {
  const world = await openWorld({ config: { pin: 'none' } });
  const object = pod(['registry.example/app:1']);
  assert.deepEqual((await world.mutate({ object })).patch, []);
  assert.equal(world.asked.length, 0);
  assert.equal((await world.validate({ object })).annotations['codes'], 'admission.tag-unpinned');
});

test('semantics 5: a tag that moved between the two calls is decided about by what was patched', async () => {
  const world = await openWorld({ images: { 'registry.example/moved:1': { outcome: 'deny' } } });
  const object = pod(['registry.example/moved:1']);
  assert.deepEqual((await world.mutate({ object })).patch, []);
  const written = pod([`registry.example/moved:1@${digestOf('registry.example/app:1')}`]);
  assert.equal((await world.validate({ object: written })).denial?.status, 403);
});

test('the child of a controller is verified as any: an owner vouches for nothing', async () => {
  const world = await openWorld({ images: IMAGES });
  const owned = {
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true },
    ],
  };
  const answer = await world.validate({
    object: pod([BAD], owned),
    username: 'system:serviceaccount:kube-system:replicaset-controller',
  });
  assert.equal(answer.denial?.status, 403);
});

test('an ephemeral container is judged, and the containers that it joins are not', async () => {
  const world = await openWorld({ images: IMAGES });
  const containers = [{ name: 'web', image: BAD }];
  const debug = (image: string) =>
    objectOf('Pod', { containers, ephemeralContainers: [{ name: 'debug', image }] });
  const shape = {
    operation: 'UPDATE',
    subResource: 'ephemeralcontainers',
    oldObject: objectOf('Pod', { containers }),
  } as const;
  assert.equal((await world.validate({ ...shape, object: debug(APP) })).denial, null);
  const tagged = await world.mutate({ ...shape, object: debug('registry.example/app:1') });
  assert.equal(tagged.patch[0]?.path, '/spec/ephemeralContainers/0/image');
  const bad = debug(at('bad:1').replace(/.$/, '0'));
  assert.equal((await world.validate({ ...shape, object: bad })).denial?.status, 403);
});

test('the namespace of the request counts, and not the one that the object claims', async () => {
  const world = await openWorld({
    images: IMAGES,
    config: { exempt: [{ namespace: { exact: 'kube-system' }, images: null }] },
  });
  const object = pod([BAD], { namespace: 'kube-system' });
  assert.equal((await world.validate({ object, namespace: 'shop' })).denial?.status, 403);
  assert.equal(world.asked.at(-1)?.namespace, 'shop');
  const exempt = await world.validate({ object, namespace: 'kube-system' });
  assert.deepEqual([exempt.denial, exempt.annotations['outcome']], [null, 'exempt']);
});

test('an exemption of one image in a namespace exempts no other there, and that image nowhere else', async () => {
  const own = { namespace: { exact: 'bulla-system' }, images: [{ glob: 'registry.example/bad' }] };
  const other = at('worse:1');
  const world = await openWorld({
    images: { ...IMAGES, 'registry.example/worse:1': { outcome: 'deny' } },
    config: { exempt: [own] },
  });
  const validate = (image: string, namespace: string) =>
    world.validate({ object: pod([image]), namespace });
  assert.equal((await validate(BAD, 'bulla-system')).denial, null);
  assert.equal((await validate(other, 'bulla-system')).denial?.status, 403);
  assert.equal((await validate(BAD, 'bulla-system-2')).denial?.status, 403);
  // What only looks like the name is another repository.
  assert.equal(
    (await validate(`evil.example/registry.example/bad:1`, 'bulla-system')).denial?.status,
    403,
  );
});

test('namespaces that are opted in are looked at, others are not; what has none always is', async () => {
  const world = await openWorld({ images: IMAGES, config: { namespaces: [{ glob: 'team-*' }] } });
  const validate = async (namespace: string | null) =>
    (await world.validate({ object: pod([BAD]), namespace })).annotations['outcome'];
  assert.equal(await validate('team-a'), 'refused');
  assert.equal(await validate('shop'), 'exempt');
  assert.equal(await validate(null), 'refused');
});

test('an object with more images than can be answered for is refused unasked, and a large one is not', async () => {
  const world = await openWorld({ images: IMAGES });
  const names = (count: number) => Array.from({ length: count }, (_, n) => at(`app:${n}`));
  const object = pod([...names(1000), BAD]);
  const { denial } = await world.validate({ object });
  assert.match(denial?.message ?? '', /^admission\.too-many-images/);
  assert.deepEqual((await world.mutate({ object })).patch, []);
  assert.deepEqual([world.asked.length, world.kept.length], [0, 0]);
  // What is there already can be scaled down and cleaned up.
  const same = await world.validate({ operation: 'UPDATE', object, oldObject: object });
  assert.equal(same.denial, null);
  assert.equal((await world.validate({ object: pod(names(1000)) })).denial, null);
});
