// The manifests of deploy/gatekeeper: every place of an image is looked at, and pinned.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';

interface Assign {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly applyTo: readonly { readonly groups: string[]; readonly kinds: string[] }[];
    readonly match: { readonly excludedNamespaces: readonly string[] };
    readonly location: string;
    readonly parameters: {
      readonly pathTests: readonly { readonly subPath: string; readonly condition: string }[];
      readonly assign: { readonly externalData: Readonly<Record<string, string>> };
    };
  };
}

async function documents(name: string): Promise<readonly unknown[]> {
  const url = new URL(`../../../../deploy/gatekeeper/${name}`, import.meta.url);
  const parsed = parseYamlDocuments(await readFile(url), name, 'config.invalid');
  assert.deepEqual(parsed.problems, []);
  // Objects with a prototype, as assertions compare them.
  return parsed.documents.map((document) => structuredClone(plainValue(document)));
}

/** Where each kind keeps the Pod that it makes. */
const ROOTS: Readonly<Record<string, string>> = {
  Pod: 'spec',
  PodTemplate: 'template.spec',
  ReplicationController: 'spec.template.spec',
  ReplicaSet: 'spec.template.spec',
  Deployment: 'spec.template.spec',
  StatefulSet: 'spec.template.spec',
  DaemonSet: 'spec.template.spec',
  Job: 'spec.template.spec',
  CronJob: 'spec.jobTemplate.spec.template.spec',
};

const PLACES = [
  'containers[name:*].image',
  'initContainers[name:*].image',
  'volumes[name:*].image.reference',
] as const;

test('a mutator pins each place of an image in each kind, where there is one', async () => {
  const mutators = (await documents('assign.yaml')) as readonly Assign[];
  const covered = mutators.flatMap(({ spec }) =>
    spec.applyTo.flatMap(({ kinds }) => kinds.map((kind) => `${kind} ${spec.location}`)),
  );
  const wanted = Object.entries(ROOTS).flatMap(([kind, root]) =>
    PLACES.map((place) => `${kind} ${root}.${place}`),
  );
  // No template has any: they are added to a Pod that runs.
  wanted.push('Pod spec.ephemeralContainers[name:*].image');
  assert.deepEqual(covered.toSorted(), wanted.toSorted());
  assert.equal(new Set(mutators.map(({ metadata }) => metadata.name)).size, mutators.length);
  for (const { spec } of mutators) {
    const { pathTests, assign } = spec.parameters;
    // Gatekeeper makes what is missing: a volume of another kind would get an image.
    assert.deepEqual(pathTests, [{ subPath: spec.location, condition: 'MustExist' }]);
    assert.deepEqual(assign.externalData, {
      ...{ provider: 'bulla-mutate', dataSource: 'ValueAtLocation', failurePolicy: 'Fail' },
    });
  }
});

test('the constraint looks at the same kinds, outside the same namespaces, and refuses', async () => {
  const [constraint] = (await documents('constraint.yaml')) as readonly {
    readonly spec: {
      readonly enforcementAction: string;
      readonly match: {
        readonly excludedNamespaces: readonly string[];
        readonly kinds: readonly { readonly kinds: readonly string[] }[];
      };
    };
  }[];
  assert.ok(constraint !== undefined);
  const { enforcementAction, match } = constraint.spec;
  assert.equal(enforcementAction, 'deny');
  assert.deepEqual(
    match.kinds.flatMap(({ kinds }) => kinds).toSorted(),
    Object.keys(ROOTS).toSorted(),
  );
  for (const { spec } of (await documents('assign.yaml')) as readonly Assign[]) {
    assert.deepEqual(spec.match.excludedNamespaces, match.excludedNamespaces);
  }
});

test('the providers wait longer than the server takes, and not for ever', async () => {
  const providers = (await documents('provider.yaml')) as readonly {
    readonly apiVersion: string;
    readonly metadata: { readonly name: string };
    readonly spec: { readonly url: string; readonly timeout: number };
  }[];
  assert.deepEqual(
    providers.map(({ metadata, spec }) => [metadata.name, new URL(spec.url).pathname]),
    [
      ['bulla-verify', '/gatekeeper/verify'],
      ['bulla-mutate', '/gatekeeper/mutate'],
    ],
  );
  for (const { apiVersion, spec } of providers) {
    assert.equal(apiVersion, 'externaldata.gatekeeper.sh/v1beta1');
    assert.ok(spec.url.startsWith('https://'));
    assert.ok(spec.timeout > 2 && spec.timeout < 5);
  }
});
