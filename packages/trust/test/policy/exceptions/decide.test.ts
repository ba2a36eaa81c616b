import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Finding } from '@bulla/trust/finding/finding';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { Decision } from '@bulla/trust/policy/decision';
import type { BoundClause, GivenException } from '@bulla/trust/policy/exceptions/document';
import { failingClauses } from '@bulla/trust/policy/explain/clause';
import { decided } from '../../policy-lab/decide.ts';
import { attested, type PolicyShape, policyOf, setOf, signed } from '../../policy-lab/policy.ts';
import { nodesOf } from '../../sigstore-lab/findings.ts';
import { minutes, openLab } from '../../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../../sigstore-lab/mint.ts';
import {
  attachBundle,
  type LabRepository,
  openRepository,
  putImage,
  putIndex,
} from '../../sigstore-lab/repository.ts';
import type { TestKey } from '../../tlog/synthetic-log.ts';
import { approved, bound, brokenGlass, KEYS, RULES, TWO_CLAUSES } from './exception-lab.ts';

const lab = openLab();

function sign(
  repository: LabRepository,
  image: ReturnType<typeof putImage>,
  by: TestKey,
  payload = statement(image.digest),
): void {
  const shape = { by, payload, logs: [], stampedAt: [] };
  attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
}

/** An image that release signed, and qa did not. */
function halfSigned() {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  sign(repository, image, KEYS.release);
  return { repository, image };
}

interface Asked {
  readonly source: LabRepository;
  readonly shape?: Partial<PolicyShape>;
  readonly exceptions: readonly GivenException[];
}

function decide({ source, shape, exceptions }: Asked, more: object = {}): Promise<Decision> {
  const policies = setOf(policyOf({ ...TWO_CLAUSES, ...shape }));
  return decided({ source, policies, exceptions: async () => exceptions, ...more });
}

const treeOf = ({ finding }: Decision) => renderFinding(finding).join('\n');

/** The codes of the exceptions that lift nothing, in the order of the tree. */
function remarks({ finding }: Decision): readonly (string | undefined)[] {
  const nodes = [...nodesOf(finding)];
  return nodes
    .filter(({ check, outcome }) => check === 'exception' && outcome === 'skipped')
    .map(({ code }) => code);
}

const named = (finding: Finding, check: string) =>
  [...nodesOf(finding)].filter((node) => node.check === check);

test('an approved exception lifts the one clause that it names, and is shown wherever one looks', async () => {
  const { repository, image } = halfSigned();
  const one = await approved(image.digest);
  const before = await decide({ source: repository, exceptions: [] });
  assert.equal(before.outcome, 'deny');
  const after = await decide({ source: repository, exceptions: [one] });
  assert.equal(after.outcome, 'admit', treeOf(after));
  assert.equal(after.policies[0]?.effect, 'pass');
  assert.deepEqual(after.exceptions, [
    {
      id: one.document.id,
      name: 'late-qa',
      kind: 'exception',
      requester: 'dev@acme.example',
      approver: 'sec@acme.example',
      reason: 'qa is on holiday until Monday',
      expires: minutes(24 * 60),
      policy: 'prod',
      clauses: ['require.all[1]'],
    },
  ]);
  assert.equal(after.warnings.length, 1);
  assert.match(after.warnings[0] ?? '', /EXCEPTION late-qa .*sec@acme\.example/);
  // The pass ends with the exception.
  assert.deepEqual(after.validUntil, minutes(24 * 60));
  // Shown, never hidden: what failed stands beside what lifted it.
  const [lifted] = named(after.finding, 'signed').filter(({ because }) =>
    because?.some(({ check }) => check === 'exception'),
  );
  assert.deepEqual(
    lifted?.because?.map(({ outcome }) => outcome),
    ['pass', 'fail'],
  );
  assert.deepEqual(failingClauses(after, setOf(policyOf(TWO_CLAUSES))), []);
});

test('an exception is not looked at while the policy is satisfied without', async () => {
  const { repository, image } = halfSigned();
  sign(repository, image, KEYS.qa);
  let asked = 0;
  const exceptions = async () => {
    asked++;
    return [await approved(image.digest)];
  };
  const policies = setOf(policyOf(TWO_CLAUSES));
  const decision = await decided({ source: repository, policies, exceptions });
  assert.equal(decision.outcome, 'admit');
  assert.deepEqual(decision.exceptions, []);
  assert.deepEqual(decision.warnings, []);
  assert.equal(decision.validUntil, null);
  assert.equal(asked, 0);
});

test('exceptions are asked for once, however many policies are not satisfied', async () => {
  const { repository, image } = halfSigned();
  let asked = 0;
  const one = await approved(image.digest, { policies: ['prod', 'stage'] });
  const policies = setOf(policyOf(TWO_CLAUSES), policyOf({ ...TWO_CLAUSES, name: 'stage' }));
  const decision = await decided({
    source: repository,
    policies,
    exceptions: async () => {
      asked++;
      return [one];
    },
  });
  assert.equal(decision.outcome, 'admit', treeOf(decision));
  assert.equal(asked, 1);
  assert.deepEqual(
    decision.exceptions.map(({ policy }) => policy),
    ['prod', 'stage'],
  );
});

test('semantics 17: of two policies each lifts its own clause, by its own words', async () => {
  const { repository, image } = halfSigned();
  const swapped = { kind: 'all', parts: [signed(['qa']), signed(['release'])] } as const;
  const policies = setOf(
    policyOf(TWO_CLAUSES),
    policyOf({ ...TWO_CLAUSES, name: 'stage', require: swapped }),
  );
  const decideWith = async (stage: readonly BoundClause[]) => {
    const one = await approved(image.digest, {
      lifts: [
        { policy: 'prod', clauses: bound(['require.all[1]']) },
        { policy: 'stage', clauses: stage },
      ],
    });
    return decided({ source: repository, policies, exceptions: async () => [one] });
  };
  const each = await decideWith(bound(['require.all[0]'], { require: swapped }));
  assert.equal(each.outcome, 'admit', treeOf(each));
  assert.deepEqual(
    each.exceptions.map(({ policy, clauses }) => [policy, clauses]),
    [
      ['prod', ['require.all[1]']],
      ['stage', ['require.all[0]']],
    ],
  );
  // The digest of one policy's clause is nothing in the other.
  const wrong = await decideWith(bound(['require.all[0]']));
  assert.equal(wrong.outcome, 'deny');
  assert.deepEqual(remarks(wrong), ['exception.clause-changed']);
});

test('an exception for one policy leaves another as it is', async () => {
  const { repository, image } = halfSigned();
  const one = await approved(image.digest);
  const policies = setOf(policyOf(TWO_CLAUSES), policyOf({ ...TWO_CLAUSES, name: 'stage' }));
  const decision = await decided({ source: repository, policies, exceptions: async () => [one] });
  assert.equal(decision.outcome, 'deny');
  assert.deepEqual(
    decision.policies.map(({ effect }) => effect),
    ['pass', 'deny'],
  );
  assert.deepEqual(remarks(decision), ['exception.scope']);
});

test('an exception for one clause is nothing while another fails too', async () => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const decision = await decide({
    source: repository,
    exceptions: [await approved(image.digest)],
  });
  assert.equal(decision.outcome, 'deny');
  assert.deepEqual(decision.exceptions, []);
  assert.deepEqual(remarks(decision), ['exception.insufficient']);
  const failing = failingClauses(decision, setOf(policyOf(TWO_CLAUSES)));
  assert.deepEqual(
    failing.map(({ clause }) => clause.split(':')[0]),
    ['require.all[0]', 'require.all[1]'],
  );
});

test('two exceptions lift two clauses, and the pass ends with the earlier', async () => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const decision = await decide({
    source: repository,
    exceptions: [
      await approved(image.digest),
      await approved(image.digest, { clauses: ['require.all[0]'], expires: minutes(30) }),
    ],
  });
  assert.equal(decision.outcome, 'admit', treeOf(decision));
  assert.equal(decision.exceptions.length, 2);
  assert.deepEqual(decision.validUntil, minutes(30));
});

for (const { clause, require } of [
  { clause: 'require', require: signed(['qa']) },
  { clause: 'require', require: { kind: 'any', parts: [signed(['qa'])] } },
  { clause: 'require.any[0]', require: { kind: 'any', parts: [signed(['qa'])] } },
  {
    clause: 'require.of[2]',
    require: {
      kind: 'atLeast',
      atLeast: 2,
      parts: [signed(['release']), signed(['qa']), signed(['qa'])],
    },
  },
  {
    clause: 'require.all[0].any[1]',
    require: {
      kind: 'all',
      parts: [{ kind: 'any', parts: [signed(['qa']), attested('vuln', ['qa'])] }],
    },
  },
] as const) {
  test(`a clause has the name of its place: ${clause} of ${require.kind}`, async () => {
    const { repository, image } = halfSigned();
    const one = await approved(image.digest, { clauses: [clause], shape: { require } });
    const decision = await decide({ source: repository, shape: { require }, exceptions: [one] });
    assert.equal(decision.outcome, 'admit', treeOf(decision));
    assert.deepEqual(decision.exceptions[0]?.clauses, [clause]);
  });
}

test('the rules on tags and on rollbacks are lifted by their names', async () => {
  const { repository, image } = halfSigned();
  sign(repository, image, KEYS.qa);
  const rollback = { newer: `sha256:${'7'.repeat(64)}`, newerSince: minutes(-60) } as const;
  const shape = { tags: 'refuse', rollback: 'refuse' } as const;
  const lifting = async (...clauses: string[]) =>
    decide(
      { source: repository, shape, exceptions: [await approved(image.digest, { clauses, shape })] },
      { rollback },
    );
  const both = await lifting('tags', 'rollback');
  assert.equal(both.outcome, 'admit', treeOf(both));
  assert.deepEqual(both.exceptions[0]?.clauses, ['tags', 'rollback']);
  assert.deepEqual(both.validUntil, minutes(24 * 60));
  const set = setOf(policyOf({ ...TWO_CLAUSES, ...shape }));
  for (const [lifts, others] of [
    [['tags'], ['tags', 'rollback']],
    [
      ['rollback', 'require'],
      ['tags', 'rollback'],
    ],
  ] as const) {
    const decision = await lifting(...lifts);
    assert.equal(decision.outcome, 'deny');
    const failing = failingClauses(decision, set);
    assert.deepEqual(
      failing.map(({ clause }) => clause),
      others,
    );
    assert.deepEqual(remarks(decision), ['exception.insufficient']);
  }
});

test('break-glass lifts what it names once its record is durable, and says so loudly', async () => {
  const { repository, image } = halfSigned();
  const decision = await decide({
    source: repository,
    exceptions: [await brokenGlass(image.digest)],
  });
  assert.equal(decision.outcome, 'admit', treeOf(decision));
  assert.equal(decision.exceptions[0]?.approver, null);
  assert.match(decision.warnings[0] ?? '', /BREAK-GLASS night-shift/);
  assert.deepEqual(decision.validUntil, minutes(3 * 60));
});

test('an approved exception goes before break-glass, and a digest before a repository', async () => {
  const { repository, image } = halfSigned();
  const rules = { ...RULES, maxScope: 'repository' } as const;
  const wide = await approved(null, { name: 'wide' });
  const narrow = await approved(image.digest, { name: 'narrow' });
  const glass = await brokenGlass(image.digest);
  const decision = await decide({
    source: repository,
    shape: { exceptions: rules },
    exceptions: [glass, wide, narrow],
  });
  assert.deepEqual(
    decision.exceptions.map(({ name }) => name),
    ['narrow'],
  );
});

test('an exception for an index is for what its bytes list, and none for a leaf is for more', async () => {
  const repository = openRepository();
  const [amd, arm, other] = ['amd64', 'arm64', 'other'].map((text) => putImage(repository, text));
  assert.ok(amd !== undefined && arm !== undefined && other !== undefined);
  const platform = (architecture: string) => ({
    more: { platform: { os: 'linux', architecture } },
  });
  const index = putIndex(
    repository,
    [
      { of: amd, ...platform('amd64') },
      { of: arm, ...platform('arm64') },
    ],
    { tag: 'v1' },
  );
  const clauses = ['require'];
  const ask = async (digest: typeof index.digest, lifted: typeof index.digest, parents: object) =>
    decide(
      { source: repository, exceptions: [await approved(lifted, { clauses })] },
      { digest, tag: null, ...parents },
    );
  const whole = await ask(index.digest, index.digest, {});
  assert.equal(whole.outcome, 'admit', treeOf(whole));
  assert.deepEqual([...whole.covers].sort(), [amd.digest, arm.digest].sort());
  const parents = { parents: [index.digest] };
  assert.equal((await ask(amd.digest, index.digest, parents)).outcome, 'admit');
  const refused = [
    await ask(index.digest, amd.digest, {}),
    await ask(arm.digest, amd.digest, parents),
    // The index is said to be a parent, and its bytes do not list the image.
    await ask(other.digest, index.digest, parents),
    await ask(amd.digest, index.digest, {}),
  ];
  for (const decision of refused) {
    assert.equal(decision.outcome, 'deny', treeOf(decision));
    assert.deepEqual(remarks(decision), ['exception.scope']);
  }
});

test('an outage is lifted as a failure is, for a digest that is known', async () => {
  const { repository, image } = halfSigned();
  const one = await approved(image.digest, { clauses: ['require'] });
  repository.faults = {
    manifest: () => {
      throw new TrustFault('registry.unreachable', 'connection refused');
    },
  };
  const known = await decide({ source: repository, exceptions: [one] }, { digest: image.digest });
  assert.equal(known.outcome, 'admit', treeOf(known));
  assert.equal(known.digest, image.digest);
  assert.deepEqual(known.covers, []);
  const unknown = await decide({ source: repository, exceptions: [one] });
  assert.equal(unknown.outcome, 'deny');
  assert.deepEqual(remarks(unknown), ['exception.scope']);
});

test('an outage of the exceptions themselves lifts nothing, and is told', async () => {
  const { repository } = halfSigned();
  const policies = setOf(policyOf(TWO_CLAUSES));
  const exceptions = async () => {
    throw new TrustFault('storage.failed', 'the disk is gone');
  };
  const decision = await decided({ source: repository, policies, exceptions });
  assert.equal(decision.outcome, 'deny');
  assert.deepEqual(remarks(decision), ['storage.failed']);
});

test('a policy that only warns is satisfied by an exception, and warns of that instead', async () => {
  const { repository, image } = halfSigned();
  const one = await approved(image.digest);
  const decision = await decide({
    source: repository,
    shape: { mode: 'warn' },
    exceptions: [one],
  });
  assert.equal(decision.policies[0]?.effect, 'pass');
  assert.equal(decision.warnings.length, 1);
  assert.match(decision.warnings[0] ?? '', /EXCEPTION/);
});

test('what no exception can change stays: no policy, and a policy that covers nothing', async () => {
  const { repository, image } = halfSigned();
  const one = await approved(image.digest, { clauses: ['require'] });
  for (const policies of [setOf(), setOf(policyOf({ ...TWO_CLAUSES, repositories: ['other'] }))]) {
    const exceptions = async () => [one];
    const decision = await decided({ source: repository, policies, exceptions });
    assert.equal(decision.outcome, 'deny');
    assert.deepEqual(decision.exceptions, []);
  }
});
