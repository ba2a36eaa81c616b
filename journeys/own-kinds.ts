// Kinds of a cluster's own that name images: one like a rollout, one like a task, and one that nobody told of.
import assert from 'node:assert/strict';
import { type AdmissionHouse, DEV, type Json, LOOKED_AT } from './admission-house.ts';
import { APP, assertKeptOut, assertTaken, BAD, imagesOf, post, SIDE } from './admitted.ts';
import type { KubeApiServer } from './kube-apiserver.ts';
import { until } from './server.ts';

const GROUP = 'acme.example';

/** What the server is told of them, below `admission:`. */
export const OWN_KINDS = `  kinds:
    - { group: ${GROUP}, kind: Rollout, podTemplates: [spec.template] }
    - { group: ${GROUP}, kind: Task, images: ["spec.steps[*].image"] }
`;

const rule = { operations: ['CREATE', 'UPDATE'], scope: 'Namespaced' };
/** What the webhooks are registered for beside Kubernetes' own. */
export const OWN_RULES: readonly Json[] = [
  { ...rule, apiGroups: [GROUP], apiVersions: ['v1alpha1'], resources: ['rollouts'] },
  { ...rule, apiGroups: [GROUP], apiVersions: ['v1'], resources: ['tasks', 'things'] },
];

/** Has the API server serve them; the rollouts in two versions. */
export async function createOwnKinds(kube: KubeApiServer): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await kube.create(
    path,
    crdOf('Rollout', ['v1alpha1', 'v1']),
    crdOf('Task', ['v1']),
    crdOf('Thing', ['v1']),
  );
  for (const plural of ['rollouts', 'tasks', 'things']) {
    const served = `/apis/${GROUP}/v1/${plural}`;
    await until(plural, async () => (await kube.ask('GET', served)).status === 200);
  }
}

function crdOf(kind: string, names: readonly string[]): Json {
  const plural = `${kind.toLowerCase()}s`;
  const schema = {
    openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: names.map((name, at) => ({ name, served: true, storage: at === 0, schema })),
    },
  };
}

/** The rules know v1alpha1 alone: `matchPolicy: Equivalent` brings what is sent as v1. */
export async function playOwnKinds(house: AdmissionHouse): Promise<void> {
  const { kube, pinned } = house;
  const paths = (version: string, plural: string) =>
    `/apis/${GROUP}/${version}/namespaces/${LOOKED_AT}/${plural}`;
  for (const version of ['v1alpha1', 'v1']) {
    const path = paths(version, 'rollouts');
    const rollout = (name: string, image: string) => ({
      apiVersion: `${GROUP}/${version}`,
      kind: 'Rollout',
      metadata: { name },
      spec: { strategy: 'canary', template: { spec: { containers: [{ name: 'app', image }] } } },
    });
    const refused = await post(house, rollout('refused', BAD), path);
    await assertKeptOut(house, refused, `${BAD} (container app)`);
    assertTaken(await post(house, rollout(version, APP), path));
    const { body } = await kube.ask('GET', `${path}/${version}`);
    assert.deepEqual(imagesOf(body.spec.template.spec), [pinned('prod/app:1')]);
    assert.equal(body.spec.strategy, 'canary');
    const change = { spec: { template: { spec: { containers: [{ name: 'app', image: BAD }] } } } };
    const patched = await kube.askAs(DEV, 'PATCH', `${path}/${version}`, change);
    await assertKeptOut(house, patched, BAD);
  }
  const task = (image: string) => ({
    apiVersion: `${GROUP}/v1`,
    kind: 'Task',
    metadata: { name: 'build' },
    spec: {
      steps: [
        { name: 'a', image: APP },
        { name: 'b', image },
      ],
      image: 'not/read:1',
    },
  });
  const tasks = paths('v1', 'tasks');
  await assertKeptOut(
    house,
    await post(house, task(BAD), tasks),
    `${BAD} (field spec.steps[1].image)`,
  );
  assertTaken(await post(house, task(SIDE), tasks));
  const { body } = await kube.ask('GET', `${tasks}/build`);
  const images = body.spec.steps.map(({ image }: Json) => image);
  assert.deepEqual(images, [pinned('prod/app:1'), pinned('prod/side:1')]);
  // A kind that nobody told of: what is written as a Pod is looked at, and the rest is said.
  const thing = (spec: Json) => ({
    apiVersion: `${GROUP}/v1`,
    kind: 'Thing',
    metadata: { name: 'thing' },
    spec,
  });
  const things = paths('v1', 'things');
  const pod = thing({ deep: [{ containers: [{ name: 'app', image: BAD }] }] });
  await assertKeptOut(house, await post(house, pod, things), BAD);
  const unread = await post(house, thing({ image: BAD }), things);
  assertTaken(unread);
  assert.match(unread.warnings.join(), /admission\.kinds/);
}
