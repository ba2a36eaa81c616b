import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Finding, failed, inconclusive, passed, skipped } from '@bulla/trust/finding/finding';
import { decisiveChild, reasonOf } from '@bulla/trust/finding/reason';

const fail = (check: string) => failed(check, 'signature.none', 'none');
const open = (check: string) => inconclusive(check, 'registry.unreachable', 'no answer');
const pass = (check: string) => passed(check, 'well');
const none = (check: string) => skipped(check, 'switched off');
const under = (check: string, ...because: readonly Finding[]): Finding => ({
  ...fail(check),
  because,
});

const TREES: readonly {
  readonly name: string;
  readonly finding: Finding;
  readonly child: string | undefined;
  readonly leaf: string;
}[] = [
  { name: 'a leaf', finding: fail('a'), child: undefined, leaf: 'a' },
  { name: 'the first failure', finding: under('a', fail('b'), fail('c')), child: 'b', leaf: 'b' },
  {
    name: 'a failure before what has no answer',
    finding: under('a', pass('b'), open('c'), fail('d')),
    child: 'd',
    leaf: 'd',
  },
  {
    name: 'what has no answer, where nothing failed',
    finding: under('a', pass('b'), open('c')),
    child: 'c',
    leaf: 'c',
  },
  {
    name: 'nothing of what passed or was skipped',
    finding: under('a', pass('b'), none('c')),
    child: undefined,
    leaf: 'a',
  },
  {
    name: 'the leaf of the first branch that failed',
    finding: under('a', pass('b'), under('c', open('d'), under('e', fail('f'))), fail('g')),
    child: 'c',
    leaf: 'f',
  },
];

for (const { name, finding, child, leaf } of TREES) {
  test(`a finding is what it is by ${name}`, () => {
    assert.equal(decisiveChild(finding)?.check, child);
    assert.equal(reasonOf(finding).check, leaf);
  });
}
