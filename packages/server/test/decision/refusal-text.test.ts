import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MESSAGE_LONGEST, messageOf } from '@bulla/server/decision/refusal-text';
import { type Finding, failed, passed } from '@bulla/trust/finding/finding';
import type { Decision } from '@bulla/trust/policy/decision';

const ID = '01M7Z8DTPT3JWJQ7N2G15TMRNQ';

function denied(policy: string | null, finding: Finding): Decision {
  const effect = 'deny' as const;
  return {
    id: ID,
    outcome: 'deny',
    reference: 'registry.example/app:v1',
    repository: 'registry.example/app',
    tag: 'v1',
    digest: null,
    covers: [],
    surface: 'pull',
    namespace: null,
    environment: null,
    policies: policy === null ? [] : [{ policy, hash: 'h', mode: 'enforce', finding, effect }],
    finding,
    warnings: [],
    exceptions: [],
    policySetHash: 'h',
    trustRootVersion: 'none',
    evidence: [],
    validUntil: null,
    at: new Date('2026-11-21T12:00:00Z'),
    durationMs: 0,
  };
}

function treeOf(check: string, ...because: readonly Finding[]): Finding {
  return { ...failed(check, 'signature.none', 'not satisfied'), needs: 'all', because };
}

const UNSIGNED = failed('signed', 'signature.none', 'no signature');

const cases: readonly {
  readonly name: string;
  readonly decision: Decision;
  readonly expect: string;
}[] = [
  {
    name: 'policy, clause and decision, the policy once',
    decision: denied('prod', treeOf('policy.prod', passed('other', 'held'), UNSIGNED)),
    expect: `refused by policy prod: signed: no signature (decision ${ID})`,
  },
  {
    name: 'without a policy the check that refused',
    decision: denied(null, failed('policy', 'policy.no-match', 'no policy covers it')),
    expect: `refused: policy: no policy covers it (decision ${ID})`,
  },
  {
    name: 'of what is not ASCII something that is',
    decision: denied('prod', treeOf('policy.prod', { ...UNSIGNED, says: 'key 54…: “ann’s”\n' })),
    expect: `refused by policy prod: signed: key 54...: ?ann's?  (decision ${ID})`,
  },
  {
    // Where the server's files lie is no business of who pulls.
    name: 'nothing of the path of policies that cannot be read',
    decision: denied(
      null,
      failed(
        'policy',
        'policy.unreadable',
        'no policy is in force: cannot read "/home/ann/p.yaml"',
      ),
    ),
    expect: `refused: policy: no policy is in force (decision ${ID})`,
  },
  {
    name: 'of what is long its beginning, and the decision whole',
    decision: denied('p'.repeat(63), treeOf('x', { ...UNSIGNED, says: 'y'.repeat(500) })),
    expect: `refused by policy ${'p'.repeat(37)}...: x: signed: ${'y'.repeat(88)}... (decision ${ID})`,
  },
];

for (const { name, decision, expect } of cases) {
  test(`a refusal says ${name}`, () => {
    const said = messageOf(decision);
    assert.equal(said, expect);
    assert.ok(said.length <= MESSAGE_LONGEST);
  });
}
