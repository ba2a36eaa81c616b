import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Requirement } from '@bulla/trust/policy/document';
import { failingClauses } from '@bulla/trust/policy/explain/clause';
import { type DecideShape, decided } from '../../policy-lab/decide.ts';
import {
  attested,
  type PolicyShape,
  policyOf,
  ready,
  setOf,
  signed,
} from '../../policy-lab/policy.ts';
import { minutes, openLab } from '../../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../../sigstore-lab/mint.ts';
import { keyed } from '../../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../../sigstore-lab/repository.ts';
import { testKey } from '../../tlog/synthetic-log.ts';

const lab = openLab();
const A = testKey('ecdsa-p256');
const authorities = [ready(keyed(A, 'a')), ready(keyed(testKey('ecdsa-p256'), 'b'))];

/** Clauses of a policy about an image that `a` signed. */
async function clausesOf(
  require: Requirement,
  more: Partial<PolicyShape> = {},
  asked: Partial<DecideShape> = {},
) {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const shape = { by: A, payload: statement(image.digest), logs: [], stampedAt: [] };
  attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
  const policies = setOf(policyOf({ authorities, require, ...more }));
  const decision = await decided({ source: repository, policies, ...asked });
  return failingClauses(decision, policies).map(({ policy, clause, code }) => {
    return `${policy} ${clause} ${code}`;
  });
}

const CASES: readonly {
  readonly name: string;
  readonly require: Requirement;
  readonly more?: Partial<PolicyShape>;
  readonly asked?: Partial<DecideShape>;
  readonly expect: readonly string[];
}[] = [
  { name: 'nothing fails', require: signed(['a']), expect: [] },
  {
    name: 'one clause',
    require: signed(['b']),
    expect: ['prod require: signed by b signature.invalid'],
  },
  {
    name: 'parts of all',
    require: {
      kind: 'all',
      parts: [
        signed(['a']),
        { kind: 'all', parts: [signed(['a', 'b'], { atLeast: 2 }), attested('vuln', ['b'])] },
      ],
    },
    expect: [
      'prod require.all[1].all[0]: signed by 2 of a, b policy.threshold-not-met',
      'prod require.all[1].all[1]: attested vuln by b signature.invalid',
    ],
  },
  {
    name: 'any as a whole',
    require: { kind: 'any', parts: [signed(['b']), attested('vuln', ['b'])] },
    expect: ['prod require: any of 2 signature.invalid'],
  },
  {
    name: 'a policy that only warns',
    require: signed(['b']),
    more: { mode: 'warn' },
    expect: ['prod require: signed by b signature.invalid'],
  },
  {
    name: 'what is beside the requirement',
    require: signed(['a']),
    more: { tags: 'refuse', rollback: 'refuse' },
    asked: { rollback: { newer: `sha256:${'7'.repeat(64)}`, newerSince: minutes(-1) } },
    expect: ['prod tags policy.tag-refused', 'prod rollback tag.rollback'],
  },
  {
    name: 'no policy covers it',
    require: signed(['a']),
    more: { repositories: [] },
    expect: ['null no policy covers the image policy.no-match'],
  },
];

for (const { name, require, more, asked, expect } of CASES) {
  test(`the clauses that an image fails are named: ${name}`, async () => {
    assert.deepEqual(await clausesOf(require, more, asked), expect);
  });
}
