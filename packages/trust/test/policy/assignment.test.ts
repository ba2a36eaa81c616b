import assert from 'node:assert/strict';
import test from 'node:test';
import { type AuthorityPass, countAuthorities } from '@bulla/trust/policy/assignment';
import fc from 'fast-check';

function pass(authority: string, ...principals: string[]): AuthorityPass {
  return { authority, principals };
}

const CASES = [
  { name: 'nothing', passes: [], expect: 0 },
  { name: 'one signature', passes: [pass('a', 'key:1')], expect: 1 },
  {
    name: 'two signatures of one authority',
    passes: [pass('a', 'key:1'), pass('a', 'key:2')],
    expect: 1,
  },
  { name: 'one key under two names', passes: [pass('a', 'key:1'), pass('b', 'key:1')], expect: 1 },
  {
    name: 'one key in two formats',
    passes: [pass('a', 'key:1', 'bundle:x'), pass('b', 'key:1', 'legacy:y')],
    expect: 1,
  },
  {
    name: 'one key, bare and inside a certificate',
    passes: [pass('a', 'key:1'), pass('b', 'identity:i|s', 'certificate:c', 'key:1')],
    expect: 1,
  },
  {
    name: 'one identity with two short-lived keys',
    passes: [pass('a', 'identity:i|s', 'key:1'), pass('b', 'identity:i|s', 'key:2')],
    expect: 1,
  },
  {
    name: 'one workflow at two tags that one pattern matches',
    passes: [
      pass('release', 'identity:i|wf@refs/tags/v1', 'key:1'),
      pass('release', 'identity:i|wf@refs/tags/v2', 'key:2'),
    ],
    expect: 1,
  },
  {
    name: 'three names joined by a chain of sharing',
    passes: [
      pass('a', 'key:1'),
      pass('b', 'key:2'),
      pass('c', 'key:1', 'key:3'),
      pass('d', 'key:3', 'key:2'),
    ],
    expect: 1,
  },
  {
    name: 'a chain that is closed by the last piece of evidence',
    passes: [
      pass('a', 'x1'),
      pass('b', 'x2'),
      pass('c', 'x3'),
      pass('a', 'x1', 'x2'),
      pass('a', 'x3', 'x2'),
    ],
    expect: 1,
  },
  {
    name: 'two authorities with a key each',
    passes: [pass('a', 'key:1'), pass('b', 'key:2')],
    expect: 2,
  },
  {
    name: 'the first choice taken away: the best assignment decides',
    passes: [pass('a', 'key:1'), pass('a', 'key:2'), pass('b', 'key:1')],
    expect: 2,
  },
  {
    name: 'an assignment that moves every earlier choice',
    passes: [
      pass('a', 'key:1'),
      pass('a', 'key:2'),
      pass('b', 'key:2'),
      pass('b', 'key:3'),
      pass('c', 'key:3'),
      pass('c', 'key:4'),
      pass('d', 'key:1'),
    ],
    expect: 4,
  },
  {
    name: 'three authorities that share two keys',
    passes: ['a', 'b', 'c'].flatMap((name) => [pass(name, 'key:1'), pass(name, 'key:2')]),
    expect: 2,
  },
  { name: 'evidence with nobody behind it', passes: [pass('a'), pass('b', 'key:1')], expect: 1 },
  {
    name: 'names of Object’s prototype',
    passes: [pass('__proto__', 'constructor'), pass('toString', '__proto__')],
    expect: 2,
  },
] as const;

for (const { name, passes, expect } of CASES) {
  test(`${name} counts ${expect}`, () => {
    assert.equal(countAuthorities(passes), expect);
    assert.equal(countAuthorities([...passes].reverse()), expect);
  });
}

/** Tries every assignment. */
function best(passes: readonly AuthorityPass[]): number {
  const groups: Set<string>[] = [];
  for (const { principals } of passes) {
    const touching = groups.filter((group) => principals.some((id) => group.has(id)));
    const joined = new Set([...principals, ...touching.flatMap((group) => [...group])]);
    for (const group of touching) groups.splice(groups.indexOf(group), 1);
    if (joined.size > 0) groups.push(joined);
  }
  const authorities = [...new Set(passes.map(({ authority }) => authority))];
  const search = (at: number, used: ReadonlySet<number>): number => {
    const name = authorities[at];
    if (name === undefined) return used.size;
    let most = search(at + 1, used);
    for (const { authority, principals } of passes) {
      const group = groups.findIndex((ids) => principals.some((id) => ids.has(id)));
      if (authority !== name || group === -1 || used.has(group)) continue;
      most = Math.max(most, search(at + 1, new Set([...used, group])));
    }
    return most;
  };
  return search(0, new Set());
}

test('the count is that of the best assignment, in whatever order the evidence comes', () => {
  const passes = fc.array(
    fc.record({
      authority: fc.constantFrom('a', 'b', 'c', 'd'),
      principals: fc.array(fc.constantFrom('1', '2', '3', '4', '5', '6'), { maxLength: 2 }),
    }),
    { maxLength: 9 },
  );
  fc.assert(
    fc.property(passes, (all) => {
      assert.equal(countAuthorities(all), best(all));
    }),
    { numRuns: 500 },
  );
});

test('1000 authorities that share 1000 keys are counted within a second', () => {
  const dense: AuthorityPass[] = [];
  const chain: AuthorityPass[] = [];
  for (let a = 0; a < 1000; a++) {
    for (let key = 0; key <= a; key++) dense.push(pass(`a${a}`, `key:${999 - key}`));
    chain.push(pass(`a${a}`, `key:${a}`), pass(`a${a}`, `key:${a + 1}`));
  }
  chain.push(pass('last', 'key:0'));
  const start = performance.now();
  assert.equal(countAuthorities(dense), 1000);
  assert.equal(countAuthorities(chain), 1001);
  assert.ok(performance.now() - start < 2000, `${performance.now() - start} ms`);
});
