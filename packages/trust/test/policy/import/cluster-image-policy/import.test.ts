import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { loadPolicies } from '@bulla/trust/policy/files/load';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { decided } from '../../../policy-lab/decide.ts';
import { codesOf } from '../../../sigstore-lab/findings.ts';
import { NOW, openLab } from '../../../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../../../sigstore-lab/mint.ts';
import { DEV } from '../../../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../../../sigstore-lab/repository.ts';
import { A, B, cip, FAIL, keyOf, PASS, pem } from './cip-texts.ts';

const lab = openLab();
const SPDX = 'https://spdx.dev/Document';

/** Through the loader, as every door gets its policies. */
async function loaded(t: TestContext, ...texts: readonly string[]): Promise<PolicySet> {
  const path = await mkdtemp(join(tmpdir(), 'bulla-cip-'));
  t.after(() => rm(path, { recursive: true }));
  for (const [at, text] of texts.entries()) await writeFile(join(path, `${at}.json`), text);
  const { set } = await loadPolicies([path], { trustRoots: new Map([['acme', lab.trustRoot]]) });
  return set;
}

/** An image of registry.example/app, signed by some keys. */
function signedBy(...keys: readonly (typeof A)[]) {
  const source = openRepository();
  const image = putImage(source, 'an image', { tag: 'v1' });
  for (const by of keys) {
    const shape = { by, payload: statement(image.digest), logs: [], stampedAt: [] };
    attachBundle(source, image, bundleEvidence(mintBundle(lab, shape)));
  }
  return source;
}

/** Section 1.9, and what each clause comes to for an image that A signed. */
const ROWS: readonly {
  readonly name: string;
  readonly policies: readonly string[];
  readonly outcome: 'admit' | 'deny';
  readonly effects: readonly string[];
}[] = [
  { name: 'a key that signed', policies: [cip([keyOf(A)])], outcome: 'admit', effects: ['pass'] },
  { name: 'a key that did not', policies: [cip([keyOf(B)])], outcome: 'deny', effects: ['deny'] },
  {
    name: 'any authority of a policy is enough (PC-16)',
    policies: [cip([keyOf(B), keyOf(A)])],
    outcome: 'admit',
    effects: ['pass'],
  },
  {
    name: 'any key of one PEM is enough (PC-6)',
    policies: [cip([{ key: { data: pem(B) + pem(A) } }])],
    outcome: 'admit',
    effects: ['pass'],
  },
  {
    name: 'all policies that cover an image must be satisfied (PC-16)',
    policies: [cip([keyOf(A)], {}, 'a'), cip([keyOf(B)], {}, 'b')],
    outcome: 'deny',
    effects: ['pass', 'deny'],
  },
  {
    name: 'nothing matches: denied',
    policies: [cip([keyOf(A)], { images: [{ glob: 'other.example/**' }] })],
    outcome: 'deny',
    effects: [],
  },
  {
    name: 'warn admits with a warning (PC-4)',
    policies: [cip([keyOf(B)], { mode: 'warn' })],
    outcome: 'admit',
    effects: ['warn'],
  },
  {
    name: 'static: fail (PC-8)',
    policies: [cip([FAIL])],
    outcome: 'deny',
    effects: ['deny'],
  },
  {
    name: 'static: fail is one of several',
    policies: [cip([FAIL, keyOf(A)])],
    outcome: 'admit',
    effects: ['pass'],
  },
  {
    name: 'static: pass lets in, and is recorded as not satisfied (semantics 1)',
    policies: [cip([PASS])],
    outcome: 'admit',
    effects: ['audit'],
  },
  {
    name: 'static: pass beside a key that did not sign',
    policies: [cip([keyOf(B), PASS])],
    outcome: 'admit',
    effects: ['audit'],
  },
  {
    name: 'static: pass does not speak for another policy',
    policies: [cip([PASS], {}, 'a'), cip([keyOf(B)], {}, 'b')],
    outcome: 'deny',
    effects: ['audit', 'deny'],
  },
  {
    name: 'static: pass for one kind of object lets in none (PC-3)',
    policies: [cip([PASS], { match: [{ resource: 'pods', group: '', version: 'v1' }] })],
    outcome: 'deny',
    effects: ['deny'],
  },
  {
    name: 'static: pass for one tag lets in none of the repository',
    policies: [cip([PASS], { images: [{ glob: 'registry.example/app:v1' }] })],
    outcome: 'deny',
    effects: ['deny'],
  },
  {
    name: 'static: pass behind an expression (PC-13)',
    policies: [cip([PASS], { policy: { type: 'cue', data: 'true' } })],
    outcome: 'deny',
    effects: ['deny'],
  },
  {
    name: 'warn for one kind of object is enforced for all',
    policies: [cip([keyOf(B)], { mode: 'warn', match: [{ resource: 'pods', version: '*' }] })],
    outcome: 'deny',
    effects: ['deny'],
  },
  {
    name: 'a key that cannot be read refuses and still covers (PC-25 a)',
    policies: [cip([{ key: { kms: 'awskms:///alias/x' } }], {}, 'b'), cip([keyOf(A)], {}, 'a')],
    outcome: 'deny',
    effects: ['pass', 'deny'],
  },
  {
    name: 'a signature is no attestation (PC-12)',
    policies: [cip([{ ...keyOf(A), attestations: [{ name: 'x', predicateType: 'vuln' }] }])],
    outcome: 'deny',
    effects: ['deny'],
  },
  {
    name: 'no authorities',
    policies: [cip([])],
    outcome: 'deny',
    effects: ['deny'],
  },
];

for (const { name, policies, outcome, effects } of ROWS) {
  test(`a ClusterImagePolicy: ${name}`, async (t) => {
    const set = await loaded(t, ...policies);
    const decision = await decided({ source: signedBy(A), policies: set });
    assert.equal(decision.outcome, outcome, renderFinding(decision.finding).join('\n'));
    assert.deepEqual(
      decision.policies.map(({ effect }) => effect),
      effects,
    );
  });
}

/** Identities and attestations, through the loader to a decision: who signed, and what it said. */
const KEYLESS: readonly {
  readonly name: string;
  readonly identities: readonly object[];
  readonly more?: object;
  readonly predicateType?: string;
  readonly outcome: 'admit' | 'deny';
}[] = [
  { name: 'an identity that signed (PC-7)', identities: [DEV], outcome: 'admit' },
  {
    name: 'another subject of the same issuer',
    identities: [{ ...DEV, subject: 'ops@acme.example' }],
    outcome: 'deny',
  },
  {
    name: 'the same subject of another issuer',
    identities: [{ ...DEV, issuer: 'https://other.example' }],
    outcome: 'deny',
  },
  {
    name: 'expressions that are found anywhere, as there',
    identities: [{ issuerRegExp: 'issuer\\.example', subjectRegExp: '@acme\\.' }],
    outcome: 'admit',
  },
  {
    name: 'an expression whose end is elsewhere',
    identities: [{ issuer: DEV.issuer, subjectRegExp: '@acme$' }],
    outcome: 'deny',
  },
  {
    name: 'any of its identities',
    identities: [{ ...DEV, subject: 'ops@acme.example' }, DEV],
    outcome: 'admit',
  },
  {
    name: 'an attestation of its type by who is named (PC-12)',
    identities: [DEV],
    more: { attestations: [{ name: 'sbom', predicateType: SPDX }] },
    predicateType: SPDX,
    outcome: 'admit',
  },
  {
    name: 'an attestation of one type of two (PC-12)',
    identities: [DEV],
    more: {
      attestations: [
        { name: 'sbom', predicateType: SPDX },
        { name: 'built', predicateType: 'https://slsa.dev/provenance/v1' },
      ],
    },
    predicateType: SPDX,
    outcome: 'deny',
  },
  {
    name: 'an attestation by somebody else (PC-12)',
    identities: [{ ...DEV, subject: 'ops@acme.example' }],
    more: { attestations: [{ name: 'sbom', predicateType: SPDX }] },
    predicateType: SPDX,
    outcome: 'deny',
  },
];

for (const { name, identities, more = {}, predicateType, outcome } of KEYLESS) {
  test(`a ClusterImagePolicy that is keyless: ${name}`, async (t) => {
    const source = openRepository();
    const image = putImage(source, 'an image', { tag: 'v1' });
    const by = lab.ca.issue({ ...DEV, at: NOW });
    const payload = statement(image.digest, predicateType);
    // Without a timestamp the time is that of the log, which Rekor v1 signs (PC-10).
    const shape = { by, payload, logs: ['old'], stampedAt: [] } as const;
    attachBundle(source, image, bundleEvidence(mintBundle(lab, shape)));
    const root = { trustRootRef: 'acme' };
    const authority = { keyless: { ...root, identities }, ctlog: root, ...more };
    const policies = await loaded(t, cip([authority]));
    const decision = await decided({ source, policies });
    assert.equal(decision.outcome, outcome, renderFinding(decision.finding).join('\n'));
  });
}

test('warn and enforce on one image decide alike in each order (PC-25 c)', async (t) => {
  const policies = [cip([keyOf(B)], { mode: 'warn' }, 'w'), cip([keyOf(A)], {}, 'e')];
  const strict = [cip([keyOf(A)], { mode: 'warn' }, 'w'), cip([keyOf(B)], {}, 'e')];
  const source = signedBy(A);
  for (const [texts, outcome] of [
    [policies, 'admit'],
    [strict, 'deny'],
  ] as const) {
    const trees = new Set<string>();
    for (const order of [texts, texts.toReversed()]) {
      const decision = await decided({ source, policies: await loaded(t, ...order) });
      assert.equal(decision.outcome, outcome);
      trees.add(JSON.stringify([decision.finding, decision.warnings]));
    }
    assert.equal(trees.size, 1);
  }
});

test('a TrustPolicy and a ClusterImagePolicy stand in one folder, and both must be satisfied', async (t) => {
  const ours = JSON.stringify({
    apiVersion: 'bulla.dev/v1',
    kind: 'TrustPolicy',
    metadata: { name: 'ours' },
    spec: {
      images: [{ glob: '**' }],
      authorities: { b: { key: { pem: pem(B) } } },
      require: { signed: { of: ['b'] } },
    },
  });
  const set = await loaded(t, ours, cip([keyOf(A)]));
  assert.equal((await decided({ source: signedBy(A), policies: set })).outcome, 'deny');
  assert.equal((await decided({ source: signedBy(A, B), policies: set })).outcome, 'admit');
});

test('a refusal says which clause, and a static one what its writer said', async (t) => {
  const set = await loaded(t, cip([FAIL]));
  const decision = await decided({ source: signedBy(A), policies: set });
  assert.deepEqual(codesOf(decision.finding), ['policy.static']);
  assert.match(renderFinding(decision.finding).join('\n'), /disallowed by static policy: not here/);
});

test('a log entry that no log of the trust root could give is a mistake', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'bulla-cip-'));
  t.after(() => rm(path, { recursive: true }));
  await writeFile(join(path, 'a.json'), cip([{ ...keyOf(A), ctlog: { trustRootRef: 'acme' } }]));
  const trustRoots = new Map([['acme', { ...lab.trustRoot, tlogs: [] }]]);
  await assert.rejects(loadPolicies([path], { trustRoots }), { code: 'policy.invalid' });
  await assert.rejects(loadPolicies([path], {}), { code: 'policy.invalid' });
});

test('what the other rows of 1.9 come to: an outage refuses, a tag is pinned, nothing limits where', async (t) => {
  const [policy] = (await loaded(t, cip([keyOf(A)]))).policies;
  const document = policy?.document;
  assert.deepEqual(
    [document?.onInconclusive, document?.tags, document?.tree, document?.rollback],
    ['deny', 'pin', 'named', 'allow'],
  );
  assert.deepEqual(document?.surfaces, ['pull', 'admission', 'gate', 'node', 'watch']);
  assert.deepEqual(
    [document?.namespaces, document?.environments, document?.exclude, document?.exceptions],
    [null, null, [], null],
  );
});

test('a registry that does not answer refuses, and in mode warn admits with a warning', async (t) => {
  for (const [mode, outcome] of [
    ['enforce', 'deny'],
    ['warn', 'admit'],
  ]) {
    const source = signedBy(A);
    source.faults = {
      referrers() {
        throw new TrustFault('registry.unreachable', 'the registry does not answer');
      },
    };
    const decision = await decided({
      source,
      policies: await loaded(t, cip([keyOf(A)], { mode })),
    });
    assert.equal(decision.outcome, outcome);
    assert.equal(decision.finding.outcome, 'inconclusive');
  }
});
