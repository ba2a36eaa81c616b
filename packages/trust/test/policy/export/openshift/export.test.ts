import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import test from 'node:test';
import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { exportOpenShift } from '@bulla/trust/policy/export/openshift/export';
import { REFUSING_KEY } from '@bulla/trust/policy/export/openshift/refusing-key';
import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { A, B, data, PLACE, policy } from '../ground.ts';

const ALL = { glob: 'r.example/**' };
const signed = (...of: readonly string[]) => ({ signed: { of } });
const NOBODY = Buffer.from(REFUSING_KEY).toString('base64');

interface Found {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly scopes: readonly string[];
  readonly key: string | undefined;
  readonly match: string;
  readonly name: string;
}

function objects(policies: readonly ReadyPolicy[]): readonly Found[] {
  const { files } = exportOpenShift(policies, PLACE);
  const text = files.get('image-policies.yaml') ?? '';
  const { documents, problems } = parseYamlDocuments(Buffer.from(text), 'o', 'policy.malformed');
  assert.deepEqual(problems, []);
  return documents.map((node) => {
    const { apiVersion, kind, metadata, spec } = JSON.parse(JSON.stringify(plainValue(node)));
    assert.equal(apiVersion, 'config.openshift.io/v1');
    assert.match(metadata.name, /^[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?$/);
    const { rootOfTrust, signedIdentity } = spec.policy;
    return {
      kind,
      namespace: metadata.namespace,
      scopes: spec.scopes,
      key: rootOfTrust.publicKey?.keyData,
      match: signedIdentity.matchPolicy,
      name: metadata.name,
    };
  });
}

test('each signature is an object, and those of one scope must all hold', () => {
  const both = policy([ALL], { signed: { atLeast: 2, of: ['a', 'b'] } });
  const found = objects([both]);
  assert.deepEqual(
    found.map(({ kind, scopes, key, match }) => ({ kind, scopes, key, match })),
    [A, B].map((key) => ({
      kind: 'ClusterImagePolicy',
      scopes: ['r.example'],
      key: data(key),
      match: 'MatchRepository',
    })),
  );
  assert.equal(new Set(found.map(({ name }) => name)).size, 2);
});

test('what cannot be said asks for a key that nobody holds: left out, it would be admitted', () => {
  for (const require of [
    signed('a', 'b'),
    signed('pattern'),
    { attested: { type: 'vuln', by: ['a'] } },
  ]) {
    const found = objects([policy([ALL], require)]);
    assert.deepEqual(
      found.map(({ key }) => key),
      [NOBODY],
    );
  }
});

test('the key that nobody holds is the point that its text gives', () => {
  const x = createHash('sha256').update('Bulla: nobody holds this key 2').digest();
  const key = createPublicKey(REFUSING_KEY).export({ format: 'jwk' });
  assert.equal(key.crv, 'P-256');
  assert.deepEqual(Buffer.from(key.x ?? '', 'base64url'), x);
  assert.equal((Buffer.from(key.y ?? '', 'base64url').at(-1) ?? 1) % 2, 0);
});

test('an identity and its certificate authority', () => {
  const { files } = exportOpenShift([policy([ALL], signed('email'))], PLACE);
  const text = files.get('image-policies.yaml') ?? '';
  assert.match(text, /policyType: FulcioCAWithRekor/);
  assert.match(text, /oidcIssuer: https:\/\/issuer\.example/);
  assert.match(text, /signedEmail: dev@acme\.example/);
  assert.match(text, /rekorKeyData: /);
});

test('a namespace has its own objects, unless the cluster has a scope that hides them', () => {
  const apart = policy(
    [{ glob: 's.example/**' }],
    signed('b'),
    { namespaces: [{ exact: 'prod' }] },
    'n',
  );
  const cluster = policy([ALL], signed('a'));
  assert.deepEqual(
    objects([cluster, apart]).map(({ kind, namespace, scopes }) => [kind, namespace, scopes[0]]),
    [
      ['ClusterImagePolicy', undefined, 'r.example'],
      ['ImagePolicy', 'prod', 's.example'],
    ],
  );
  const hidden = policy(
    [{ exact: 'r.example/a' }],
    signed('b'),
    { namespaces: [{ exact: 'prod' }] },
    'n',
  );
  const found = objects([cluster, hidden]);
  assert.deepEqual([...new Set(found.map(({ kind }) => kind))], ['ClusterImagePolicy']);
  // Both hold for the repository in every namespace: more than was asked, never less.
  const own = found.filter(({ scopes }) => scopes[0] === 'r.example/a');
  assert.deepEqual(own.map(({ key }) => key).toSorted(), [data(A), data(B)].toSorted());
});

test('one that is hidden hides the next', () => {
  const at = (name: string, images: readonly object[], namespace: string | null) =>
    policy(
      images,
      signed('a'),
      namespace === null ? {} : { namespaces: [{ exact: namespace }] },
      name,
    );
  const found = objects([
    at('c', [{ glob: 'r.example/**' }], null),
    at('n', [{ glob: 'r.example/a/**' }, { glob: 's.example/**' }], 'x'),
    at('m', [{ glob: 's.example/b/**' }], 'y'),
  ]);
  assert.deepEqual([...new Set(found.map(({ kind }) => kind))], ['ClusterImagePolicy']);
});

for (const [name, image] of [
  ['every registry', { glob: '**' }],
  ['an expression', { regex: 'r.*' }],
  ['a host without a dot', { glob: 'registry:5000/**' }],
] as const) {
  test(`a policy of ${name} is not exported at all`, () => {
    assert.throws(() => exportOpenShift([policy([image], signed('a'))], PLACE), {
      code: 'policy.not-expressible',
    });
  });
}

test('that OpenShift admits what no scope names is said each time', () => {
  const { notes } = exportOpenShift([policy([ALL], signed('a'))], PLACE);
  assert.deepEqual(
    notes.map(({ effect, scope }) => [effect, scope]),
    [['wider', null]],
  );
});
