import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brief } from '@bulla/server/decision/brief';
import { type Finding, failed, inconclusive, passed } from '@bulla/trust/finding/finding';

const UNSIGNED = failed('signed', 'signature.none', 'no signature');
const DOWN = inconclusive('registry', 'registry.timeout', 'no answer');

const cases: readonly {
  readonly name: string;
  readonly because: readonly Finding[];
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  readonly expect: readonly Finding[] | undefined;
}[] = [
  {
    name: 'of a refusal the clause that failed is kept, and of the tree nothing else',
    because: [passed('a', 'held'), { ...passed('b', 'in'), outcome: 'fail', because: [UNSIGNED] }],
    outcome: 'fail',
    expect: [{ ...passed('b', 'in'), outcome: 'fail', because: [UNSIGNED] }],
  },
  {
    name: 'what failed comes before what had no answer',
    because: [DOWN, UNSIGNED],
    outcome: 'fail',
    expect: [UNSIGNED],
  },
  {
    name: 'of an outage what had no answer is kept',
    because: [passed('a', 'held'), DOWN],
    outcome: 'inconclusive',
    expect: [DOWN],
  },
  {
    name: 'of a pass nothing is kept, not what failed beside it either',
    because: [passed('a', 'held'), UNSIGNED],
    outcome: 'pass',
    expect: undefined,
  },
];

for (const { name, because, outcome, expect } of cases) {
  test(name, () => {
    const kept = brief({ check: 'policy.prod', outcome, says: 'so it is', because });
    assert.equal(kept.says, 'so it is');
    assert.deepEqual(kept.because, expect);
  });
}
