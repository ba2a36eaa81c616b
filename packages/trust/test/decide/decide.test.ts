import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide } from '@bulla/trust/decide';
import { TrustFault } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { PolicyMode } from '@bulla/trust/policy/document';
import { decided, decideOptions } from '../policy-lab/decide.ts';
import { type PolicyShape, policyOf, ready, setOf, signed } from '../policy-lab/policy.ts';
import { codesOf, nodesOf } from '../sigstore-lab/findings.ts';
import { minutes, NOW, openLab } from '../sigstore-lab/lab.ts';
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

const ROLLBACK = { newer: `sha256:${'7'.repeat(64)}`, newerSince: minutes(-60) } as const;

for (const { rule, outcome } of [
  { rule: 'refuse', outcome: 'deny' },
  { rule: 'allow', outcome: 'admit' },
] as const) {
  test(`an older digest that came back under a tag, and the policy says ${rule}`, async () => {
    const { repository } = repositoryOf(A);
    const policies = setOf(policyOf({ ...byRelease, rollback: rule }));
    const decision = await decided({ source: repository, policies, rollback: ROLLBACK });
    assert.equal(decision.outcome, outcome);
    const shown = [...nodesOf(decision.finding)].find(({ check }) => check === 'policy.rollback');
    assert.equal(shown?.code, 'tag.rollback');
    assert.equal(shown?.outcome, outcome === 'deny' ? 'fail' : 'skipped');
    assert.equal(decision.warnings.length, outcome === 'deny' ? 0 : 1);
  });
}

for (const { rule, byTag, byDigest } of [
  { rule: 'refuse', byTag: 'deny', byDigest: 'admit' },
  { rule: 'pin', byTag: 'admit', byDigest: 'admit' },
  { rule: 'leave', byTag: 'admit', byDigest: 'admit' },
] as const) {
  test(`a reference by a tag, and the policy says ${rule}`, async () => {
    const { repository, image } = repositoryOf(A);
    const policies = setOf(policyOf({ ...byRelease, tags: rule }));
    const tagged = await decided({ source: repository, policies });
    assert.equal(tagged.outcome, byTag);
    if (byTag === 'deny') assert.deepEqual(codesOf(tagged.finding), ['policy.tag-refused']);
    const pinned = await decided({ source: repository, policies, digest: image.digest });
    assert.equal(pinned.outcome, byDigest);
  });
}

test('evidence is gathered once for all policies', async () => {
  const { repository } = repositoryOf(A, B);
  const many = Array.from({ length: 5 }, (_, at) => policyOf({ ...byQa, name: `qa ${at}` }));
  const policies = setOf(policyOf(byRelease), ...many);
  const { outcome } = await decided({ source: repository, policies });
  assert.equal(outcome, 'admit');
  assert.equal(new Set(repository.calls).size, repository.calls.length, repository.calls.join());
});

test('the order of evidence and of policies decides nothing', async () => {
  const { repository, image } = repositoryOf(A, B, A, B);
  const policies = [
    byRelease,
    byQa,
    {
      ...byQa,
      name: 'both',
      authorities: [release, qa],
      require: signed(['release', 'qa'], { atLeast: 2 }),
    },
  ].map(policyOf);
  const seen = new Set<string>();
  for (const turned of [false, true]) {
    repository.faults = {
      referrers: (_, found) => (turned ? found.toReversed() : found),
    };
    for (let first = 0; first < policies.length; first++) {
      const order = [...policies.slice(first), ...policies.slice(0, first)];
      const decision = await decided({ source: repository, policies: setOf(...order) });
      const effects = decision.policies.map(({ policy, effect }) => `${policy} ${effect}`);
      seen.add(JSON.stringify([decision.outcome, decision.digest, decision.evidence, effects]));
    }
  }
  assert.equal(seen.size, 1, [...seen].join('\n'));
  assert.ok([...seen][0]?.startsWith(`["admit","${image.digest}"`));
});

test('a pass is valid until its first piece of evidence expires', async () => {
  const { repository } = repositoryOf(A, B);
  const until = minutes(30);
  const expiring = ready({
    kind: 'key',
    name: 'release',
    key: A.publicKey,
    validFor: { start: null, end: until },
  });
  const forever = setOf(policyOf(byQa));
  const both = setOf(policyOf(byQa), policyOf({ ...byRelease, authorities: [expiring] }));
  assert.equal((await decided({ source: repository, policies: forever })).validUntil, null);
  assert.deepEqual((await decided({ source: repository, policies: both })).validUntil, until);
});

test('a question without tag and digest is wrong use', async () => {
  const { repository } = repositoryOf(A);
  const policies = setOf(policyOf(byRelease));
  const options = decideOptions({ source: repository, policies, tag: null });
  await assert.rejects(
    decide({ ...options, at: NOW }),
    (error) => error instanceof TrustFault && error.code === 'usage.invalid',
  );
});

test('evidence that would take longer to verify than all may take is no pass', async () => {
  const { repository, image } = repositoryOf();
  const attach = (by: typeof A) => {
    const shape = { by, payload: statement(image.digest), logs: [], stampedAt: [] };
    return attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape))).digest;
  };
  const garbage = Array.from({ length: 64 }, () => attach(B));
  const good = attach(A);
  const policies = setOf(policyOf(byRelease));
  for (const { order, outcome } of [
    { order: [good, ...garbage], outcome: 'admit' },
    { order: [...garbage, good], outcome: 'deny' },
  ]) {
    repository.faults = {
      referrers: (_, found) =>
        found.toSorted((a, b) => order.indexOf(a.digest) - order.indexOf(b.digest)),
    };
    let clock = 0;
    const now = () => (clock += 70_000);
    const decision = await decided({ source: repository, policies, now });
    assert.equal(decision.outcome, outcome);
    assert.equal(decision.finding.outcome, outcome === 'admit' ? 'pass' : 'fail');
    assert.ok(codesOf(decision.finding).includes('signature.limit') || outcome === 'admit');
  }
});
