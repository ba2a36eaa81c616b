import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { inconclusive } from '@bulla/trust/finding/finding';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { OnInconclusive, PolicyMode } from '@bulla/trust/policy/document';
import { evaluatePolicy } from '@bulla/trust/policy/evaluate/evaluate';
import type { ProvenNode } from '@bulla/trust/policy/evaluate/proven-tree';
import { type DecideShape, decided } from '../policy-lab/decide.ts';
import { policyOf, ready, setOf, signed, unsupported } from '../policy-lab/policy.ts';
import { nodesOf } from '../sigstore-lab/findings.ts';
import { minutes, NOW, openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { keyed } from '../sigstore-lab/question.ts';
import { attachBundle, type Faults, openRepository, putImage } from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 2 and 3 for policies: what an outage is, and what a policy may make of it.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const authorities = [ready(keyed(KEY, 'a'))];
const away = () => {
  throw new TrustFault('registry.unreachable', 'the registry is away');
};
const LKG: OnInconclusive = { lastKnownGood: { maxAgeMs: 15 * 60_000 } };

function askAway(
  onInconclusive: OnInconclusive,
  more: Partial<DecideShape> = {},
  faults: Faults = { referrers: away },
  mode: PolicyMode = 'enforce',
) {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const shape = { by: KEY, payload: statement(image.digest), logs: [], stampedAt: [] };
  attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
  repository.faults = faults;
  const policy = policyOf({ authorities, require: signed(['a']), onInconclusive, mode });
  return decided({ source: repository, policies: setOf(policy), ...more });
}

const ROWS: readonly {
  readonly name: string;
  readonly onInconclusive: OnInconclusive;
  readonly last: Date | null;
  readonly mode?: PolicyMode;
  readonly outcome: 'admit' | 'deny';
  readonly finding: 'pass' | 'inconclusive';
}[] = [
  { name: 'deny', onInconclusive: 'deny', last: NOW, outcome: 'deny', finding: 'inconclusive' },
  {
    name: 'warn never applies to evidence of this very image',
    onInconclusive: 'warn',
    last: NOW,
    outcome: 'deny',
    finding: 'inconclusive',
  },
  {
    name: 'last known good, an earlier pass',
    onInconclusive: LKG,
    last: minutes(-14),
    outcome: 'admit',
    finding: 'pass',
  },
  {
    name: 'last known good, too old a pass',
    onInconclusive: LKG,
    last: minutes(-16),
    outcome: 'deny',
    finding: 'inconclusive',
  },
  {
    name: 'last known good, a pass of the future',
    onInconclusive: LKG,
    last: minutes(10),
    outcome: 'deny',
    finding: 'inconclusive',
  },
  {
    name: 'last known good, no pass',
    onInconclusive: LKG,
    last: null,
    outcome: 'deny',
    finding: 'inconclusive',
  },
  {
    name: 'deny, in a policy that warns',
    onInconclusive: 'deny',
    last: null,
    mode: 'warn',
    outcome: 'admit',
    finding: 'inconclusive',
  },
];

for (const { name, onInconclusive, last, mode, outcome, finding } of ROWS) {
  test(`an outage of the registry: ${name}`, async () => {
    const more = { lastPass: async () => last };
    const decision = await askAway(onInconclusive, more, { referrers: away }, mode);
    const text = renderFinding(decision.finding).join('\n');
    assert.equal(decision.outcome, outcome, text);
    assert.equal(decision.finding.outcome, finding, text);
    assert.deepEqual(decision.covers, []);
    if (finding !== 'pass') return;
    const shown = [...nodesOf(decision.finding)].find(
      ({ check }) => check === 'policy.last-known-good',
    );
    assert.ok(shown?.says.includes(last?.toISOString() ?? 'never'), text);
    // It stands in for this one answer.
    assert.deepEqual(decision.validUntil, decision.at);
  });
}

test('the last pass is that of the same digest under the same policy', async () => {
  const asked: string[] = [];
  const lastPass = async (digest: string, hash: string) => {
    asked.push(digest, hash);
    return null;
  };
  const decision = await askAway(LKG, { lastPass });
  assert.deepEqual(asked, [decision.digest, decision.policies[0]?.hash]);
});

test('earlier passes that cannot be read are no pass', async () => {
  const lastPass = async () => {
    throw new TrustFault('storage.failed', 'the disk is gone');
  };
  const decision = await askAway(LKG, { lastPass });
  assert.deepEqual([decision.outcome, decision.finding.outcome], ['deny', 'inconclusive']);
});

test('a last known good stands in for an outage, never for what fails', async () => {
  const repository = openRepository();
  putImage(repository, 'an image', { tag: 'v1' });
  const lastPass = async () => NOW;
  const policy = policyOf({ authorities, require: signed(['a']), onInconclusive: LKG });
  const bare = await decided({ source: repository, policies: setOf(policy), lastPass });
  assert.equal(bare.outcome, 'deny');
  repository.faults = { referrers: away };
  const tagged = policyOf({
    authorities,
    require: signed(['a']),
    onInconclusive: LKG,
    tags: 'refuse',
  });
  const refused = await decided({ source: repository, policies: setOf(tagged), lastPass });
  assert.deepEqual([refused.outcome, refused.finding.outcome], ['deny', 'fail']);
});

test('what the publisher controls is a failure, and no last known good stands in', async () => {
  const old = unsupported('old', 'notary');
  const repository = openRepository();
  putImage(repository, 'an image', { tag: 'v1' });
  repository.faults = { referrers: away };
  for (const onInconclusive of ['warn', LKG] as const) {
    const policy = policyOf({ authorities: [old], require: signed(['old']), onInconclusive });
    const lastPass = async () => NOW;
    const decision = await decided({ source: repository, policies: setOf(policy), lastPass });
    assert.deepEqual([decision.outcome, decision.finding.outcome], ['deny', 'fail']);
  }
});

const fault = new TrustFault('registry.timeout', 'the upstream gave no answer');
const REMEMBERED = `sha256:${'5'.repeat(64)}` as const;

for (const { name, onInconclusive, last, remembered, outcome } of [
  {
    name: 'last known good',
    onInconclusive: LKG,
    last: NOW,
    remembered: REMEMBERED,
    outcome: 'admit',
  },
  {
    name: 'no pass of it',
    onInconclusive: LKG,
    last: null,
    remembered: REMEMBERED,
    outcome: 'deny',
  },
  { name: 'nothing remembered', onInconclusive: LKG, last: NOW, remembered: null, outcome: 'deny' },
  { name: 'deny', onInconclusive: 'deny', last: NOW, remembered: REMEMBERED, outcome: 'deny' },
  { name: 'warn', onInconclusive: 'warn', last: NOW, remembered: REMEMBERED, outcome: 'deny' },
] as const) {
  test(`a tag that the door could not resolve: ${name}`, async () => {
    const decision = await askAway(
      onInconclusive,
      { problem: { fault, remembered }, lastPass: async () => last },
      {},
    );
    assert.equal(decision.outcome, outcome);
    assert.equal(decision.digest, outcome === 'admit' ? REMEMBERED : null);
  });
}

test('a tag that the door was refused is a failure, whatever was remembered', async () => {
  const missing = new TrustFault('artifact.not-found', 'there is no such tag');
  const problem = { fault: missing, remembered: REMEMBERED };
  const decision = await askAway(LKG, { problem, lastPass: async () => NOW }, {});
  assert.deepEqual([decision.outcome, decision.finding.outcome], ['deny', 'fail']);
});

// Formats of this release ask no service beside the registry; what a later one asks is played here.
const SERVICES = [
  { codes: ['service.timeout'], effect: 'warn' },
  { codes: ['registry.timeout'], effect: 'deny' },
  { codes: ['dossier.incomplete'], effect: 'deny' },
  { codes: ['storage.failed'], effect: 'deny' },
  // An outage beside it takes nothing from what could not be fetched of the image.
  { codes: ['service.timeout', 'registry.timeout'], effect: 'deny' },
  { codes: ['registry.timeout', 'service.timeout'], effect: 'deny' },
] as const;

for (const { codes, effect } of SERVICES) {
  test(`onInconclusive: warn, and the outage is ${codes.join(' and ')}: ${effect}`, async () => {
    const problems = codes.map((code) => inconclusive('x509.revocation', code, 'no answer'));
    const root: ProvenNode = {
      digest: REMEMBERED,
      children: () => null,
      proof: async () => ({ pieces: 1, problems, answersOf: () => [] }),
    };
    const policy = policyOf({ authorities, require: signed(['a']), onInconclusive: 'warn' });
    const outcome = await evaluatePolicy(
      policy,
      { root, parents: [], node: async () => null },
      {
        repository: 'registry.example/app',
        at: NOW,
        expressions: () => {
          throw new Error('no expression was to be run');
        },
        tag: null,
        rollback: null,
        lastPass: async () => NOW,
      },
    );
    assert.deepEqual([outcome.effect, outcome.finding.outcome], [effect, 'inconclusive']);
  });
}
