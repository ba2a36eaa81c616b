import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyRoleProblems } from '@bulla/trust/policy/exceptions/key-roles';
import { attested, policyOf, ready, signed } from '../../policy-lab/policy.ts';
import { keyed } from '../../sigstore-lab/question.ts';
import { KEYS, RULES } from './exception-lab.ts';

const NAMES = ['release', 'qa', 'security', 'oncall'] as const;
type Name = (typeof NAMES)[number];

const CASES: readonly {
  readonly name: string;
  /** Names that stand for the key of another. */
  readonly same?: Partial<Record<Name, Name>>;
  readonly require?: ReturnType<typeof signed>;
  readonly approvers?: readonly Name[];
  readonly expect: readonly string[];
}[] = [
  { name: 'each role has a key of its own', expect: [] },
  {
    name: 'a break-glass key signs under another name',
    same: { oncall: 'release' },
    expect: ['error policy.break-glass-shared'],
  },
  {
    name: 'a break-glass key approves under another name',
    same: { oncall: 'security' },
    expect: ['error policy.break-glass-shared'],
  },
  {
    name: 'a break-glass key is there to sign, and no clause names it yet',
    same: { oncall: 'qa' },
    expect: ['error policy.break-glass-shared'],
  },
  {
    name: 'a break-glass key signs under its own name',
    require: signed(['release', 'oncall']),
    expect: ['error policy.break-glass-shared'],
  },
  {
    name: 'an approver signs under another name',
    same: { security: 'release' },
    expect: ['warning policy.approver-signs'],
  },
  {
    name: 'two approvers have one key',
    same: { qa: 'security' },
    approvers: ['security', 'qa'],
    expect: ['warning policy.approver-repeated'],
  },
  { name: 'two approvers have a key each', approvers: ['security', 'qa'], expect: [] },
  {
    name: 'an approver answers the findings of scans',
    require: attested('vuln', ['release'], { vexBy: ['security'] }),
    expect: ['warning policy.approver-signs'],
  },
];

for (const row of CASES) {
  const { name, same = {}, require = signed(['release']), expect } = row;
  const approvers = row.approvers ?? RULES.approvers;
  test(`semantics 17: ${name}`, () => {
    const keyOf = (one: Name) => KEYS[same[one] ?? one];
    const authorities = NAMES.map((one) => ready(keyed(keyOf(one), one)));
    const exceptions = { ...RULES, approvers };
    const { document } = policyOf({ authorities, require, exceptions });
    const keys = new Map(NAMES.map((one) => [one, keyOf(one).publicKey]));
    const problems = keyRoleProblems(document, keys);
    assert.deepEqual(
      problems.map(({ severity, code }) => `${severity} ${code}`),
      expect,
    );
    assert.deepEqual(keyRoleProblems({ ...document, exceptions: null }, keys), []);
  });
}
