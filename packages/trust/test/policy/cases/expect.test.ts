import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '@bulla/trust/fault/codes';
import { allOf, anyOf } from '@bulla/trust/finding/combine';
import { failed, passed } from '@bulla/trust/finding/finding';
import type { Expectation } from '@bulla/trust/policy/cases/document';
import { failingCodes, strictestEffect, unmet } from '@bulla/trust/policy/cases/expect';
import type { Decision, PolicyOutcome } from '@bulla/trust/policy/decision';

type Effect = PolicyOutcome['effect'];

const no = (code: Code) => failed('signed', code, 'no');

/** A policy by its effect, with what its tree holds. */
function outcome(policy: string, effect: Effect, ...codes: readonly Code[]): PolicyOutcome {
  const children = effect === 'pass' ? [passed('signed', 'yes')] : codes.map(no);
  const finding = allOf(`policy.${policy}`, children, policy);
  return { policy, hash: policy, mode: effect === 'audit' ? 'audit' : 'enforce', finding, effect };
}

function decision(...policies: readonly PolicyOutcome[]): Decision {
  const refuses = policies.length === 0 || policies.some(({ effect }) => effect === 'deny');
  const findings = policies.map(({ finding }) => finding);
  const none = failed('policy', 'policy.none', 'none');
  return {
    id: '01JD0000000000000000000000',
    outcome: refuses ? 'deny' : 'admit',
    reference: 'a.example/b:v1',
    repository: 'a.example/b',
    tag: 'v1',
    digest: null,
    covers: [],
    surface: 'gate',
    namespace: null,
    environment: null,
    policies,
    finding: policies.length === 0 ? none : allOf('policy', findings, ''),
    warnings: [],
    exceptions: [],
    policySetHash: '',
    trustRootVersion: '',
    evidence: [],
    validUntil: null,
    at: new Date(0),
    durationMs: 0,
  };
}

const pass = outcome('base', 'pass');
const deny = outcome('prod', 'deny', 'signature.none', 'statement.too-old');
const warn = outcome('new', 'warn', 'signature.invalid');
const audit = outcome('seen', 'audit', 'statement.missing');

const CASES: readonly {
  readonly name: string;
  readonly of: readonly PolicyOutcome[];
  readonly expect: Partial<Expectation>;
  readonly unmet: number;
}[] = [
  { name: 'the outcome alone', of: [pass, warn], expect: { outcome: 'admit' }, unmet: 0 },
  { name: 'the other outcome', of: [deny], expect: { outcome: 'admit' }, unmet: 1 },
  { name: 'the strictest effect', of: [pass, audit, warn], expect: { effect: 'warn' }, unmet: 0 },
  { name: 'a weaker effect', of: [pass, audit, warn], expect: { effect: 'audit' }, unmet: 1 },
  { name: 'satisfied, and one warns', of: [pass, warn], expect: { effect: 'pass' }, unmet: 1 },
  {
    name: 'the effect of one policy',
    of: [pass, audit, warn],
    expect: { effect: 'audit', policy: 'seen' },
    unmet: 0,
  },
  {
    name: 'a policy that does not cover it',
    of: [pass],
    expect: { effect: 'pass', policy: 'prod' },
    unmet: 1,
  },
  {
    name: 'a code deep in the tree',
    of: [pass, deny],
    expect: { outcome: 'deny', effect: 'deny', code: 'statement.too-old' },
    unmet: 0,
  },
  {
    name: 'a code that is nowhere',
    of: [pass, deny],
    expect: { outcome: 'deny', effect: 'deny', code: 'statement.where-false' },
    unmet: 1,
  },
  {
    name: 'the code of another policy',
    of: [deny, warn],
    expect: { outcome: 'deny', effect: 'deny', policy: 'prod', code: 'signature.invalid' },
    unmet: 1,
  },
  {
    name: 'that no policy covers it',
    of: [],
    expect: { outcome: 'deny', effect: 'deny', code: 'policy.none' },
    unmet: 0,
  },
  {
    name: 'all wrong at once',
    of: [deny],
    expect: { outcome: 'admit', effect: 'pass', code: 'policy.none' },
    unmet: 3,
  },
];

for (const { name, of, expect, unmet: count } of CASES) {
  test(`what is expected and not found is said: ${name}`, () => {
    const whole = { outcome: 'admit', effect: null, code: null, policy: null, ...expect } as const;
    const problems = unmet(decision(...of), whole);
    assert.equal(problems.length, count, problems.join('\n'));
  });
}

test('a door that refuses has the effect deny, whatever policies stand behind it', () => {
  assert.equal(strictestEffect(decision()), 'deny');
  assert.equal(strictestEffect(decision(pass)), 'pass');
  assert.equal(strictestEffect(decision(pass, audit)), 'audit');
});

test('what a pass outweighs is no failing code', () => {
  const either = anyOf('either', [passed('a', ''), no('signature.none')], '');
  assert.deepEqual(failingCodes(allOf('all', [either, no('statement.missing')], '')), [
    'statement.missing',
  ]);
});
