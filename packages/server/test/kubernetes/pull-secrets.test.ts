import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubernetesApi } from '../../src/kubernetes/api.ts';
import { connectCluster } from '../../src/kubernetes/connect.ts';
import { openPullSecrets, type PullSecretsQuestion } from '../../src/kubernetes/pull-secrets.ts';
import { startTestApiServer, type TestApiServer } from './api-server.ts';
import { thrownBy } from './thrown.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const auths = (entries: Readonly<Record<string, string>>) => ({
  auths: Object.fromEntries(
    Object.entries(entries).map(([key, login]) => [key, { auth: base64(login) }]),
  ),
});
const secret = (config: object) => ({
  metadata: {},
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64(JSON.stringify(config)) },
});
const IN = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets`;
const NOBODY = { imagePullSecrets: [], serviceAccountName: null };

async function secretsOf(cluster: TestApiServer, clock = { ms: 0 }) {
  const access = await connectCluster({ kubeconfig: cluster.kubeconfig, context: null }, {});
  return openPullSecrets({ api: kubernetesApi(access, null), nowMs: () => clock.ms });
}

const LOGIN = { username: 'ann', password: 'pa:ss' };

const FORMS = [
  { name: 'a host', key: 'registry.example', expect: ['registry.example'] },
  {
    name: 'a host with a scheme and the path of an API',
    key: 'https://registry.example/v1/',
    expect: ['registry.example'],
  },
  {
    name: 'Docker Hub by the address of its old API',
    key: 'https://index.docker.io/v1/',
    expect: ['docker.io'],
  },
  { name: 'a port', key: 'registry.example:5000', expect: ['registry.example:5000'] },
  { name: 'a path', key: 'registry.example/team/app', expect: ['registry.example/team/app'] },
  {
    name: 'a path below the API',
    key: 'https://registry.example/v2/team',
    expect: ['registry.example/team'],
  },
  { name: 'a star for a label', key: '*.example', expect: ['registry.example'] },
  { name: 'a star within a label', key: 'reg*ry.example', expect: ['registry.example'] },
  { name: 'a star is never two labels', key: '*', expect: [] },
  { name: 'a star with another port', key: '*.example:5000', expect: [] },
  { name: 'a star for a host that nobody pulls from', key: '*.elsewhere', expect: [] },
  { name: 'a label that only begins alike', key: 'reg*x.example', expect: [] },
  { name: 'what is no host', key: 'a host', expect: [] },
] as const;

for (const { name, key, expect } of FORMS) {
  test(`keys of a pull secret: ${name}`, async () => {
    await using cluster = await startTestApiServer();
    cluster.put(`${IN('shop')}/pull`, secret(auths({ [key]: 'ann:pa:ss' })));
    const pullSecretsOf = await secretsOf(cluster);
    const found = await pullSecretsOf({
      namespace: 'shop',
      imagePullSecrets: ['pull'],
      serviceAccountName: null,
      registries: ['registry.example', 'a.b.example'],
    });
    assert.deepEqual(
      found,
      expect.map((registry) => ({ registry, ...LOGIN })),
    );
  });
}

test('a longer path comes before its beginning', async () => {
  await using cluster = await startTestApiServer();
  const keys = { 'r.example': 'a:1', 'r.example/team': 'b:2', 'r.example/team/app': 'c:3' };
  cluster.put(`${IN('shop')}/pull`, secret(auths(keys)));
  const pullSecretsOf = await secretsOf(cluster);
  const found = await pullSecretsOf({ ...NOBODY, namespace: 'shop', imagePullSecrets: ['pull'] });
  assert.deepEqual(
    found.map(({ registry }) => registry),
    ['r.example/team/app', 'r.example/team', 'r.example'],
  );
});

const NAMES: readonly {
  readonly name: string;
  readonly asks: Omit<PullSecretsQuestion, 'namespace'>;
  readonly expect: readonly string[];
}[] = [
  {
    name: 'those that the Pod names',
    asks: { imagePullSecrets: ['own'], serviceAccountName: 'runner' },
    expect: ['own.example'],
  },
  {
    name: 'those of its service account where it names none',
    asks: { imagePullSecrets: [], serviceAccountName: 'runner' },
    expect: ['account.example'],
  },
  {
    name: 'those of the default account where it names no account',
    asks: NOBODY,
    expect: ['default.example'],
  },
  {
    name: 'none of an account that is not there',
    asks: { imagePullSecrets: [], serviceAccountName: 'gone' },
    expect: [],
  },
  {
    name: 'none of a Secret that is not there',
    asks: { imagePullSecrets: ['gone', 'own'], serviceAccountName: null },
    expect: ['own.example'],
  },
  {
    name: 'none of a Secret of another type',
    asks: { imagePullSecrets: ['opaque'], serviceAccountName: null },
    expect: [],
  },
  {
    name: 'none of a Secret that cannot be read',
    asks: { imagePullSecrets: ['broken'], serviceAccountName: null },
    expect: [],
  },
  {
    name: 'those of the older type',
    asks: { imagePullSecrets: ['older'], serviceAccountName: null },
    expect: ['older.example'],
  },
];

for (const { name, asks, expect } of NAMES) {
  test(`pull secrets of a Pod: ${name}`, async () => {
    await using cluster = await startTestApiServer();
    const account = (names: readonly string[]) => ({
      metadata: {},
      imagePullSecrets: names.map((one) => ({ name: one })),
    });
    const accounts = '/api/v1/namespaces/shop/serviceaccounts';
    cluster.put(`${accounts}/runner`, account(['of-account']));
    cluster.put(`${accounts}/default`, account(['of-default']));
    cluster.put(`${IN('shop')}/own`, secret(auths({ 'own.example': 'a:1' })));
    cluster.put(`${IN('shop')}/of-account`, secret(auths({ 'account.example': 'a:1' })));
    cluster.put(`${IN('shop')}/of-default`, secret(auths({ 'default.example': 'a:1' })));
    cluster.put(`${IN('shop')}/opaque`, {
      ...secret(auths({ 'o.example': 'a:1' })),
      type: 'Opaque',
    });
    cluster.put(`${IN('shop')}/broken`, {
      ...secret({}),
      data: { '.dockerconfigjson': base64('{') },
    });
    cluster.put(`${IN('shop')}/older`, {
      metadata: {},
      type: 'kubernetes.io/dockercfg',
      data: {
        '.dockercfg': base64(JSON.stringify({ 'older.example': { username: 'a', password: '1' } })),
      },
    });
    const pullSecretsOf = await secretsOf(cluster);
    const found = await pullSecretsOf({ namespace: 'shop', ...asks });
    assert.deepEqual(
      found.map(({ registry }) => registry),
      expect,
    );
  });
}

// Semantics 16: whoever may make Pods in one namespace must not borrow the secrets of another.
test('a name never leads into another namespace', async () => {
  await using cluster = await startTestApiServer();
  cluster.put(`${IN('vault')}/pull`, secret(auths({ 'vault.example': 'root:secret' })));
  const pullSecretsOf = await secretsOf(cluster);
  for (const name of ['../../vault/secrets/pull', 'pull?x=', '..', 'Pull', '']) {
    const asked = { namespace: 'shop', imagePullSecrets: [name], serviceAccountName: null };
    assert.deepEqual(await pullSecretsOf(asked), []);
  }
  const elsewhere = { ...NOBODY, namespace: 'shop/../vault', imagePullSecrets: ['pull'] };
  assert.equal((await thrownBy(pullSecretsOf(elsewhere))).code, 'kubernetes.answer-invalid');
  assert.deepEqual(cluster.asked, []);
});

test('an outage is an outage, and is not kept', async () => {
  await using cluster = await startTestApiServer();
  cluster.put(`${IN('shop')}/pull`, secret(auths({ 'r.example': 'a:1' })));
  const pullSecretsOf = await secretsOf(cluster);
  const asked = { ...NOBODY, namespace: 'shop', imagePullSecrets: ['pull'] };
  cluster.fail('GET', 500);
  assert.equal((await thrownBy(pullSecretsOf(asked))).code, 'kubernetes.unreachable');
  cluster.fail('GET', null);
  assert.equal((await pullSecretsOf(asked)).length, 1);
});

test('what was read serves ten seconds, and no longer', async () => {
  await using cluster = await startTestApiServer();
  cluster.put(`${IN('shop')}/pull`, secret(auths({ 'r.example': 'a:1' })));
  const clock = { ms: 0 };
  const pullSecretsOf = await secretsOf(cluster, clock);
  const asked = { ...NOBODY, namespace: 'shop', imagePullSecrets: ['pull'] };
  await Promise.all([pullSecretsOf(asked), pullSecretsOf(asked)]);
  await pullSecretsOf(asked);
  assert.equal(cluster.asked.length, 1);
  cluster.put(`${IN('shop')}/pull`, secret(auths({ 'r.example': 'a:2' })));
  clock.ms += 10_001;
  assert.equal((await pullSecretsOf(asked))[0]?.password, '2');
});
