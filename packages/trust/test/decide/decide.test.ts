import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { PolicyMode } from '@bulla/trust/policy/document';
import { decided } from '../policy-lab/decide.ts';
import { type PolicyShape, policyOf, ready, setOf, signed } from '../policy-lab/policy.ts';
import { codesOf } from '../sigstore-lab/findings.ts';
import { openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { keyed } from '../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

const lab = openLab();
const A = testKey('ecdsa-p256');
const B = testKey('ecdsa-p256');
const release = ready(keyed(A, 'release'));
const qa = ready(keyed(B, 'qa'));

function repositoryOf(...keys: (typeof A)[]) {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  for (const by of keys) {
    const shape = { by, payload: statement(image.digest), logs: [], stampedAt: [] };
    attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
  }
  return { repository, image };
}

const byRelease: PolicyShape = { authorities: [release], require: signed(['release']) };
const byQa: PolicyShape = { name: 'qa', authorities: [qa], require: signed(['qa']) };

test('what the policy asks for admits, about the digest that was fetched once', async () => {
  const { repository, image } = repositoryOf(A);
  const decision = await decided({ source: repository, policies: setOf(policyOf(byRelease)) });
  assert.equal(decision.outcome, 'admit', renderFinding(decision.finding).join('\n'));
  assert.equal(decision.digest, image.digest);
  assert.equal(decision.finding.outcome, 'pass');
  assert.equal(decision.evidence.length, 1);
  assert.equal(repository.calls.filter((call) => call === 'manifest v1').length, 1);
});

test('every policy that covers the image must pass, in whatever order they come', async () => {
  const { repository } = repositoryOf(A);
  const policies = [policyOf(byRelease), policyOf(byQa)];
  const trees = new Set<string>();
  for (const order of [policies, policies.toReversed()]) {
    const decision = await decided({ source: repository, policies: setOf(...order) });
    assert.equal(decision.outcome, 'deny');
    assert.deepEqual(
      decision.policies.map(({ policy, effect }) => [policy, effect]),
      [
        ['prod', 'pass'],
        ['qa', 'deny'],
      ],
    );
    trees.add(JSON.stringify(decision.finding));
  }
  assert.equal(trees.size, 1);
});

const MODES = [
  { mode: 'enforce', outcome: 'deny', effect: 'deny', warnings: 0 },
  { mode: 'warn', outcome: 'admit', effect: 'warn', warnings: 1 },
  { mode: 'audit', outcome: 'admit', effect: 'audit', warnings: 1 },
] as const satisfies readonly { readonly mode: PolicyMode; readonly [name: string]: unknown }[];

for (const { mode, outcome, effect, warnings } of MODES) {
  test(`a policy in mode ${mode} that is not satisfied: ${outcome}`, async () => {
    const { repository } = repositoryOf(B);
    const policies = setOf(policyOf({ ...byRelease, mode }));
    const decision = await decided({ source: repository, policies });
    assert.equal(decision.outcome, outcome);
    assert.equal(decision.policies[0]?.effect, effect);
    assert.equal(decision.warnings.length, warnings);
    // What blocks is the policy's word; the tree says what was found.
    assert.equal(decision.finding.outcome, 'fail');
    assert.deepEqual(codesOf(decision.finding), ['signature.invalid']);
  });
}
