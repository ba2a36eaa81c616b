import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { policySet } from '@bulla/trust/policy/ready';
import type { ClusterObject } from '../../src/kubernetes/api.ts';
import {
  type ClusterPolicies,
  clusterPolicies,
} from '../../src/kubernetes/policies/cluster-policies.ts';
import { CLUSTER_IMAGE_POLICIES, TRUST_POLICIES } from '../../src/kubernetes/policies/kind.ts';
import { conditionOf, reasonOf, statusWriter } from '../../src/kubernetes/policies/status.ts';
import type { Json } from './api-server.ts';
import { thrownBy } from './thrown.ts';

const PEM = await readFile(
  new URL('../../../../vectors/cosign/keys/p256.pub', import.meta.url),
  'utf8',
);
const GOOD = {
  images: [{ glob: 'registry.example/prod/**' }],
  authorities: { release: { key: { pem: PEM } } },
  require: { signed: { of: ['release'] } },
};
const GROUND = { trustRoots: new Map(), expressions: { checkExpression: async () => undefined } };
const NONE = new Set<string>();

/** A collection that a test fills. */
function collection() {
  let objects: Map<string, ClusterObject> | null = null;
  let version = 0;
  return {
    objects: () => objects,
    version: () => version,
    put(name: string, spec: Json, more: Json = {}) {
      version += 1;
      const value = { metadata: { name }, spec, ...more };
      const meta = { uid: `uid-${name}`, resourceVersion: `${version}`, generation: version };
      objects = new Map(objects).set(name, { name, value, ...meta });
    },
    remove(name: string) {
      version += 1;
      objects = new Map([...(objects ?? [])].filter(([each]) => each !== name));
    },
  };
}

function watched() {
  const objects = collection();
  const policies = clusterPolicies([{ kind: TRUST_POLICIES, collection: objects }]);
  return { objects, policies };
}

async function setOf(policies: ClusterPolicies, taken = NONE): Promise<PolicySet> {
  return policySet((await policies.read(GROUND, taken)).policies);
}

const at = (repository: string) => ({
  repository,
  surface: 'admission' as const,
  namespace: 'shop',
  environment: null,
});

const covering = (set: PolicySet, repository: string) =>
  set.policies.filter((policy) => policy.covers(at(repository)));

/** Whether each policy that covers the name can only refuse. */
function refuses(set: PolicySet, repository: string): boolean {
  return covering(set, repository).some(({ document }) =>
    Object.values(document.authorities).every(({ kind }) => kind === 'static'),
  );
}

test('before the first list there are no policies at all', async () => {
  const { policies } = watched();
  const fault = await thrownBy(policies.read(GROUND, NONE));
  assert.equal(fault.code, 'policy.unreadable');
});

test('documents join, and their last one leaves an empty set', async () => {
  const { objects, policies } = watched();
  objects.put('prod', GOOD, { status: { conditions: [] } });
  const read = await policies.read(GROUND, NONE);
  assert.equal(read.problem, null);
  assert.deepEqual([...read.files], [['prod', 'TrustPolicy/prod']]);
  const before = policies.fingerprint();
  objects.remove('prod');
  assert.notEqual(policies.fingerprint(), before);
  assert.deepEqual((await setOf(policies)).policies, []);
});

// PC-25: an object whose reference cannot be read must not vanish, or what it was to refuse is left
// to whatever else covers the image.
const UNUSABLE: readonly { readonly name: string; readonly spec: Json; readonly code: string }[] = [
  {
    name: 'a key in a file',
    spec: { ...GOOD, authorities: { release: { key: { ref: '/etc/passwd' } } } },
    code: 'kubernetes.file-reference',
  },
  {
    name: 'a trust root in a file',
    spec: { ...GOOD, trustRoots: { acme: { file: 'acme.json' } } },
    code: 'kubernetes.file-reference',
  },
  {
    name: 'a key that is none',
    spec: { ...GOOD, authorities: { release: { key: { pem: 'none' } } } },
    code: 'bytes.pem',
  },
  {
    name: 'a trust root that nothing defines',
    spec: {
      ...GOOD,
      authorities: {
        release: {
          keyless: { issuer: { exact: 'a' }, subject: { exact: 'b' }, trustRoot: 'acme' },
        },
      },
    },
    code: 'policy.trust-root-missing',
  },
  {
    name: 'a member that is not known',
    spec: { ...GOOD, excldue: [] },
    code: 'policy.unknown-field',
  },
  {
    name: 'a requirement of nothing',
    spec: { ...GOOD, require: { all: [] } },
    code: 'policy.requirement-empty',
  },
];

for (const { name, spec } of UNUSABLE) {
  test(`${name}: a first document refuses what it would have covered, and nothing else`, async () => {
    const { objects, policies } = watched();
    objects.put('open', { ...GOOD, images: [{ glob: 'registry.example/**' }] });
    objects.put('prod', spec);
    const set = await setOf(policies);
    assert.equal(set.policies.length, 2);
    assert.ok(refuses(set, 'registry.example/prod/app'));
    assert.ok(!refuses(set, 'registry.example/test/app'));
  });

  test(`${name}: the former document stays, and the problem is shown`, async () => {
    const { objects, policies } = watched();
    objects.put('prod', GOOD);
    const before = await setOf(policies);
    objects.put('prod', spec);
    const read = await policies.read(GROUND, NONE);
    assert.equal(policySet(read.policies).hash, before.hash);
    assert.notEqual(read.problem, null);
    const [standing] = policies.standings();
    assert.equal(standing?.decides, 'former');
    // What was deleted meanwhile stands in for nothing.
    objects.remove('prod');
    await policies.read(GROUND, NONE);
    objects.put('prod', spec);
    assert.ok(refuses(await setOf(policies), 'registry.example/prod/app'));
  });
}

for (const { name, spec, code } of UNUSABLE) {
  test(`${name} is told by its code`, async () => {
    const { objects, policies } = watched();
    objects.put('prod', spec);
    const { problem } = await policies.read(GROUND, NONE);
    assert.equal(problem?.code, code);
  });
}

test('a document whose very scope cannot be read refuses everything', async () => {
  const { objects, policies } = watched();
  objects.put('open', { ...GOOD, images: [{ glob: '**' }] });
  for (const spec of [null, 'text', {}, { images: [{ glbo: 'x' }] }, { images: [] }]) {
    objects.put('prod', spec);
    assert.ok(refuses(await setOf(policies), 'elsewhere.example/app'), JSON.stringify(spec));
  }
});

test('one that would have refused nothing stands aside, and admits nothing either', async () => {
  const { objects, policies } = watched();
  objects.put('prod', { ...GOOD, mode: 'audit', authorities: {} });
  const read = await policies.read(GROUND, NONE);
  assert.deepEqual(read.policies, []);
  assert.notEqual(read.problem, null);
});

test('a name that a file has already is refused in its scope, whatever else has names', async () => {
  const { objects, policies } = watched();
  objects.put('prod', GOOD);
  const read = await policies.read(GROUND, new Set(['prod', 'cluster.prod']));
  assert.equal(read.problem?.code, 'policy.name-repeated');
  assert.deepEqual(
    read.policies.map(({ document }) => document.name),
    ['cluster.prod-2'],
  );
});

test('reasons are CamelCase, with the code in the message', async () => {
  assert.equal(reasonOf('policy.unknown-field'), 'PolicyUnknownField');
  const { objects, policies } = watched();
  objects.put('prod', { ...GOOD, excldue: [] });
  await policies.read(GROUND, NONE);
  const [standing] = policies.standings();
  assert.ok(standing !== undefined);
  const { status, reason, message, observedGeneration } = conditionOf(standing);
  assert.deepEqual([status, reason, observedGeneration], ['False', 'PolicyUnknownField', 1]);
  assert.match(message, /^policy\.unknown-field: /);
});

test('a status is written once, keeps conditions of others, and is tried again after a failure', async () => {
  const { objects, policies } = watched();
  const other = { type: 'Other', status: 'True' };
  objects.put('prod', GOOD, { status: { conditions: [other] } });
  await policies.read(GROUND, NONE);
  const sent: Json[] = [];
  const faults: string[] = [];
  let broken = true;
  const writer = statusWriter({
    api: {
      async patch(path, _kind, value) {
        if (broken) throw new Error('broken');
        sent.push({ path, value });
        return { name: '', uid: '', resourceVersion: '', generation: null, value: {} };
      },
    },
    clock: () => new Date('2026-11-21T12:00:00.500Z'),
    failed: (fault) => faults.push(fault.code),
  });
  await writer.write(policies.standings());
  assert.equal(faults.length, 1);
  broken = false;
  await writer.write(policies.standings());
  await writer.write(policies.standings());
  assert.equal(sent.length, 1);
  assert.equal(sent[0].path, '/apis/bulla.dev/v1/trustpolicies/prod/status');
  const [kept, ready] = sent[0].value.status.conditions;
  assert.deepEqual(kept, other);
  assert.equal(ready.lastTransitionTime, '2026-11-21T12:00:00Z');
  // What another replica wrote is not written again.
  const [standing] = policies.standings();
  assert.ok(standing !== undefined);
  const value = { ...standing.object.value, status: sent[0].value.status };
  const another = statusWriter({
    api: { patch: () => assert.fail('written again') },
    clock: () => new Date(),
    failed: assert.fail,
  });
  await another.write([{ ...standing, object: { ...standing.object, value } }]);
});

test('a ClusterImagePolicy decides as a file of it does, and one that cannot be read refuses everything', async () => {
  const objects = collection();
  const policies = clusterPolicies([{ kind: CLUSTER_IMAGE_POLICIES, collection: objects }]);
  const images = [{ glob: 'registry.example/prod/*' }];
  objects.put('signed', { images, authorities: [{ key: { data: PEM } }] });
  const set = await setOf(policies);
  assert.equal(covering(set, 'registry.example/prod/app').length, 1);
  assert.ok(!refuses(set, 'registry.example/prod/app'));
  objects.put('broken', { images: [], authorities: [{ key: { data: PEM } }] });
  assert.ok(refuses(await setOf(policies), 'elsewhere.example/app'));
  objects.put('broken', 'text');
  assert.ok(refuses(await setOf(policies), 'elsewhere.example/app'));
});
