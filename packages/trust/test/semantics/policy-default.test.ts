import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { Requirement } from '@bulla/trust/policy/document';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { decided } from '../policy-lab/decide.ts';
import { attested, policyOf, ready, setOf, signed } from '../policy-lab/policy.ts';
import { openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { keyed } from '../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 1, 4 and 5 for policies: nothing is never enough, deny is the default, one digest.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const authorities = [ready(keyed(KEY, 'a'))];

function signedRepository() {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const shape = { by: KEY, payload: statement(image.digest), logs: [], stampedAt: [] };
  attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
  return { repository, image };
}

const good = policyOf({ authorities, require: signed(['a']) });
const elsewhere = policyOf({
  authorities,
  require: signed(['a']),
  repositories: ['registry.example/other'],
});

const UNCOVERED: readonly {
  readonly name: string;
  readonly policies: PolicySet;
  readonly code: string | null;
}[] = [
  { name: 'a policy that covers it', policies: setOf(good), code: null },
  { name: 'no policy is loaded', policies: setOf(), code: 'policy.none' },
  { name: 'none covers it', policies: setOf(elsewhere), code: 'policy.no-match' },
];

for (const { name, policies, code } of UNCOVERED) {
  test(`deny is the default: ${name}`, async () => {
    const { repository } = signedRepository();
    const { outcome, finding, covers, validUntil } = await decided({
      source: repository,
      policies,
    });
    assert.equal(outcome, code === null ? 'admit' : 'deny');
    assert.equal(finding.code ?? null, code);
    if (code !== null) assert.deepEqual([covers, validUntil], [[], null]);
    // Semantics 19: a registry is not asked about what no policy covers.
    if (code !== null) assert.deepEqual(repository.calls, []);
  });
}

// A loader refuses these; whoever hands them over all the same gets no pass.
const NOTHING: readonly { readonly name: string; readonly require: Requirement }[] = [
  { name: 'all of nothing', require: { kind: 'all', parts: [] } },
  { name: 'any of nothing', require: { kind: 'any', parts: [] } },
  { name: '0 of nothing', require: { kind: 'atLeast', atLeast: 0, parts: [] } },
  { name: '0 of one', require: { kind: 'atLeast', atLeast: 0, parts: [signed(['a'])] } },
  { name: '-1 of one', require: { kind: 'atLeast', atLeast: -1, parts: [signed(['a'])] } },
  { name: 'no number of one', require: { kind: 'atLeast', atLeast: NaN, parts: [signed(['a'])] } },
  { name: '2 of one', require: { kind: 'atLeast', atLeast: 2, parts: [signed(['a'])] } },
  { name: 'signed by nobody', require: signed([]) },
  { name: 'signed by 0 of one', require: signed(['a'], { atLeast: 0 }) },
  { name: 'signed by 2 of one', require: signed(['a'], { atLeast: 2 }) },
  { name: 'attested by nobody', require: attested('spdxjson', []) },
  {
    name: 'a scan within no limits',
    require: attested('vuln', ['a'], { vulnerabilities: {} }),
  },
  {
    name: 'a provenance of which nothing is asked',
    require: attested('slsaprovenance1', ['a'], {
      provenance: { builder: null, sourceRepository: null, branch: null },
    }),
  },
];

for (const { name, require } of NOTHING) {
  test(`nothing is never enough: ${name}`, async () => {
    const { repository, image } = signedRepository();
    for (const type of [
      'https://cosign.sigstore.dev/attestation/vuln/v1',
      'https://slsa.dev/provenance/v1',
    ]) {
      const predicate = {
        scanner: { result: { vulnerabilities: [] } },
        buildDefinition: {},
        runDetails: { builder: { id: 'b' } },
      };
      const payload = statement(image.digest, type, predicate);
      const shape = { by: KEY, payload, logs: [], stampedAt: [] };
      attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
    }
    const policies = setOf(policyOf({ authorities, require }));
    const { outcome, finding } = await decided({ source: repository, policies });
    assert.equal(outcome, 'deny', renderFinding(finding).join('\n'));
    assert.equal(finding.outcome, 'fail');
  });
}

test('an image without any signature is a failure, not an outage', async () => {
  const repository = openRepository();
  putImage(repository, 'an image', { tag: 'v1' });
  const { finding } = await decided({ source: repository, policies: setOf(good) });
  assert.equal(finding.outcome, 'fail');
  assert.equal(finding.code, 'signature.none');
});

test('a tag that moves while it is decided about is decided about once', async () => {
  const { repository, image } = signedRepository();
  const evil = putImage(repository, 'another image');
  let asked = 0;
  repository.faults = {
    manifest: (reference) => (reference === 'v1' && asked++ > 0 ? evil : undefined),
  };
  const policies = setOf(good, policyOf({ name: 'other', authorities, require: signed(['a']) }));
  const decision = await decided({ source: repository, policies });
  assert.equal(decision.outcome, 'admit');
  assert.equal(decision.digest, image.digest);
  assert.equal(asked, 1);
});

test('a registry that serves other bytes than the digest refuses', async () => {
  const { repository, image } = signedRepository();
  const evil = putImage(repository, 'another image');
  repository.faults = { manifest: (reference) => (reference === image.digest ? evil : undefined) };
  const { outcome, finding } = await decided({
    source: repository,
    policies: setOf(good),
    digest: image.digest,
  });
  assert.equal(outcome, 'deny');
  assert.equal(finding.code, 'registry.digest-mismatch');
  assert.equal(finding.outcome, 'fail');
});

test('what is not there refuses', async () => {
  const { repository } = signedRepository();
  const { outcome, finding, digest } = await decided({
    source: repository,
    policies: setOf(good),
    tag: 'nowhere',
  });
  assert.deepEqual([outcome, finding.code, digest], ['deny', 'artifact.not-found', null]);
});
