// Changes of objects that stand in an API server already.
import assert from 'node:assert/strict';
import { type AdmissionHouse, DEV, HOST, type Json, podOf } from './admission-house.ts';
import {
  ALL_SIGNED,
  APP,
  assertRefused,
  assertTaken,
  BAD,
  DEPLOYMENTS,
  NEXT,
  PODS,
  SIDE,
  specOf,
  stored,
} from './admitted.ts';
import type { KubeApiServer } from './kube-apiserver.ts';
import type { PatchKind } from './kube-request.ts';
import { workloadKind } from './workload-kinds.ts';

/** The same change of an image, as each kind of request brings it. */
function changes(image: string): readonly (readonly [string, string, Json, PatchKind?])[] {
  const containers = [{ name: 'app', image }];
  const template = { spec: { template: { spec: { containers } } } };
  const whole = workloadKind('Deployment').of('web', specOf([APP, SIDE, image, NEXT]));
  const at = '/spec/template/spec/containers/0/image';
  return [
    ['PATCH', '', template, 'merge'],
    ['PATCH', '', template, 'strategic'],
    ['PATCH', '', [{ op: 'replace', path: at, value: image }], 'json'],
    ['PATCH', '?fieldManager=ci&force=true', whole, 'apply'],
    ['PUT', '', whole],
  ];
}

/** An image is changed by every kind of request, forth and back. */
export async function playUpdates(house: AdmissionHouse): Promise<void> {
  const { kube, pinned } = house;
  const path = `${DEPLOYMENTS}/web`;
  const running = async () => (await stored(house, path)).spec.template.spec.containers[0].image;
  for (const [method, query, body, kind] of changes(BAD)) {
    const before = await stored(house, path);
    assertRefused(
      await kube.askAs(DEV, method, path + query, body, kind),
      `${BAD} (container app)`,
    );
    assert.deepEqual(await stored(house, path), before);
  }
  for (const [method, query, body, kind] of changes(NEXT)) {
    assertTaken(await kube.askAs(DEV, method, path + query, body, kind));
    assert.equal(await running(), pinned('prod/app:2'), `${method} ${kind}`);
    // Back to what ran before, by the digest that was written then.
    const [back] = changes(pinned('prod/app:1'));
    assertTaken(await kube.askAs(DEV, 'PATCH', path, back?.[2], 'strategic'));
    assert.equal(await running(), pinned('prod/app:1'));
  }
  const unsigned = changes(pinned('prod/app:unsigned'))[1]?.[2];
  assertRefused(await kube.askAs(DEV, 'PATCH', path, unsigned, 'strategic'), 'signature.none');
  // What is applied twice is the same the second time.
  const apply = `${path}?fieldManager=ci&force=true`;
  const whole = workloadKind('Deployment').of('web', specOf(ALL_SIGNED));
  assertTaken(await kube.askAs(DEV, 'PATCH', apply, whole, 'apply'));
  const first = await stored(house, path);
  // Nor is the digest anybody else's field: nothing has to be forced.
  const gently = `${path}?fieldManager=ci`;
  assertTaken(await kube.askAs(DEV, 'PATCH', gently, whole, 'apply'));
  assert.equal((await stored(house, path)).metadata.generation, first.metadata.generation);
}

/** Leaves objects of an image that nothing admits, while nobody is asked. */
export async function leaveLegacy(kube: KubeApiServer): Promise<void> {
  const { of } = workloadKind('Deployment');
  const containers = [
    { name: 'app', image: BAD },
    { name: 'side', image: SIDE },
  ];
  const held = of('held', { containers });
  held.metadata.finalizers = ['acme.example/hold'];
  await kube.create(DEPLOYMENTS, of('legacy', { containers }), held);
  await kube.create(PODS, podOf('legacy', BAD));
}

/** What was there before Bulla, of an image that nothing admits. */
export async function playLegacy(house: AdmissionHouse): Promise<void> {
  const { kube, owner } = house;
  const path = `${DEPLOYMENTS}/legacy`;
  const patch = (body: Json, below = '', kind: PatchKind = 'strategic') =>
    kube.askAs(DEV, 'PATCH', path + below, body, kind);
  assertTaken(await patch({ metadata: { labels: { team: 'shop' } } }));
  const { json } = await owner.ask('GET', '/decisions?limit=1');
  const { json: detail } = await owner.ask('GET', `/decisions/${json.decisions[0].id}`);
  const { check, outcome } = detail.finding;
  assert.deepEqual([check, outcome], ['admission.unchanged', 'skipped']);
  assertTaken(await patch({ spec: { replicas: 0 } }));
  assertTaken(await patch({ spec: { replicas: 3 } }));
  assertTaken(await patch({ spec: { replicas: 2 } }, '/scale', 'merge'));
  const scale = await stored(house, `${path}/scale`);
  assertTaken(await kube.askAs(DEV, 'PUT', `${path}/scale`, { ...scale, spec: { replicas: 1 } }));
  assert.equal((await stored(house, path)).spec.replicas, 1);
  const containers = (...list: readonly object[]) => ({
    spec: { template: { spec: { containers: list } } },
  });
  const swapped = containers({ name: 'app', image: SIDE }, { name: 'side', image: BAD });
  assertTaken(await patch(swapped));
  const sidecar = containers({ name: 'spy', image: `${HOST}/prod/side:unsigned` });
  assertRefused(await patch(sidecar), '2 images are refused', '(container spy)', BAD);
  // A signed one beside it does not make the others good.
  assertRefused(await patch(containers({ name: 'good', image: APP })), '1 image is refused', BAD);
  // A change that rides on a scale-down is none.
  const ridden = { spec: { ...sidecar.spec, replicas: 0 } };
  assertRefused(await patch(ridden), '(container spy)');
  assertTaken(await kube.askAs(DEV, 'DELETE', path));
}

/** What runs is what was admitted: a tag that was moved changes nothing until somebody names it. */
export async function playMoved(house: AdmissionHouse): Promise<void> {
  const { kube, pinned, move } = house;
  const image = `${HOST}/prod/moved:1`;
  const path = `${DEPLOYMENTS}/moved`;
  const { of } = workloadKind('Deployment');
  const object = of('moved', { containers: [{ name: 'app', image }] });
  assertTaken(await kube.askAs(DEV, 'POST', DEPLOYMENTS, object));
  await move('prod/moved:1');
  const patch = (body: Json) => kube.askAs(DEV, 'PATCH', path, body, 'strategic');
  assertTaken(await patch({ spec: { replicas: 5 } }));
  assertTaken(await patch({ spec: { template: { metadata: { labels: { restarted: 'now' } } } } }));
  assertRefused(await patch(object), `${image} (container app)`, 'signature.none');
  const { spec } = await stored(house, path);
  assert.equal(spec.template.spec.containers[0].image, pinned('prod/moved:1'));
  // The digest that was signed still is.
  assertTaken(await kube.askAs(DEV, 'POST', PODS, podOf('moved', pinned('prod/moved:1'))));
}

/** An object that is being deleted waits for nobody but its finalizers, and takes in nothing new. */
export async function playDeletion({ kube }: AdmissionHouse): Promise<void> {
  const path = `${DEPLOYMENTS}/held`;
  assertTaken(await kube.askAs(DEV, 'DELETE', path));
  const change = {
    spec: {
      template: { spec: { containers: [{ name: 'app', image: `${HOST}/prod/side:unsigned` }] } },
    },
  };
  assertRefused(await kube.askAs(DEV, 'PATCH', path, change, 'strategic'), 'signature.none');
  assertTaken(await kube.askAs(DEV, 'PATCH', path, { metadata: { finalizers: null } }));
  assert.equal((await kube.ask('GET', path)).status, 404);
}
