import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { clusterImages } from '@bulla/trust/images/cluster';
import fc from 'fast-check';

const DIGEST = `sha256:${'1'.repeat(64)}`;

function imagesOf(document: unknown) {
  return clusterImages(Buffer.from(JSON.stringify(document)), 'pods.json');
}

function pod(spec: object, status: object = {}, more: object = {}) {
  return { kind: 'Pod', metadata: { name: 'web-0', namespace: 'shop' }, spec, status, ...more };
}

const IDS = [
  { imageID: `docker-pullable://registry.example/web@${DIGEST}`, digest: DIGEST },
  { imageID: `registry.example/web@${DIGEST}`, digest: DIGEST },
  // The id of a configuration: no registry knows a manifest by it.
  { imageID: DIGEST, digest: null },
  { imageID: '', digest: null },
  { imageID: 'registry.example/web@sha256:12', digest: null },
  { imageID: 7, digest: null },
];

for (const { imageID, digest } of IDS) {
  test(`what a node runs by the id ${JSON.stringify(imageID)}`, () => {
    const container = { name: 'main', image: 'registry.example/web:v1' };
    const { images } = imagesOf(
      pod({ containers: [container] }, { containerStatuses: [{ name: 'main', imageID }] }),
    );
    assert.deepEqual(images, [
      { reference: container.image, digest, namespace: 'shop', where: 'Pod shop/web-0: main' },
    ]);
  });
}

test('containers of every sort, each by its own status, and image volumes', () => {
  const sort = (name: string) => [{ name, image: `registry.example/${name}:v1` }];
  const status = (name: string) => [{ name, imageID: `registry.example/${name}@${DIGEST}` }];
  const { images } = imagesOf(
    pod(
      {
        initContainers: sort('init'),
        containers: sort('main'),
        ephemeralContainers: sort('debug'),
        volumes: [{ name: 'model', image: { reference: 'registry.example/model:v1' } }, {}],
      },
      {
        // Of another container: its digest is not this one's.
        containerStatuses: [...status('init'), ...status('main')],
        ephemeralContainerStatuses: status('debug'),
      },
    ),
  );
  assert.deepEqual(
    images.map(({ reference, digest }) => [reference, digest !== null]),
    [
      ['registry.example/init:v1', false],
      ['registry.example/main:v1', true],
      ['registry.example/debug:v1', true],
      ['registry.example/model:v1', false],
    ],
  );
});

test('Pods that have ended run nothing, which is said', () => {
  const spec = { containers: [{ name: 'main', image: 'registry.example/job:v1' }] };
  const { images, notes } = imagesOf({
    kind: 'PodList',
    items: [pod(spec, { phase: 'Succeeded' }), { spec, metadata: {} }],
  });
  assert.deepEqual(
    images.map(({ where }) => where),
    ['Pod default/(no name): main'],
  );
  assert.equal(notes.length, 1);
});

const REFUSED = [
  { name: 'Deployments', document: { kind: 'DeploymentList', items: [] } },
  { name: 'another kind in a list', document: { kind: 'List', items: [{ kind: 'Deployment' }] } },
  { name: 'a list without items', document: { kind: 'List' } },
  { name: 'no object', document: 7 },
  { name: 'containers that are no list', document: pod({ containers: {} }) },
  { name: 'an image that is no text', document: pod({ containers: [{ image: 7 }] }) },
];

for (const { name, document } of REFUSED) {
  test(`no inventory: ${name}`, () => {
    assert.throws(
      () => imagesOf(document),
      (error) => error instanceof TrustFault && error.code === 'impact.inventory-malformed',
    );
  });
}

test('no input throws anything but TrustFault', () => {
  const value = fc.jsonValue();
  fc.assert(
    fc.property(value, value, value, (spec, status, items) => {
      for (const document of [spec, { kind: 'Pod', spec, status }, { kind: 'List', items }]) {
        try {
          imagesOf(document);
        } catch (error) {
          assert.ok(error instanceof TrustFault && error.code !== 'internal.defect', String(error));
        }
      }
    }),
  );
});
