import assert from 'node:assert/strict';
import test from 'node:test';
import { A, B, cip, FAIL, keyOf, own, PASS, pem } from './cip-texts.ts';

const IDENTITY = { issuer: 'https://issuer.example', subject: 'dev@acme.example' };
const keyless = (more: object, beside: object = {}): object => ({
  keyless: { identities: [IDENTITY], ...more },
  ...beside,
});

/** Each proof of PC-7, PC-10 and PC-11: what the authority is, or `null` where it refuses. */
const PROOFS: readonly (readonly [string, object, object | null])[] = [
  [
    'keyless alone',
    keyless({}),
    { trustRoot: 'public-good', log: true, sct: true, timestamp: false },
  ],
  [
    'the public Fulcio',
    keyless({ url: 'https://fulcio.sigstore.dev' }),
    { trustRoot: 'public-good' },
  ],
  ['another Fulcio', keyless({ url: 'https://fulcio.acme.example' }), null],
  ['ca-cert', keyless({ 'ca-cert': { data: 'x' } }), null],
  ['a trust root and no ctlog', keyless({ trustRootRef: 'acme' }), null],
  [
    'a trust root and its log',
    keyless({ trustRootRef: 'acme' }, { ctlog: { trustRootRef: 'acme' } }),
    { trustRoot: 'acme', log: true, timestamp: false },
  ],
  ['another log', keyless({ trustRootRef: 'acme' }, { ctlog: { trustRootRef: 'b' } }), null],
  [
    'the public log beside a root',
    keyless({ trustRootRef: 'acme' }, { ctlog: { url: 'https://rekor.sigstore.dev' } }),
    null,
  ],
  [
    'a trust root that is named as ours',
    keyless({ trustRootRef: 'public-good' }, { ctlog: { trustRootRef: 'public-good' } }),
    null,
  ],
  [
    'the public log',
    keyless({}, { ctlog: { url: 'https://rekor.sigstore.dev' } }),
    { trustRoot: 'public-good', log: true },
  ],
  ['a log of one’s own', keyless({}, { ctlog: { url: 'https://rekor.acme.example' } }), null],
  ['an empty ctlog', keyless({}, { ctlog: {} }), null],
  [
    'a timestamp',
    keyless({ trustRootRef: 'acme' }, { rfc3161timestamp: { trustRootRef: 'acme' } }),
    { trustRoot: 'acme', log: false, timestamp: true },
  ],
  [
    'another timestamp',
    keyless({ trustRootRef: 'acme' }, { rfc3161timestamp: { trustRootRef: 'b' } }),
    null,
  ],
  ['a timestamp of nobody', keyless({}, { rfc3161timestamp: {} }), null],
  [
    'a bundle by one root',
    keyless({ trustRootRef: 'acme' }, { signatureFormat: 'bundle' }),
    { trustRoot: 'acme', log: true },
  ],
  ['no SCT', keyless({ insecureIgnoreSCT: true }), { sct: false }],
  ['a key alone', keyOf(A), { trustRoot: null }],
  ['a key with an empty ctlog', { ...keyOf(A), ctlog: {} }, { trustRoot: null }],
  [
    'a key with a log',
    { ...keyOf(A), ctlog: { trustRootRef: 'acme' } },
    { trustRoot: 'acme', log: true },
  ],
  [
    'a key with the public log',
    { ...keyOf(A), ctlog: { url: 'https://rekor.sigstore.dev' } },
    { trustRoot: 'public-good', log: true },
  ],
  ['a key with a timestamp', { ...keyOf(A), rfc3161timestamp: { trustRootRef: 'acme' } }, null],
  ['a key of a KMS', { key: { kms: 'gcpkms://x' } }, null],
  ['a key of a Secret', { key: { secretRef: { name: 'x' } } }, null],
  ['a key that is none', { key: { data: 'no PEM' } }, null],
  ['signatures elsewhere', { ...keyOf(A), source: [{ oci: 'other.example/sigs' }] }, null],
  ['another prefix of tags', { ...keyOf(A), source: [{ tagPrefix: 'x' }] }, null],
  [
    'pull secrets',
    { ...keyOf(A), source: [{ signaturePullSecrets: [{ name: 'x' }] }] },
    { trustRoot: null },
  ],
  [
    'a CUE policy',
    {
      ...keyOf(A),
      attestations: [{ name: 'a', predicateType: 'vuln', policy: { type: 'cue', data: 'x' } }],
    },
    null,
  ],
  [
    'a Rego policy',
    {
      ...keyOf(A),
      attestations: [{ name: 'a', predicateType: 'vuln', policy: { type: 'rego', remote: {} } }],
    },
    null,
  ],
  [
    'a type that is no URI',
    { ...keyOf(A), attestations: [{ name: 'a', predicateType: 'vsa' }] },
    null,
  ],
  [
    'an expression that needs look-around',
    { keyless: { identities: [{ issuer: 'https://i.example', subjectRegExp: '\\bx' }] } },
    null,
  ],
  ...['a)|(?:b', '^*', 'a)|(?:.', '[a'].map((subjectRegExp): (typeof PROOFS)[number] => [
    // Go refuses it; what is put around it must not make one of it that matches more.
    `an expression that is none, ${subjectRegExp}`,
    { keyless: { identities: [{ issuer: 'https://i.example', subjectRegExp }] } },
    null,
  ]),
];

for (const [name, authority, expect] of PROOFS) {
  test(`an authority with ${name}: ${expect === null ? 'refuses' : 'is taken over'}`, () => {
    const { policies, problems } = own(cip([authority]));
    const [spec] = Object.values(policies[0]?.authorities ?? {});
    assert.ok(spec !== undefined, JSON.stringify(problems));
    if (expect === null) {
      assert.equal(spec.kind, 'static');
      assert.ok(problems.some(({ code }) => code === 'policy.not-expressible'));
      return;
    }
    const flat = { ...spec, ...('proof' in spec ? spec.proof : {}) };
    assert.deepEqual({ ...flat, ...expect }, flat);
  });
}

test('several identities are any, and each attestation is needed (PC-7, PC-12)', () => {
  const other = { issuerRegExp: '^https://a$', subjectRegExp: 'acme' };
  const types = ['https://spdx.dev/Document', 'slsaprovenance1'];
  const attestations = types.map((predicateType) => ({ name: predicateType, predicateType }));
  const text = cip([{ name: 'ci', keyless: { identities: [IDENTITY, other] }, attestations }]);
  const [policy] = own(text).policies;
  assert.deepEqual(Object.keys(policy?.authorities ?? {}), ['ci.1', 'ci.2']);
  const require = policy?.require;
  assert.ok(require?.kind === 'all');
  assert.deepEqual(
    require.parts.map((part) => part.kind === 'attested' && [part.type, part.by, part.atLeast]),
    types.map((type) => [type, ['ci.1', 'ci.2'], 1]),
  );
});

test('an authority cannot take the name of another', () => {
  const named = (name: string, key: typeof A) => ({ name, key: { data: pem(key) } });
  const two = { name: 'a', key: { data: pem(A) + pem(B) } };
  for (const authorities of [
    [two, named('a.1', B)],
    [named('a', A), named('a', B)],
    [named('a/b', A), named('a-b', B)],
  ]) {
    const [policy] = own(cip(authorities)).policies;
    const count = authorities.includes(two) ? 3 : 2;
    assert.equal(Object.keys(policy?.authorities ?? {}).length, count);
  }
});

test('several keys of one PEM are told of: policy-controller looks at the first alone', () => {
  const remarks = (...keys: readonly (typeof A)[]) =>
    own(cip([{ key: { data: keys.map(pem).join('') } }])).problems.map(({ code }) => code);
  assert.deepEqual(remarks(A), []);
  assert.deepEqual(remarks(A, B), ['policy.not-expressible']);
});

test('a thousand authorities of one name each have their own', () => {
  const alike = Array.from({ length: 1000 }, () => ({ name: 'a', ...FAIL }));
  const [policy] = own(cip(alike)).policies;
  const names = Object.keys(policy?.authorities ?? {});
  assert.deepEqual([names.length, names[0], names.at(-1)], [1000, 'a', 'a-1000']);
});

const M = 'policy.malformed';
const U = 'policy.unknown-field';

/** What policy-controller's own validation refuses, and fields that it does not have. */
const REFUSED: readonly (readonly [string, string, string])[] = [
  ['no images', cip([keyOf(A)], { images: [] }), M],
  ['a glob of other signs', cip([keyOf(A)], { images: [{ glob: '[' }] }), M],
  [
    'a glob that no name matches',
    cip([keyOf(A)], { images: [{ glob: 'a.example/B*' }] }),
    'policy.pattern-invalid',
  ],
  ['another mode', cip([keyOf(A)], { mode: 'audit' }), M],
  ['two kinds of authority', cip([{ ...keyOf(A), ...FAIL }]), M],
  ['no kind of authority', cip([{ name: 'a' }]), M],
  ['two sources of a key', cip([{ key: { data: 'a', kms: 'b' } }]), M],
  ['no source of a key', cip([{ key: {} }]), M],
  ['another hash', cip([{ key: { data: 'a', hashAlgorithm: 'md5' } }]), M],
  ['no identities', cip([{ keyless: {} }]), M],
  ['an empty list of identities', cip([{ keyless: { identities: [] } }]), M],
  ['no subject', cip([{ keyless: { identities: [{ issuer: 'a' }] } }]), M],
  ['two issuers', cip([{ keyless: { identities: [{ ...IDENTITY, issuerRegExp: 'a' }] } }]), M],
  ['url and ca-cert', cip([keyless({ url: 'https://a', 'ca-cert': {} })]), M],
  ['static beside a log', cip([{ ...PASS, ctlog: {} }]), M],
  ['another action', cip([{ static: { action: 'warn' } }]), M],
  ['two sources of signatures', cip([{ ...keyOf(A), source: [{}, {}] }]), M],
  ['a policy of no type', cip([keyOf(A)], { policy: { data: 'x' } }), M],
  [
    'a policy of two sources',
    cip([keyOf(A)], { policy: { type: 'cue', data: 'x', remote: {} } }),
    M,
  ],
  [
    'fetchConfigFile of an attestation',
    cip([
      {
        ...keyOf(A),
        attestations: [
          {
            name: 'a',
            predicateType: 'vuln',
            policy: { type: 'cue', data: 'x', fetchConfigFile: true },
          },
        ],
      },
    ]),
    U,
  ],
  ['a selector without a resource', cip([keyOf(A)], { match: [{ selector: {} }] }), M],
  ['an unknown field', cip([keyOf(A)], { authoritys: [] }), U],
  ['an unknown field of an authority', cip([{ ...keyOf(A), ctLog: {} }]), U],
  [
    "OpenShift's kind of the name",
    cip([keyOf(A)]).replace('policy.sigstore.dev/v1beta1', 'config.openshift.io/v1'),
    M,
  ],
];

for (const [name, text, code] of REFUSED) {
  test(`a ClusterImagePolicy with ${name} is refused`, () => {
    assert.deepEqual(own(text).policies, []);
    assert.ok(
      own(text)
        .problems.map((problem) => problem.code)
        .includes(code as never),
      own(text)
        .problems.map((problem) => problem.code)
        .join(),
    );
  });
}

test('both versions are read alike (PC-1)', () => {
  const text = cip([keyOf(A)]);
  const old = text.replace('v1beta1', 'v1alpha1');
  const [a, b] = [own(text).policies[0], own(old).policies[0]];
  assert.deepEqual({ ...a, description: null }, { ...b, description: null });
});
