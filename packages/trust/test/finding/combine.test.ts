import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { allOf, anyOf, combine, combineOutcomes } from '@bulla/trust/finding/combine';
import {
  type Finding,
  failed,
  failedBy,
  inconclusive,
  type Needs,
  type Outcome,
  passed,
  skipped,
} from '@bulla/trust/finding/finding';
import fc from 'fast-check';

const OUTCOMES = ['pass', 'fail', 'inconclusive', 'skipped'] as const;
const outcome = fc.constantFrom(...OUTCOMES);
const outcomes = fc.array(outcome, { maxLength: 8 });
const needs: fc.Arbitrary<Needs> = fc.oneof(
  fc.constant('all' as const),
  fc.constant('any' as const),
  fc.integer({ min: 1, max: 9 }),
);

const TABLE: readonly {
  readonly needs: Needs;
  readonly of: readonly Outcome[];
  readonly expect: Outcome;
}[] = [
  { needs: 'all', of: ['pass', 'pass'], expect: 'pass' },
  { needs: 'all', of: ['fail', 'inconclusive'], expect: 'fail' },
  { needs: 'all', of: ['pass', 'inconclusive'], expect: 'inconclusive' },
  { needs: 'any', of: ['fail', 'inconclusive'], expect: 'inconclusive' },
  { needs: 'any', of: ['fail', 'pass', 'inconclusive'], expect: 'pass' },
  { needs: 'any', of: ['fail', 'fail'], expect: 'fail' },
  { needs: 2, of: ['pass', 'fail', 'pass'], expect: 'pass' },
  { needs: 2, of: ['pass', 'fail', 'inconclusive'], expect: 'inconclusive' },
  { needs: 2, of: ['pass', 'fail', 'fail'], expect: 'fail' },
  { needs: 2, of: ['pass', 'skipped'], expect: 'fail' },
  { needs: 'all', of: ['skipped'], expect: 'fail' },
  { needs: 'all', of: [], expect: 'fail' },
  { needs: 'any', of: [], expect: 'fail' },
  { needs: 0, of: ['pass'], expect: 'fail' },
  { needs: -1, of: ['pass'], expect: 'fail' },
  { needs: Number.NaN, of: ['pass'], expect: 'fail' },
];

for (const { needs: wanted, of, expect } of TABLE) {
  test(`${wanted} of ${of.join(' + ') || 'nothing'} is ${expect}`, () => {
    assert.equal(combineOutcomes(wanted, of), expect);
  });
}

const RANK = { fail: 0, inconclusive: 1, pass: 2 } as const;
const rank = (value: Outcome) => (value === 'skipped' ? Number.NaN : RANK[value]);

test('a combination is never skipped', () => {
  fc.assert(fc.property(needs, outcomes, (n, of) => combineOutcomes(n, of) !== 'skipped'));
});

test('skipped children never count', () => {
  fc.assert(
    fc.property(needs, outcomes, (n, of) => {
      const counted = of.filter((value) => value !== 'skipped');
      assert.equal(combineOutcomes(n, of), combineOutcomes(n, counted));
    }),
  );
});

test('the order of children does not matter', () => {
  fc.assert(
    fc.property(needs, outcomes, (n, of) => {
      assert.equal(combineOutcomes(n, of), combineOutcomes(n, [...of].reverse()));
    }),
  );
});

test('a child that gets better never makes the combination worse', () => {
  fc.assert(
    fc.property(needs, outcomes, fc.nat(), (n, of, pick) => {
      const at = pick % Math.max(1, of.length);
      const value = of[at];
      if (value === undefined || value === 'skipped' || value === 'pass') return;
      const better = of.with(at, value === 'fail' ? 'inconclusive' : 'pass');
      assert.ok(rank(combineOutcomes(n, better)) >= rank(combineOutcomes(n, of)));
    }),
  );
});

test('whatever an outage turns out to be lies between: inconclusive is the only honest answer', () => {
  fc.assert(
    fc.property(needs, outcomes, (n, of) => {
      const resolve = (as: Outcome) => of.map((value) => (value === 'inconclusive' ? as : value));
      const best = combineOutcomes(n, resolve('pass'));
      const worst = combineOutcomes(n, resolve('fail'));
      const now = combineOutcomes(n, of);
      if (now === 'pass') assert.equal(worst, 'pass');
      if (now === 'fail') assert.equal(best, 'fail');
      if (now === 'inconclusive') assert.notEqual(best, worst);
    }),
  );
});

test('more than the children is never reached', () => {
  fc.assert(
    fc.property(outcomes, fc.integer({ min: 1, max: 5 }), (of, more) => {
      assert.equal(combineOutcomes(of.length + more, of), 'fail');
    }),
  );
});

const child: fc.Arbitrary<Finding> = outcome.map((value) => {
  if (value === 'pass') return passed('check', 'held');
  if (value === 'skipped') return skipped('check', 'was switched off');
  return value === 'fail'
    ? failed('check', 'signature.invalid', 'did not hold')
    : inconclusive('check', 'registry.timeout', 'no answer');
});

test('a combined finding has its children, and a code exactly when it did not pass', () => {
  fc.assert(
    fc.property(needs, fc.array(child, { maxLength: 6 }), (n, because) => {
      const finding = combine('parent', n, because, 'says');
      assert.deepEqual(finding.because, because);
      assert.equal(finding.code === undefined, finding.outcome === 'pass');
    }),
  );
});

test('the code of a combination is that of the child that decides', () => {
  const bad = failed('a', 'signature.invalid', 'x');
  const away = inconclusive('b', 'registry.timeout', 'x');
  assert.equal(allOf('p', [away, bad], 'x').code, 'signature.invalid');
  assert.equal(anyOf('p', [bad, away], 'x').code, 'registry.timeout');
  assert.equal(allOf('p', [], 'x').code, 'policy.nothing-checked');
  assert.equal(allOf('p', [bad], 'x', { code: 'timestamp.untrusted' }).code, 'timestamp.untrusted');
});

test('a caught fault is a failed finding with its remedy; a defect is thrown on', () => {
  const fault = new TrustFault('bundle.malformed', 'broken', 'mend it');
  assert.deepEqual(failedBy('check', fault), {
    check: 'check',
    outcome: 'fail',
    says: 'broken',
    code: 'bundle.malformed',
    remedy: 'mend it',
  });
  for (const defect of [new TypeError('bug'), 'text', undefined]) {
    assert.throws(
      () => failedBy('check', defect),
      (error) => error instanceof TrustFault && error.code === 'internal.defect',
    );
  }
});
