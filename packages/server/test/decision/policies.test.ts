import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openEpochs } from '@bulla/server/decision/epochs';
import { openPolicies } from '@bulla/server/decision/policies';
import { createDecisions } from '@bulla/server/decision/service';
import { openMemory } from '@bulla/server/storage/memory/open';
import { TrustFault } from '@bulla/trust/fault/fault';
import { ASK, START, set, taking } from './kit.ts';

const readings: readonly {
  readonly name: string;
  readonly fault: TrustFault;
  readonly outcome: 'admit' | 'deny';
  readonly code: string;
}[] = [
  {
    name: 'files that are half-written leave the former policies in force, and a finding says so',
    fault: new TrustFault('policy.pattern-invalid', 'line 3'),
    outcome: 'admit',
    code: 'policy.stale',
  },
  {
    name: 'a file that is gone leaves none in force, and all is refused',
    fault: new TrustFault('policy.unreadable', 'prod.yaml is gone'),
    outcome: 'deny',
    code: 'policy.unreadable',
  },
];

describe('policies in force', () => {
  for (const { name, fault, outcome, code } of readings) {
    test(name, async () => {
      let broken = false;
      const clock = () => new Date(START);
      const policies = await openPolicies({
        load: () =>
          broken
            ? Promise.reject(fault)
            : Promise.resolve({ set: set('x'), files: new Map([['x', 'x.yaml']]), warnings: [] }),
        fingerprint: () => Promise.resolve(String(broken)),
        clock,
        changed: () => undefined,
      });
      const { registers } = openMemory();
      let ids = 0;
      const decisions = createDecisions({
        policies,
        epochs: openEpochs(registers, () => 0),
        keep: () => Promise.resolve(),
        repeat: () => null,
        take: (ask) =>
          Promise.resolve({
            decision: taking(ask, 'admit', 'enforce', `ID${++ids}`, clock()),
            cache: 'miss',
            dossier: null,
          }),
        limits: { entries: 10, passMs: 1000, refusalMs: 1000 },
        newId: () => `ID${++ids}`,
        clock,
        now: () => 0,
        unrecorded: () => undefined,
      });
      broken = true;
      await policies.check();
      const { decision } = await decisions.decide(ASK);
      assert.equal(decision.outcome, outcome);
      const findings = [decision.finding, ...(decision.finding.because ?? [])];
      assert.ok(findings.some((finding) => finding.code === code));
      assert.equal(policies.current().problem, fault);
      broken = false;
      await policies.check();
      assert.equal(policies.current().problem, null, 'a correction is taken up');
    });
  }
});
