import assert from 'node:assert/strict';
import test from 'node:test';
import { formatPolicies } from '@bulla/trust/policy/format';
import { type InitialPolicy, initialPolicy } from '@bulla/trust/policy/init';
import { parsePolicies } from '@bulla/trust/policy/parse';
import fc from 'fast-check';

const POLICIES: readonly { readonly name: string; readonly policy: InitialPolicy }[] = [
  {
    name: 'a key',
    policy: {
      name: 'production',
      images: [{ glob: 'registry.example/prod/**' }, { exact: 'docker.io/library/nginx' }],
      signer: { kind: 'key', ref: 'cosign.pub' },
    },
  },
  {
    name: 'an identity',
    policy: {
      name: 'starter',
      images: [{ glob: '**' }],
      signer: {
        kind: 'keyless',
        issuer: { exact: 'https://token.actions.githubusercontent.com' },
        subject: { regex: 'https://github\\.com/acme/.*@refs/tags/v[0-9]+"?' },
        trustRoot: 'public-good',
      },
      mode: 'audit',
      header: ['Written by bulla up.', 'It refuses nothing yet.'],
    },
  },
];

for (const { name, policy } of POLICIES) {
  test(`a first policy of ${name} works as it stands and is in its one form`, () => {
    const text = initialPolicy(policy);
    const { policies, problems } = parsePolicies(Buffer.from(text), 'policy.yaml');
    assert.deepEqual(problems, []);
    const [read] = policies;
    assert.equal(read?.name, policy.name);
    assert.deepEqual(read?.images, policy.images);
    assert.equal(read?.mode, policy.mode ?? 'enforce');
    assert.deepEqual(read?.require, {
      kind: 'signed',
      of: ['release'],
      atLeast: 1,
      annotations: {},
    });
    assert.equal(formatPolicies(text, 'policy.yaml'), text);
  });
}

test('whatever the path of a key, the policy names that path', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }), (ref) => {
      fc.pre(!/^\w[\w+.-]*:\/\/|^pkcs11:|\0/i.test(ref));
      const signer = { kind: 'key', ref } as const;
      const text = initialPolicy({ name: 'a', images: [{ glob: '**' }], signer });
      const [read] = parsePolicies(Buffer.from(text), 'policy.yaml').policies;
      const release = read?.authorities['release'];
      assert.equal(release?.kind === 'key' && release.ref, ref);
    }),
    { numRuns: 1000 },
  );
});
