import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { writePointer } from '@bulla/trust/images/field-path';
import { applyPatch } from './json-patch.ts';
import { deployment, KINDS, type KubeObject, objectOf, PLACES, pod } from './reviews.ts';
import { digestOf, type ImageFacts, openWorld } from './world.ts';

const DIGEST = `registry.example/app:1@${digestOf('registry.example/app:1')}`;
const BAD = `registry.example/bad:1@${digestOf('registry.example/bad:1')}`;
const IMAGES = { 'registry.example/bad:1': { outcome: 'deny' } } as const;

for (const { kind, path } of KINDS) {
  for (const { name, place, pointer } of PLACES) {
    test(`${name} of a ${kind}: a signed digest is admitted, an unsigned one and a tag are not`, async () => {
      const world = await openWorld({ images: IMAGES });
      const review = (image: string) => world.validate({ object: objectOf(kind, place(image)) });
      assert.equal((await review(DIGEST)).denial, null);
      const refused = await review(BAD);
      assert.equal(refused.denial?.status, 403);
      assert.match(refused.denial?.message ?? '', /signature\.none/);
      assert.ok(refused.denial?.message.includes(BAD));
      const tagged = await review('registry.example/app:1');
      assert.match(tagged.denial?.message ?? '', /admission\.tag-unpinned/);
      assert.equal(tagged.patch.length, 0);
    });
    test(`${name} of a ${kind}: what mutate patches is what validate admits, and the second time nothing`, async () => {
      const world = await openWorld();
      const object = objectOf(kind, place('registry.example/app:1'));
      const { patch, denial } = await world.mutate({ object });
      assert.equal(denial, null);
      const [first] = patch;
      assert.deepEqual(first, {
        op: 'replace',
        path: writePointer(path) + pointer,
        value: DIGEST,
      });
      const patched = applyPatch(object, patch) as KubeObject;
      assert.equal((await world.validate({ object: patched })).denial, null);
      assert.deepEqual((await world.mutate({ object: patched })).patch, []);
      const { metadata, ...rest } = patched;
      assert.deepEqual(rest, withoutMetadata(objectOf(kind, place(DIGEST))));
    });
  }
}

function withoutMetadata({ metadata: _, ...rest }: KubeObject): KubeObject {
  return rest;
}

/** What becomes of a request about an object with an unsigned image. */
const OPERATIONS: readonly {
  readonly operation: string;
  readonly subResource?: string;
  readonly old?: readonly string[] | null;
  readonly outcome: 'refused' | 'untouched' | 'unchanged';
}[] = [
  { operation: 'CREATE', outcome: 'refused' },
  { operation: 'UPDATE', old: [DIGEST], outcome: 'refused' },
  { operation: 'UPDATE', old: null, outcome: 'refused' },
  { operation: 'UPDATE', old: [BAD], outcome: 'unchanged' },
  { operation: 'DELETE', outcome: 'untouched' },
  { operation: 'CONNECT', outcome: 'untouched' },
  { operation: 'CONNECT', subResource: 'exec', outcome: 'untouched' },
  { operation: 'UPDATE', subResource: 'ephemeralcontainers', old: [DIGEST], outcome: 'refused' },
  { operation: 'UPDATE', subResource: 'status', old: [DIGEST], outcome: 'untouched' },
  { operation: 'UPDATE', subResource: 'scale', old: [DIGEST], outcome: 'untouched' },
  { operation: 'CREATE', subResource: 'eviction', outcome: 'untouched' },
  { operation: 'CREATE', subResource: 'binding', outcome: 'untouched' },
  { operation: 'UPDATE', subResource: 'resize', old: [BAD], outcome: 'unchanged' },
  { operation: 'UPDATE', subResource: 'a-new-one', old: [DIGEST], outcome: 'refused' },
];

for (const { kind } of KINDS) {
  for (const { operation, subResource, old, outcome } of OPERATIONS) {
    const name = `${operation} ${kind}${subResource === undefined ? '' : `/${subResource}`}`;
    test(`${name} with an unsigned image, before ${old ?? 'nothing'}, is ${outcome}`, async () => {
      const world = await openWorld({ images: IMAGES });
      const of = (images: readonly string[]) =>
        objectOf(kind, { containers: images.map((image) => ({ name: 'web', image })) });
      const answer = await world.validate({
        operation,
        ...(subResource === undefined ? {} : { subResource }),
        object: operation === 'DELETE' ? null : of([BAD]),
        oldObject: old === undefined || old === null ? null : of(old),
      });
      assert.equal(answer.annotations['outcome'], outcome);
      assert.equal(answer.denial === null, outcome !== 'refused');
      assert.equal(world.asked.length, outcome === 'refused' ? 1 : 0);
    });
  }
}

test('what was matched decides, and not what was asked for: under Equivalent the object is of the matched kind', async () => {
  const world = await openWorld({ images: IMAGES });
  const object = deployment([BAD]);
  const answer = await world.validate({
    object,
    kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    more: { requestKind: { group: 'extensions', version: 'v1beta1', kind: 'Deployment' } },
  });
  assert.equal(answer.denial?.status, 403);
});

test('an object of no group that is known has the Pods in it looked at', async () => {
  const world = await openWorld({ images: IMAGES });
  const object = {
    apiVersion: 'batch.volcano.sh/v1alpha1',
    kind: 'Job',
    metadata: { name: 'x' },
    spec: {
      tasks: [{ template: { spec: { containers: [{ name: 'a', image: BAD }] } } }],
      image: 'x',
    },
  };
  const { denial, warnings } = await world.validate({ object });
  assert.equal(denial?.status, 403);
  assert.match(warnings.join(), /admission\.kinds/);
});

/** What tags come to, by what the policies say of them and by whether they enforce (semantics 16). */
const TAGS: readonly {
  readonly facts: ImageFacts;
  readonly nodesPullThrough?: boolean;
  readonly expect: 'admitted' | 'admission.tag-unpinned' | 'admission.tag-left' | 'warned';
}[] = [
  { facts: { tags: 'pin' }, expect: 'admission.tag-unpinned' },
  { facts: { tags: 'refuse' }, expect: 'admission.tag-unpinned' },
  { facts: { tags: 'leave' }, expect: 'admission.tag-left' },
  { facts: { tags: 'pin' }, nodesPullThrough: true, expect: 'admission.tag-unpinned' },
  { facts: { tags: 'leave' }, nodesPullThrough: true, expect: 'admitted' },
  { facts: { tags: 'pin', mode: 'warn' }, expect: 'warned' },
  { facts: { tags: 'leave', mode: 'warn' }, expect: 'warned' },
  { facts: { tags: 'leave', mode: 'warn' }, nodesPullThrough: true, expect: 'admitted' },
];

for (const { facts, nodesPullThrough = false, expect } of TAGS) {
  const through = nodesPullThrough ? ', nodes pull through the gateway' : '';
  test(`a tag under ${facts.tags} in ${facts.mode ?? 'enforce'}${through} is ${expect}`, async () => {
    for (const pin of ['none', 'tag-and-digest'] as const) {
      const world = await openWorld({
        images: { 'registry.example/app:1': facts },
        config: { nodesPullThrough, pin },
      });
      const { denial, annotations, warnings } = await world.validate({
        object: pod(['registry.example/app:1']),
      });
      if (expect === 'admitted' || expect === 'warned') {
        assert.equal(denial, null);
        assert.equal(warnings.length, expect === 'warned' ? 1 : 0);
      } else {
        assert.equal(annotations['codes'], expect);
        assert.equal(denial?.status, 403);
      }
    }
  });
}

test('what a policy refuses by its tag is told to be signed, not to be named by its digest', async () => {
  const world = await openWorld({ images: { 'registry.example/app:1': { outcome: 'deny' } } });
  const { annotations, warnings } = await world.validate({
    object: pod(['registry.example/app:1']),
  });
  assert.equal(annotations['codes'], 'signature.none');
  assert.deepEqual(warnings, []);
});

test('every offending image is named once, with its places, clause, decision and remedy', async () => {
  const world = await openWorld({ images: IMAGES });
  const object = objectOf('Deployment', {
    containers: [{ name: 'web', image: BAD }, { name: 'good', image: DIGEST }, { name: 'none' }],
    initContainers: [
      { name: 'setup', image: BAD },
      { name: 'late', image: 'registry.example/app:2' },
    ],
  });
  const { denial, annotations } = await world.validate({ object });
  const text = denial?.message ?? '';
  assert.equal(text.split(BAD).length, 2);
  for (const part of [
    '2 images are refused',
    'init container setup, container web',
    'init container late',
    'policy p: signature.none',
    'admission.tag-unpinned',
    'what to do:',
    'decision ID',
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(!text.includes(DIGEST));
  assert.match(annotations['decisions'] ?? '', /^ID\d+=(?:admit|deny)( ID\d+=(?:admit|deny)){2}$/);
});

test('a Pod that names no image is refused, a template that names none is admitted with a warning', async () => {
  const world = await openWorld();
  for (const image of [undefined, '', ' ']) {
    const spec = { containers: [{ name: 'a', ...(image === undefined ? {} : { image }) }] };
    const refused = await world.validate({ object: objectOf('Pod', spec) });
    assert.equal(refused.annotations['codes'], 'admission.image-missing');
    const warned = await world.validate({ object: objectOf('Deployment', spec) });
    assert.equal(warned.denial, null);
    assert.equal(warned.warnings.length, 1);
  }
});

test('what cannot be read is refused by validate, and left alone by mutate', async () => {
  const world = await openWorld();
  const shapes = [
    { object: objectOf('Pod', { containers: [{ name: 'a', image: 5 }] }) },
    { object: objectOf('Pod', { containers: {} }) },
    { object: null },
  ];
  for (const shape of shapes) {
    const { denial } = await world.validate(shape);
    assert.equal(denial?.status, 400);
    assert.match(denial?.message ?? '', /images\.manifest-malformed|admission\.review-malformed/);
    const left = await world.mutate(shape);
    assert.deepEqual([left.denial, left.patch], [null, []]);
  }
});

test('an image that nobody could be asked about is refused, and a defect is told', async () => {
  const world = await openWorld({
    images: {
      'registry.example/a:1': { fault: new TrustFault('record.unavailable', 'no space') },
      'registry.example/b:1': { fault: new TrustFault('internal.defect', 'a bug') },
    },
  });
  const { annotations } = await world.validate({
    object: pod(['registry.example/a:1', 'registry.example/b:1']),
  });
  assert.equal(annotations['codes'], 'record.unavailable internal.defect');
  assert.deepEqual(
    world.defects.map(({ code }) => code),
    ['internal.defect'],
  );
});

test('equal references are asked about once, of 500 in a CronJob', async () => {
  const world = await openWorld();
  const containers = Array.from({ length: 500 }, (_, index) => ({
    name: `c${index}`,
    image: `registry.example/app:${index % 50}`,
  }));
  const object = objectOf('CronJob', { containers });
  const { patch } = await world.mutate({ object });
  assert.equal(world.asked.length, 50);
  const patched = applyPatch(object, patch) as KubeObject;
  assert.equal((await world.validate({ object: patched })).denial, null);
  assert.equal(world.asked.length, 100);
  assert.equal(patch.filter(({ op }) => op === 'replace').length, 500);
});

test('a denial of 500 images names each of them', async () => {
  const names = Array.from({ length: 500 }, (_, index) => `registry.example/bad-${index}:1`);
  const images = Object.fromEntries(names.map((name) => [name, { outcome: 'deny' } as const]));
  const world = await openWorld({ images });
  const { denial } = await world.validate({ object: pod(names) });
  for (const name of names) assert.ok(denial?.message.includes(`- ${name} (`), name);
});

test('policies that warn let the image in and say so within the budget, image first', async () => {
  const names = Array.from(
    { length: 300 },
    (_, index) => `registry.example/${'x'.repeat(100)}/a${index}:1`,
  );
  const images = Object.fromEntries(
    names.map((name) => [name, { outcome: 'deny', mode: 'warn', tags: 'leave' } as const]),
  );
  const world = await openWorld({ images, config: { nodesPullThrough: true } });
  const { denial, warnings } = await world.validate({ object: pod([...names, ...names]) });
  assert.equal(denial, null);
  assert.ok(warnings.length > 20);
  assert.ok(warnings.every((text) => [...text].length <= 120));
  assert.ok(warnings.reduce((sum, text) => sum + [...text].length, 0) <= 4096);
  assert.equal(new Set(warnings).size, warnings.length);
  assert.match(warnings[0] ?? '', /^….*a0:1: policy p \(warn\)/);
  assert.match(warnings.at(-1) ?? '', /^\d+ more warnings/);
});

test('what is said of the object itself stands within the same budget, and first', async () => {
  const names = Array.from({ length: 300 }, (_, index) => `registry.example/a${index}:1`);
  const images = Object.fromEntries(
    names.map((name) => [name, { outcome: 'deny', mode: 'warn', tags: 'leave' } as const]),
  );
  const world = await openWorld({ images, config: { nodesPullThrough: true } });
  // A kind that nobody knows, whose template names no image in one container and has one elsewhere.
  const containers = [{ name: 'none' }, ...names.map((image, at) => ({ name: `c${at}`, image }))];
  const object = {
    apiVersion: 'acme.example/v1',
    kind: 'Box',
    metadata: { name: 'x' },
    spec: { template: { spec: { containers } }, image: 'x' },
  };
  const { denial, warnings } = await world.validate({ object });
  assert.equal(denial, null);
  assert.match(warnings[0] ?? '', /names no image/);
  assert.match(warnings[1] ?? '', /admission\.kinds/);
  assert.ok(warnings.length > 20);
  assert.ok(warnings.reduce((sum, text) => sum + [...text].length, 0) <= 4096);
  const shown = warnings.length - 3;
  assert.equal(warnings.at(-1), `${names.length - shown} more warnings stand in the record`);
});

test('what a policy in audit says is for the record, and no warning', async () => {
  const world = await openWorld({
    images: { 'registry.example/a:1': { outcome: 'deny', mode: 'audit', tags: 'leave' } },
    config: { nodesPullThrough: true },
  });
  const { denial, warnings } = await world.validate({ object: pod(['registry.example/a:1']) });
  assert.deepEqual([denial, warnings], [null, []]);
  assert.equal(world.kept.length, 1);
});

test('with denials of policy-controller, its fragments stand before our own words', async () => {
  const world = await openWorld({ images: IMAGES, config: { denials: 'policy-controller' } });
  const { denial } = await world.validate({ object: deployment([BAD, 'registry.example/app:1']) });
  const [first, second, third] = (denial?.message ?? '').split('\n');
  assert.equal(
    first,
    `validation failed: failed policy: p: spec.template.spec.containers[0].image ${BAD} no signatures found`,
  );
  assert.match(
    second ?? '',
    /containers\[1\]\.image registry\.example\/app:1 must be an image digest$/,
  );
  assert.equal(third, '2 images are refused:');
});
