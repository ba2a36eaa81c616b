import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parsePublicKeyPem } from '@bulla/trust/crypto/public-key';
import type { TrustPolicy } from '@bulla/trust/policy/document';
import { parsePolicies } from '@bulla/trust/policy/parse';
import type { PolicyScope } from '@bulla/trust/policy/policy-set';
import { policySet, readyPolicy } from '@bulla/trust/policy/ready';
import { parseTrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import { FULL, SMALL, UNSUPPORTED } from './policy-texts.ts';

function vector(path: string): Buffer {
  return readFileSync(new URL(`../../../../vectors/cosign/${path}`, import.meta.url));
}

function key(name: string) {
  return parsePublicKeyPem(vector(`keys/${name}.pub`).toString(), name);
}

const ROOT = parseTrustedRoot(vector('trust/trusted_root.json'), 'acme');
const OTHER_ROOT = parseTrustedRoot(vector('trust/no-tsas.json'), 'acme');
const RESOURCES = {
  keys: new Map(['qa', 'scan', 'vendor', 'dev'].map((name) => [name, key('p256')])),
  trustRoots: new Map([
    ['acme', ROOT],
    ['public-good', OTHER_ROOT],
  ]),
};

function parsed(text: string): TrustPolicy {
  const [policy] = parsePolicies(Buffer.from(text), 'policy.yaml').policies;
  assert.ok(policy !== undefined);
  return policy;
}

function ready(text: string, resources = RESOURCES) {
  return readyPolicy(parsed(text), resources);
}

const SCOPE: PolicyScope = {
  repository: 'registry.example/prod/app',
  surface: 'pull',
  namespace: 'prod-1',
  environment: 'eu',
};

/** Of FULL, whose patterns are of all three forms and which is limited in each way. */
const COVERAGE: readonly {
  readonly name: string;
  readonly scope: Partial<PolicyScope>;
  readonly mode?: string;
  readonly expect: boolean;
}[] = [
  { name: 'an image of its glob', scope: {}, expect: true },
  {
    name: 'an image deep under its glob',
    scope: { repository: 'registry.example/prod/a/b/c' },
    expect: true,
  },
  { name: 'the prefix itself', scope: { repository: 'registry.example/prod' }, expect: false },
  {
    name: 'an image beside its glob',
    scope: { repository: 'registry.example/production/a' },
    expect: false,
  },
  {
    name: 'an image that ends like its glob',
    scope: { repository: 'evil.example/registry.example/prod/a' },
    expect: false,
  },
  {
    name: 'an image of its exact name',
    scope: { repository: 'docker.io/library/nginx' },
    expect: true,
  },
  {
    name: 'an image that begins as its exact name',
    scope: { repository: 'docker.io/library/nginx2' },
    expect: false,
  },
  { name: 'an image of its expression', scope: { repository: 'registry.example/a' }, expect: true },
  {
    name: 'an image that begins as its expression',
    scope: { repository: 'registry.example/a/b' },
    expect: false,
  },
  {
    name: 'an excluded image',
    scope: { repository: 'registry.example/prod/scratch/x' },
    expect: false,
  },
  {
    name: 'an image deeper than the exclusion',
    scope: { repository: 'registry.example/prod/scratch/x/y' },
    expect: true,
  },
  { name: 'another surface', scope: { surface: 'node' }, expect: false },
  { name: 'another namespace', scope: { namespace: 'dev' }, expect: false },
  { name: 'another environment', scope: { environment: 'asia' }, expect: false },
  { name: 'an environment that its own begins', scope: { environment: 'eu-1' }, expect: false },
  {
    name: 'an unknown namespace, enforcing',
    mode: 'enforce',
    scope: { namespace: null },
    expect: true,
  },
  {
    name: 'an unknown environment, enforcing',
    mode: 'enforce',
    scope: { environment: null },
    expect: true,
  },
  {
    name: 'an unknown namespace, warning',
    mode: 'warn',
    scope: { namespace: null },
    expect: false,
  },
  {
    name: 'an unknown environment, recording',
    mode: 'audit',
    scope: { environment: null },
    expect: false,
  },
];

for (const { name, scope, mode = 'enforce', expect } of COVERAGE) {
  test(`a policy covers ${name}: ${expect}`, () => {
    const policy = ready(FULL.replace('mode: warn', `mode: ${mode}`));
    assert.equal(policy.covers({ ...SCOPE, ...scope }), expect);
  });
}

test('a policy without limits covers what no door knows more of', () => {
  for (const mode of ['enforce', 'warn', 'audit']) {
    const policy = ready(SMALL.replace('spec:', `spec:\n  mode: ${mode}`));
    assert.ok(policy.covers({ ...SCOPE, namespace: null, environment: null }));
  }
});

test('each authority is ready by its kind, with its trust root and its proofs', () => {
  const { authorities } = ready(FULL);
  const release = authorities.get('release');
  assert.ok(release?.authority?.kind === 'keyless');
  const { issuer, subject, claims } = release.authority;
  assert.ok(issuer.matches('https://token.actions.githubusercontent.com'));
  assert.ok(!issuer.matches('https://token.actions.githubusercontent.com.evil.example'));
  const workflow = 'https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1';
  assert.ok(subject.matches(workflow));
  assert.ok(!subject.matches(workflow.replace('app', 'app/evil')));
  assert.deepEqual(claims, [{ claim: 'githubWorkflowTrigger', value: 'push' }]);
  assert.deepEqual(release.requirements, {
    trustRoot: ROOT,
    log: false,
    sct: true,
    timestamp: true,
  });
  const scan = authorities.get('scan');
  assert.equal(scan?.requirements.trustRoot, OTHER_ROOT);
  assert.equal(authorities.get('qa')?.requirements.trustRoot, null);
  assert.ok(scan.authority?.kind === 'key');
  assert.equal(scan.authority.key.id, key('p256').id);
});

test('an authority of a kind that is not supported is there, and proves nothing', () => {
  const { authorities } = ready(UNSUPPORTED);
  for (const kind of ['legacy', 'windows', 'hosts']) {
    assert.equal(authorities.get(kind)?.authority, null);
  }
});

const LACKING = [
  { name: 'a key', resources: { ...RESOURCES, keys: new Map() }, code: 'policy.file' },
  {
    name: 'a trust root',
    resources: { ...RESOURCES, trustRoots: new Map() },
    code: 'policy.trust-root-missing',
  },
];

for (const { name, resources, code } of LACKING) {
  test(`a policy that lacks ${name} does not become ready`, () => {
    assert.throws(() => ready(FULL, resources), { code });
  });
}

test('the hash of a policy changes with its text, its keys and its trust roots, and with nothing else', () => {
  const before = ready(FULL).hash;
  assert.match(before, /^sha256:[0-9a-f]{64}$/);
  assert.equal(ready(`# a comment\n${FULL}`).hash, before);
  assert.equal(ready(JSON.stringify(yamlAsJson())).hash, ready(SMALL).hash);
  const keys = new Map(RESOURCES.keys).set('qa', key('second'));
  const trustRoots = new Map(RESOURCES.trustRoots).set('acme', OTHER_ROOT);
  const others = [
    ready(FULL.replace('high: 3', 'high: 2')).hash,
    ready(FULL.replace('mode: warn', 'mode: audit')).hash,
    ready(FULL, { ...RESOURCES, keys }).hash,
    ready(FULL, { ...RESOURCES, trustRoots }).hash,
  ];
  assert.equal(new Set([before, ...others]).size, 5);
});

/** SMALL, written as JSON with its members in another order. */
function yamlAsJson() {
  return {
    spec: {
      require: { signed: { of: ['dev'] } },
      authorities: { dev: { key: { ref: 'dev.pub' } } },
      images: [{ glob: '**' }],
    },
    metadata: { name: 'small' },
    kind: 'TrustPolicy',
    apiVersion: 'bulla.dev/v1',
  };
}

test('a set is the same in any order, and another with any other policy', () => {
  const [a, b] = [ready(SMALL), ready(FULL)];
  const set = policySet([a, b]);
  assert.equal(policySet([b, a]).hash, set.hash);
  assert.deepEqual(
    set.policies.map(({ document }) => document.name),
    ['production', 'small'],
  );
  const hashes = [set.hash, policySet([a]).hash, policySet([b]).hash, policySet([]).hash];
  assert.equal(new Set(hashes).size, 4);
});

test('a set names each trust root that its policies use, with its digest', () => {
  assert.equal(
    policySet([ready(SMALL), ready(FULL)]).trustRootVersion,
    `acme@${ROOT.digest} public-good@${OTHER_ROOT.digest}`,
  );
  assert.equal(policySet([ready(SMALL)]).trustRootVersion, 'none');
});

test('two policies of one name are no set', () => {
  const other = ready(SMALL.replace('"**"', 'a.example/**'));
  assert.throws(() => policySet([ready(SMALL), other]), { code: 'policy.name-repeated' });
});
