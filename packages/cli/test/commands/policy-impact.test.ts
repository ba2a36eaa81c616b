import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Registry, startRegistry } from '@bulla/server/registry';
import { violations } from '../../../../journeys/json-schema.ts';
import { call } from './call.ts';
import { startUp } from './house.ts';
import { bulla, emptyFolder, vector } from './run.ts';

const SCHEMA = new URL('../../../../docs/schemas/policy-impact.schema.json', import.meta.url);
const LAYOUT = vector('oci/cosign-key-legacy');

function policyText(mode: string, require: string): string {
  return `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: prod }
spec:
  images: [{ glob: "**" }]
  mode: ${mode}
  authorities: { dev: { key: { ref: p256.pub } }, qa: { key: { ref: second.pub } } }
  require: ${require}
`;
}

let folder: Awaited<ReturnType<typeof emptyFolder>>;
let registry: Registry;
const path = (name: string) => join(folder.path, name);
const image = (name: string) => `${registry.host}/shop/${name}`;
/** The digest of each image. */
const digests = new Map<string, string>();

/** `web` is signed by dev, `both` by dev and qa, `bare` by nobody. */
before(async () => {
  folder = await emptyFolder();
  registry = await startRegistry({ storage: 'memory' });
  for (const key of ['p256', 'second']) await cp(vector(`keys/${key}.pub`), path(`${key}.pub`));
  await writeFile(path('either.yaml'), policyText('enforce', '{ signed: { of: [dev, qa] } }'));
  await writeFile(
    path('two.yaml'),
    policyText('enforce', '{ signed: { of: [dev, qa], atLeast: 2 } }'),
  );
  for (const [name, tag] of [
    ['web', 'p256'],
    ['both', 'p256'],
    ['bare', 'p384'],
  ]) {
    await ok(['copy', `oci:${LAYOUT}:${tag}`, image(`${name}:v1`)]);
    const answer = await fetch(`${registry.url}/v2/shop/${name}/manifests/v1`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    digests.set(name ?? '', answer.headers.get('docker-content-digest') ?? '');
    await answer.arrayBuffer();
  }
  await ok(['sign', '--key', vector('keys/second.plain.pem'), image('both:v1')]);
});

after(async () => {
  await registry.close();
  await folder[Symbol.asyncDispose]();
});

async function ok(args: readonly string[]): Promise<void> {
  const { code, err } = await call(args);
  assert.equal(code, 0, err);
}

interface Shown {
  readonly repository: string;
  readonly digest: string;
  readonly impact: string;
  readonly running: readonly string[];
  readonly tags: readonly string[];
  readonly policies: readonly { readonly losing: readonly string[] }[];
}

/** The classes of the images by the ends of their names, and the exit code. */
async function impacts(args: readonly string[], env = {}, run = call) {
  const { code, out, err } = await run(['policy', 'impact', ...args, '-o', 'json'], env);
  assert.notEqual(out, '', err);
  const document = JSON.parse(out) as { readonly images: readonly Shown[] };
  assert.deepEqual(violations(JSON.parse(await readFile(SCHEMA, 'utf8')), document), []);
  const { images } = document;
  const found = images.map(({ repository, impact }) => [repository.split('/').at(-1), impact]);
  return { code, images, found: Object.fromEntries(found) as Record<string, string>, err };
}

const CASES = [
  {
    policy: 'either.yaml',
    key: 'dev',
    exit: 1,
    expect: { web: 'lost', both: 'at-risk', bare: 'refused' },
  },
  {
    policy: 'either.yaml',
    key: 'qa',
    exit: 0,
    expect: { web: 'kept', both: 'at-risk', bare: 'refused' },
  },
  {
    policy: 'either.yaml',
    key: 'p256.pub',
    exit: 1,
    expect: { web: 'lost', both: 'at-risk', bare: 'refused' },
  },
  {
    policy: 'two.yaml',
    key: 'qa',
    exit: 1,
    expect: { web: 'refused', both: 'lost', bare: 'refused' },
  },
] as const;

for (const { policy, key, exit, expect } of CASES) {
  test(`every tag of a registry, by ${policy}, when ${key} is retired`, async () => {
    const args = ['--policy', path(policy), '--registry', `${registry.host}/shop`];
    const retired = key.endsWith('.pub') ? path(key) : key;
    const { code, found, err } = await impacts([...args, '--retire-key', retired]);
    assert.deepEqual([code, found], [exit, expect], err);
  });
}

const ISSUER = 'http://127.0.0.1:7005';

/** Of an image that dev@acme.example signed, and one that a workflow of another issuer did. */
const KEYLESS = [
  { change: ['--retire-root', 'acme'], exit: 1, expect: { email: 'lost', ci: 'refused' } },
  {
    change: ['--rename-identity', 'dev@acme.example', 'dev@new.example'],
    exit: 1,
    expect: { email: 'lost', ci: 'refused' },
  },
  {
    // The other way round: nobody loses, and nobody who could have has signed.
    change: ['--rename-identity', 'robot@acme.example', 'bot@acme.example'],
    exit: 0,
    expect: { email: 'kept', ci: 'refused' },
  },
  {
    change: ['--rename-identity', `${ISSUER}|dev@acme.example`, `${ISSUER}|dev@new.example`],
    exit: 1,
    expect: { email: 'lost', ci: 'refused' },
  },
] as const;

for (const { change, exit, expect } of KEYLESS) {
  test(`what cosign signed without a key, by ${change.join(' ')}`, async () => {
    const layout = vector('oci/cosign-keyless-bundle');
    for (const tag of ['email', 'ci']) {
      await ok(['copy', `oci:${layout}:${tag}`, `${registry.host}/people/${tag}:v1`]);
    }
    await writeFile(
      path('people.yaml'),
      `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: people }
spec:
  images: [{ glob: "**/people/**" }]
  authorities:
    people:
      keyless:
        issuer: { exact: "${ISSUER}" }
        subject: { glob: "*@acme.example" }
        trustRoot: acme
  require: { signed: { of: [people] } }
`,
    );
    const root = `acme=${vector('trust/trusted_root.json')}`;
    const args = ['--policy', path('people.yaml'), '--trust-root', root];
    const from = ['--registry', `${registry.host}/people`];
    const { code, found, err } = await impacts([...args, ...from, ...change]);
    assert.deepEqual([code, found], [exit, expect], err);
  });
}

test('the text has the list to sign again, with what to run', async () => {
  const args = ['--policy', path('either.yaml'), '--registry', `${registry.host}/shop/web`];
  const { code, out } = await call(['policy', 'impact', ...args, '--retire-key', 'dev']);
  assert.equal(code, 1);
  assert.match(out, /^1 lose their last valid path:$/m);
  assert.match(out, /shop\/web@sha256:[0-9a-f]{64} {3}v1$/m);
  assert.match(out, /to do: sign sha256:\w+ with the key of authority qa/);
  assert.match(out, /bulla sign --key KEY \S+\/shop\/web@sha256:/);
});

/** Pods as kubectl lists them: each container with its name, image and what its node runs. */
function inventory(
  pods: readonly {
    readonly name: string;
    readonly image: string;
    readonly id: string;
    readonly phase?: string;
  }[],
) {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: pods.map(({ name, image: reference, id, phase = 'Running' }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'shop' },
      spec: { containers: [{ name: 'main', image: reference }] },
      status: { phase, containerStatuses: [{ name: 'main', image: reference, imageID: id }] },
    })),
  });
}

test('what a cluster runs is told from stored evidence alone, and nothing is fetched for it', async () => {
  const saved = path('evidence.jsonl');
  const policy = ['--policy', path('either.yaml')];
  await ok(['gate', ...policy, '--save-evidence', saved, image('web:v1')]);
  const at = (name: string) => `${image(name)}@${digests.get(name)}`;
  const pods = [
    // The tag has moved on since: what the node says that it runs is what counts.
    { name: 'web-0', image: image('web:v0'), id: at('web') },
    { name: 'both-0', image: image('both:v1'), id: at('both') },
    { name: 'config-only', image: image('bare:v1'), id: `sha256:${'7'.repeat(64)}` },
    { name: 'done', image: image('ended:v1'), id: at('bare'), phase: 'Succeeded' },
  ];
  await writeFile(path('pods.json'), inventory(pods));
  const stored = [...policy, '--retire-key', 'dev', '--evidence', saved];
  const { code, images, found } = await impacts([...stored, '--cluster', path('pods.json')]);
  assert.equal(code, 1);
  assert.deepEqual(found, { web: 'lost', both: 'unknown', bare: 'unknown' });
  const web = images.find(({ impact }) => impact === 'lost');
  assert.deepEqual(web?.running, ['Pod shop/web-0: main']);
  assert.equal(web?.digest, digests.get('web'));

  // With nothing stored the same is fetched, by digest.
  const fetched = await impacts([...policy, '--retire-key', 'dev', '--cluster', path('pods.json')]);
  assert.deepEqual(fetched.found, { web: 'lost', both: 'at-risk', bare: 'refused' });
});

test('a record tells of everything that it has decided about', async () => {
  const data = path('data');
  await writeFile(path('audit.yaml'), policyText('audit', '{ signed: { of: [dev, qa] } }'));
  {
    await using house = await startUp(data, ['--policy', path('audit.yaml')]);
    const { registry: host, pushToken } = house.ready;
    const login = ['--registry-username', 'token', '--registry-password', pushToken ?? ''];
    for (const name of ['web', 'both']) {
      const copied = await bulla(['copy', ...login, image(`${name}:v1`), `${host}/${name}:v1`]);
      assert.equal(copied.code, 0, copied.err);
      const answer = await fetch(`http://${host}/v2/${name}/manifests/v1`, {
        headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
      });
      assert.equal(answer.status, 200, await answer.text());
    }
  }
  const args = ['--policy', path('audit.yaml'), '--data', data];
  const { code, found, images } = await impacts([...args, '--retire-key', 'dev']);
  assert.equal(code, 1);
  assert.deepEqual(found, { web: 'lost', both: 'at-risk' });
  assert.deepEqual(images[0]?.tags, ['v1']);

  // The record looked for signatures alone: what else a policy asks for it cannot tell.
  await writeFile(
    path('scanned.yaml'),
    policyText(
      'warn',
      '{ all: [{ signed: { of: [dev, qa] } }, { attested: { type: vuln, by: [dev, qa] } }] }',
    ),
  );
  const other = ['--policy', path('scanned.yaml'), '--data', data, '--retire-key', 'dev'];
  const scanned = await impacts(other);
  assert.deepEqual([scanned.code, scanned.found], [3, { web: 'unknown', both: 'unknown' }]);
});

test('wrong use exits with 2, and a change that touches nobody is no clean bill', async () => {
  const known = ['--policy', path('either.yaml')];
  const at = ['--registry', registry.host];
  await writeFile(path('deployments.json'), '{"kind":"DeploymentList","items":[]}');
  for (const args of [
    [...known, ...at],
    [...known, ...at, '--retire-key', 'nobody'],
    [...known, ...at, '--retire-key', 'f'.repeat(64)],
    [...known, ...at, '--retire-root', 'public-good'],
    [...known, ...at, '--rename-identity', 'a@example.com', 'b@example.com'],
    [...known, ...at, '--rename-identity', 'a@example.com'],
    [...known, '--cluster', path('deployments.json'), '--retire-key', 'dev'],
    [...known, '--data', path('nowhere'), '--retire-key', 'dev'],
    [...at, '--retire-key', 'dev'],
  ]) {
    const { code, err } = await call(['policy', 'impact', ...args]);
    assert.equal(code, 2, `${args.join(' ')}\n${err}`);
  }
});

test('a simulation walks a registry, and a cluster in its namespaces', async () => {
  await writeFile(
    path('shop.yaml'),
    `${policyText('enforce', '{ signed: { of: [qa] } }')}  namespaces: [{ exact: shop }]\n---\n${policyText('enforce', '{ signed: { of: [dev, qa] } }').replace('name: prod', 'name: rest')}`,
  );
  const args = ['policy', 'simulate', '--policy', path('shop.yaml')];
  const against = ['--against', path('either.yaml'), '-o', 'json'];
  const walked = await call([...args, ...against, '--registry', `${registry.host}/shop`]);
  const { counts } = JSON.parse(walked.out);
  assert.deepEqual([counts.refused, counts.unchanged], [1, { admitted: 1, refused: 1 }]);
  const pods = [
    { name: 'web-0', image: image('web:v1'), id: `${image('web')}@${digests.get('web')}` },
  ];
  const elsewhere = inventory(pods).replace('"namespace":"shop"', '"namespace":"lab"');
  for (const [text, groups] of [
    [inventory(pods), [['refused', 'prod', 'shop']]],
    [elsewhere, []],
  ] as const) {
    await writeFile(path('running.json'), text);
    const run = await call([...args, ...against, '--cluster', path('running.json')]);
    const document = JSON.parse(run.out) as {
      readonly groups: readonly {
        readonly change: string;
        readonly policy: string;
        readonly namespace: string;
      }[];
    };
    assert.deepEqual(
      document.groups.map(({ change, policy, namespace }) => [change, policy, namespace]),
      groups,
    );
    assert.equal(run.code, groups.length);
  }
});
